"""What can be wrong with a price: each rule is a function over the whole book that returns its doubts.

Rules look at data, never at particular rows: a rule that knew the bad rows of today
would miss those of tomorrow.
"""
