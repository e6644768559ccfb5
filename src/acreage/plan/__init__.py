"""Which offers to sign, how much of each, from when; and what every other choice would be worth.

`problem` is the seam between the words and the numbers: `formulate` makes a `PlanProblem`
from a portfolio and its futures, an engine solves it, `evaluate` turns the solution back into a
plan in words, `audit` recomputes it without a solver.
"""
