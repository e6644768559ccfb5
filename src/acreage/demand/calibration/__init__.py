"""What data say about the generator of futures: its parameters, each with an interval and a source.

Arrays and tables in, estimates out; reading files and writing documents is `flow`'s. What the data cannot say
comes back as `Unsaid`, with the reason, and never as a number.
"""
