"""An integer program as winner determination states it: columns that gain, rows that bound; solvers read it."""

import math
from dataclasses import dataclass, field
from fractions import Fraction

Terms = dict[int, int]


DIGITS = 10**6
"""Beyond coefficients of this size a solver's floats no longer tell whole numbers apart: rows are split there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A whole number of 0 to `upper` that adds `gain` each to the objective."""

    upper: int
    gain: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """lower <= sum of coefficient x column <= upper; an infinite bound does not bind."""

    terms: Terms
    lower: float = -math.inf
    upper: float = math.inf


@dataclass(slots=True, kw_only=True)
class Program:
    """maximise the gains over whole numbers that keep every row."""

    columns: list[Column] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)

    def column(self, upper: int, gain: int | Fraction = 0) -> int:
        """Add a column; returns its place."""
        self.columns.append(Column(upper=upper, gain=Fraction(gain)))
        return len(self.columns) - 1

    def row(self, terms: Terms, *, lower: float = -math.inf, upper: float = math.inf) -> None:
        """Add a row, unless it is empty and holds."""
        if terms or not lower <= 0 <= upper:
            self.rows.append(Row(terms=terms, lower=lower, upper=upper))

    def at_least(self, terms: Terms, lower: int) -> None:
        """Add a row of whole numbers of any size, exactly: sum of coefficient x column >= lower.

        Large coefficients are written as two digits of base `DIGITS`, and the row as one of high digits and one of low
        ones with a carry between them, a whole number. Half a unit of doubt is given to the solver.
        """
        if max((abs(coefficient) for coefficient in terms.values()), default=0) <= DIGITS:
            self.row(terms, lower=lower - 0.5)
            return
        high = {column: coefficient // DIGITS for column, coefficient in terms.items()}
        low = {column: coefficient % DIGITS for column, coefficient in terms.items()}
        most = sum(digit * self.columns[column].upper for column, digit in low.items()) // DIGITS + 1
        # The low digits add up to at most `most` carries, which is what the high ones may be short of.
        carry = self.column(most)
        self.at_least(low | {carry: -DIGITS}, lower % DIGITS - DIGITS)
        self.at_least(high | {carry: 1}, lower // DIGITS + 1)


def added(*parts: Terms) -> Terms:
    """The sum of linear expressions."""
    total: Terms = {}
    for part in parts:
        for column, coefficient in part.items():
            total[column] = total.get(column, 0) + coefficient
    return total


def times(terms: Terms, factor: int) -> Terms:
    """A linear expression times a number."""
    return {column: coefficient * factor for column, coefficient in terms.items()}
