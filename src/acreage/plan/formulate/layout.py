"""Columns and rows as they are laid out: builders that keep the index back to the words.

A builder only ever appends; nothing here knows what a lease is.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse

from acreage.plan.formulate.gathering import FamilyBuilder, RowBounds, TableBuilder
from acreage.plan.formulate.variants import Variant
from acreage.plan.problem import FirstStage, Recourse, Vector
from acreage.plan.tables import Index, common_table
from acreage.units.ids import PoolId
from acreage.units.instants import Instant

Triplet = tuple[Index, Index, Vector]


class ColumnKind(StrEnum):
    """What a first-stage column decides; `HELD`, `MARKET` and `PLEDGE` are given, fixed at 1."""

    BLOCKS = "blocks"
    MODE = "mode"
    RELEASE = "release"
    HOME = "home"
    GANG = "gang"
    PORT = "port"
    MATCH = "match"
    HELD = "held"
    MARKET = "market"
    PLEDGE = "pledge"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One first-stage column: its kind, what it is about, and where it applies.

    `subject` is an offer, lease, workload, pool or commitment id; `detail` a pool, chip,
    tier-and-ending or date; `variant` is set on BLOCKS and MATCH, `at` on RELEASE and on the
    MATCH of a lease that is released then.
    """

    kind: ColumnKind
    subject: str
    detail: str = ""
    variant: Variant | None = None
    at: Instant | None = None
    period: int = -1

    @property
    def name(self) -> tuple[object, ...]:
        """What the column decides, the same in every formulation of a portfolio and its variations."""
        variant = self.variant
        which = (variant.starts_at, variant.blocks_min, variant.ending) if variant is not None else ()
        return (self.kind, self.subject, self.detail, self.at, self.period, *which)


@dataclass(frozen=True, slots=True)
class FirstStageBuilder:
    """Collects first-stage columns and rows; `rules` names the rows that are the user's rules."""

    columns: list[Column] = field(default_factory=list)
    lower: list[float] = field(default_factory=list)
    upper: list[float] = field(default_factory=list)
    integer: list[bool] = field(default_factory=list)
    rows: list[Mapping[int, float]] = field(default_factory=list)
    row_lower: list[float] = field(default_factory=list)
    row_upper: list[float] = field(default_factory=list)
    rules: list[str] = field(default_factory=list)

    def column(self, column: Column, *, upper: float, lower: float = 0.0, integer: bool = True) -> int:
        """Append a column and return its number."""
        self.columns.append(column)
        self.lower.append(lower)
        self.upper.append(upper)
        self.integer.append(integer)
        return len(self.columns) - 1

    def row(
        self,
        terms: Mapping[int, float],
        *,
        lower: float = -np.inf,
        upper: float = np.inf,
        rule: str = "",
    ) -> None:
        """Append lower <= sum of terms <= upper; a row without terms is kept only if it is violated."""
        kept = {i: value for i, value in terms.items() if value != 0.0}
        if not kept and lower <= 1e-9 and upper >= -1e-9:
            return
        self.rows.append(kept)
        self.row_lower.append(lower)
        self.row_upper.append(upper)
        self.rules.append(rule)

    def build(self, cost: Vector) -> FirstStage:
        """The finished first stage, with its costs (S, N)."""
        counts = [len(row) for row in self.rows]
        matrix = sparse.csr_matrix(
            (
                np.array([v for row in self.rows for v in row.values()], dtype=float),
                np.array([i for row in self.rows for i in row], dtype=np.int64),
                np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            ),
            shape=(len(self.rows), len(self.columns)),
        )
        return FirstStage(
            lower=np.array(self.lower),
            upper=np.array(self.upper),
            is_integer=np.array(self.integer, dtype=bool),
            matrix=matrix,
            row_lower=np.array(self.row_lower, dtype=float),
            row_upper=np.array(self.row_upper, dtype=float),
            cost=cost,
        )


class UseKind(StrEnum):
    """What a second-stage column is."""

    RUN = "run"
    BUY = "buy"
    EXTRA = "extra"
    UNMET = "unmet"
    GIVE_UP = "give_up"
    SHORTFALL = "shortfall"


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """A group of second-stage columns [start, stop): one subject over periods and blocks.

    `subject` is a workload, price kind, lease or offer id or commitment; `period` and
    `block` (n,) say where each stands; block -1 means all blocks alike, period -1 none.
    `rate` (n,) turns accelerators into the workload's own unit or USD, as the kind needs.
    `column` is the first-stage column behind it.
    """

    kind: UseKind
    subject: str
    pool: PoolId | None
    start: int
    stop: int
    period: Index
    block: Index
    rate: Vector
    column: int = -1


@dataclass(slots=True)
class RecourseBuilder:
    """Collects second-stage columns and rows for `futures` futures at once; `hard` is the hard one's number or -1.

    Values are (n,) where all futures agree, (S, n), or (K, n) with `ways` (S,), the row of each future.
    """

    futures: int
    hard: int = -1
    uses: list[Use] = field(default_factory=list)
    columns: int = 0
    rows: int = 0
    _cost: TableBuilder = field(init=False)
    _hard_cost: list[Vector] = field(default_factory=list)
    _upper: list[Vector] = field(default_factory=list)
    _upper_of_rows: list[Triplet] = field(default_factory=list)
    _row_bounds: RowBounds = field(init=False)
    _entries: FamilyBuilder = field(init=False)
    _coupling: FamilyBuilder = field(init=False)
    _upper_coupling: FamilyBuilder = field(init=False)
    _gates: list[Triplet] = field(default_factory=list)
    _gate_brought: FamilyBuilder = field(init=False)
    _gate_taken: FamilyBuilder = field(init=False)
    _gate_rows: int = 0

    def __post_init__(self) -> None:
        self._cost = TableBuilder(self.futures)
        self._row_bounds = RowBounds(self.futures)
        self._entries = FamilyBuilder(self.futures)
        self._coupling = FamilyBuilder(self.futures)
        self._upper_coupling = FamilyBuilder(self.futures)
        self._gate_brought = FamilyBuilder(self.futures)
        self._gate_taken = FamilyBuilder(self.futures)

    def add(
        self,
        kind: UseKind,
        subject: str,
        pool: PoolId | None,
        *,
        period: Index,
        block: Index,
        cost: ArrayLike = 0.0,
        hard_cost: ArrayLike = 0.0,
        ways: Index | None = None,
        upper: ArrayLike = 0.0,
        rate: ArrayLike = 0.0,
        column: int = -1,
    ) -> Use:
        """Append a group of columns; `hard_cost` (n,) is their cost in the hard future, `upper` (n,) in all."""
        count = len(period)
        use = Use(
            kind=kind,
            subject=subject,
            pool=pool,
            start=self.columns,
            stop=self.columns + count,
            period=period,
            block=block,
            rate=np.broadcast_to(np.asarray(rate, dtype=float), (count,)),
            column=column,
        )
        self.uses.append(use)
        self.columns += count
        costs = np.atleast_2d(np.asarray(cost, dtype=float))
        self._cost.add(np.broadcast_to(costs, (len(costs), count)), ways)
        self._hard_cost.append(np.broadcast_to(np.asarray(hard_cost, dtype=float), (count,)))
        self._upper.append(np.broadcast_to(np.asarray(upper, dtype=float), (count,)))
        return use

    def add_rows(self, count: int, *, lower: ArrayLike = -np.inf, upper: ArrayLike = np.inf) -> int:
        """Append rows and return the first one's number; bounds are scalars, (n,) or (S, n)."""
        start = self.rows
        self.rows += count
        self._row_bounds.add(start, count, lower, upper)
        return start

    def put(
        self, rows: ArrayLike, columns: ArrayLike, values: ArrayLike, ways: Index | None = None, *, zeros: bool = False
    ) -> None:
        """Matrix entries; rows and columns broadcast against the values' last axis. `zeros` keeps those that are 0."""
        self._entries.add(rows, columns, values, ways, zeros=zeros)

    def couple(self, rows: ArrayLike, column: int, values: ArrayLike, ways: Index | None = None) -> None:
        """Entries of T: what one unit of a first-stage column adds to rows."""
        self._coupling.add(rows, column, values, ways)

    def bound_by_rows(self, columns: ArrayLike, rows: ArrayLike, values: ArrayLike) -> None:
        """What one unit of rows' upper bounds adds to the upper bounds of columns."""
        self._upper_of_rows.append(_triplet(columns, rows, values))

    def couple_upper(self, columns: ArrayLike, column: ArrayLike, values: ArrayLike, ways: Index | None = None) -> None:
        """What one unit of first-stage columns adds to the upper bounds of columns."""
        self._upper_coupling.add(columns, column, values, ways)

    def add_gate_rows(self, count: int) -> int:
        """Append sums that gates look at; returns the first one's number."""
        self._gate_rows += count
        return self._gate_rows - count

    def gate(self, columns: ArrayLike, rows: ArrayLike, minimum: ArrayLike) -> None:
        """Columns that are zero where their gate rows are below a minimum."""
        self._gates.append(_triplet(columns, rows, minimum))

    def gate_bring(self, rows: ArrayLike, column: int, values: ArrayLike, ways: Index | None = None) -> None:
        """What one unit of a first-stage column adds to gate rows."""
        self._gate_brought.add(rows, column, values, ways)

    def gate_take(self, rows: ArrayLike, column: int, values: ArrayLike, ways: Index | None = None) -> None:
        """What one unit of a second-stage column takes from gate rows."""
        self._gate_taken.add(rows, column, values, ways)

    def build(self, first_columns: int, constant: Vector) -> Recourse:
        """The finished second stage."""
        gate_column, gate_row, gate_min = _stacked(self._gates)
        column, row, share = _stacked(self._upper_of_rows)
        cost = self._cost.build()
        if self.hard >= 0:
            cost = replace(cost, rows={self.hard: np.concatenate(self._hard_cost)})
        row_lower, row_upper = self._row_bounds.build()
        upper = np.concatenate(self._upper)
        return Recourse(
            matrix=self._entries.build((self.rows, self.columns)),
            cost=cost,
            row_lower=row_lower,
            row_upper=row_upper,
            upper=common_table(upper, self.futures),
            upper_of_rows=sparse.csr_matrix((share, (column, row)), shape=(self.columns, self.rows)),
            constant=constant,
            coupling=self._coupling.build((self.rows, first_columns)),
            upper_coupling=self._upper_coupling.build((self.columns, first_columns)),
            gate_column=gate_column,
            gate_row=gate_row,
            gate_min=gate_min,
            gate_brought=self._gate_brought.build((self._gate_rows, first_columns)),
            gate_taken=self._gate_taken.build((self._gate_rows, self.columns)),
        )


def _triplet(rows: ArrayLike, columns: ArrayLike, values: ArrayLike) -> Triplet:
    r, c, v = np.broadcast_arrays(np.asarray(rows), np.asarray(columns), np.asarray(values, dtype=float))
    keep = v.ravel() != 0.0
    return (
        r.ravel()[keep].astype(np.int64),
        c.ravel()[keep].astype(np.int64),
        v.ravel()[keep],
    )


def _stacked(parts: list[Triplet]) -> Triplet:
    rows, columns, values = zip(*(parts or [_triplet([], [], [])]), strict=True)
    return np.concatenate(rows), np.concatenate(columns), np.concatenate(values)
