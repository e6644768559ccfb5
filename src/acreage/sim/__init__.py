"""A market in a made-up world: labs that buy and clouds that lease out with the code of the other rooms."""
