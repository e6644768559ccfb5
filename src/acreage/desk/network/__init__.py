"""Requests that take units of several resources at once: bounds on what they can earn, and tables to decide by."""
