"""What can be leased and at what price: accelerators, feeds, the price book and its doubts."""
