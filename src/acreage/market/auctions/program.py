"""An integer program as winner determination states it: columns that gain, rows that bound; solvers read it."""

import math
from dataclasses import dataclass, field
from fractions import Fraction

Terms = dict[int, int]


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
