"""Reads how futures are drawn: correlations, events at suppliers that exist, regimes, stresses in words."""

import datetime
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from acreage.demand.correlation import NEGATIVE_MAX, nearest_correlation, smallest_eigenvalue
from acreage.domain.portfolio import Stress, Uncertainty
from acreage.domain.provider import Pool, Provider
from acreage.domain.surprises import EventKind, Factor, Regime, SupplierEvent, TailSampling
from acreage.portfolio.document import At
from acreage.portfolio.names import Names
from acreage.portfolio.quantities import date_at
from acreage.portfolio.uncertainty_shape import (
    CorrelationShape,
    EventShape,
    RegimeShape,
    StressShape,
    UncertaintyShape,
    WeightsShape,
)
from acreage.units.ids import PoolId, ProviderId
from acreage.units.instants import DAYS_PER_YEAR, Instant

DAYS_MAX = 36_500
_DAYS = {"day": 1.0, "week": 7.0, "month": DAYS_PER_YEAR / 12, "quarter": DAYS_PER_YEAR / 4, "year": DAYS_PER_YEAR}
_SPAN = re.compile(r"([1-9]\d*) (day|week|month|quarter|year)s?")
_TIMES = re.compile(r"x\s*(\d+(?:\.\d+)?|\.\d+)")
_LOST = re.compile(r"lost(?: from (\d{4}-\d{2}-\d{2}))?")

FACTOR_WORDS = {"demand": "demand_factor", "price": "market_price_factor", "limits": "market_limit_factor"}
"""What the short form of a stress multiplies, and the field of the long form that does the same."""

FIELDS = {
    EventKind.SITE_FAILURE: ({"duration"}, {"lost_frac"}),
    EventKind.CHIP_LATE: ({"late"}, set[str]()),
    EventKind.RECALL: (set[str](), set[str]()),
    EventKind.DEFAULT: (set[str](), {"late", "duration", "lost_frac"}),
}
"""The fields that each kind of event needs, and those it may have besides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UncertaintyReader:
    """Reads `uncertainty` and `stresses` of one document, given its suppliers."""

    names: Names
    providers: Mapping[ProviderId, Provider]
    pools: Mapping[PoolId, Pool]
    as_of_at: Instant

    def uncertainty(self, shape: UncertaintyShape) -> Uncertainty:
        """How futures are drawn; raises `InputError` for what cannot be."""
        self.names.distinct_across(
            "event or regime",
            [(one.name, ("uncertainty", "events", i)) for i, one in enumerate(shape.events)]
            + [(one.name, ("uncertainty", "regimes", i)) for i, one in enumerate(shape.regimes)],
        )
        return Uncertainty(
            futures=shape.futures,
            seed=shape.seed,
            demand_sd_frac_per_year=shape.demand_sd_frac_per_year,
            price_sd_frac_per_year=shape.price_sd_frac_per_year,
            market_limit_sd_frac=shape.market_limit_sd_frac,
            tightness_weight_frac=shape.tightness_weight_frac,
            correlation=self._correlation(shape.correlation) if shape.correlation else (),
            weight_frac=_weights(shape.weights),
            events=tuple(self._event(one, ("uncertainty", "events", i)) for i, one in enumerate(shape.events)),
            regimes=tuple(self._regime(one, ("uncertainty", "regimes", i)) for i, one in enumerate(shape.regimes)),
            tail=TailSampling(share_of_futures_frac=shape.tail.share_of_futures_frac, shift_sd=shape.tail.shift_sd)
            if shape.tail
            else None,
        )

    def _correlation(self, shape: CorrelationShape) -> tuple[tuple[float, ...], ...]:
        """The matrix in the order of `Factor`."""
        at: At = ("uncertainty", "correlation")
        if sorted(shape.factors) != sorted(Factor):
            self.names.wrong(
                "the correlation is not that of the four factors",
                f"name each once: factors: [{', '.join(Factor)}]",
                (*at, "factors"),
            )
        self._check_entries(shape.matrix, (*at, "matrix"))
        matrix = np.array(shape.matrix, dtype=float)
        smallest = smallest_eigenvalue(matrix)
        if smallest < NEGATIVE_MAX:
            near = ", ".join(f"[{', '.join(f'{x:g}' for x in row)}]" for row in nearest_correlation(matrix))
            self.names.wrong(
                f"no factors can be correlated so: the matrix has the eigenvalue {smallest:.3g}",
                f"the nearest matrix that is one: [{near}]",
                (*at, "matrix"),
            )
        order = [shape.factors.index(factor.value) for factor in Factor]
        return tuple(tuple(float(matrix[i, j]) for j in order) for i in order)

    def _check_entries(self, matrix: list[list[float]], at: At) -> None:
        size = len(Factor)
        if len(matrix) != size:
            self.names.wrong(f"the matrix has {len(matrix)} rows", f"write {size}, one for each factor", at)
        for i, row in enumerate(matrix):
            if len(row) != size:
                self.names.wrong(f"row {i + 1} has {len(row)} entries", f"write {size}", (*at, i))
        for i, row in enumerate(matrix):
            for j, entry in enumerate(row):
                if not -1.0 <= entry <= 1.0:
                    self.names.wrong(f"{entry:g} is no correlation", "it lies between -1 and 1", (*at, i, j))
                if i == j and entry != 1.0:
                    self.names.wrong(f"a factor's correlation with itself is {entry:g}", "write 1", (*at, i, j))
                if entry != matrix[j][i]:
                    self.names.wrong(
                        f"the matrix is not symmetric: {matrix[j][i]:g} stands across the diagonal from {entry:g}",
                        "write the same in both places",
                        (*at, i, j),
                    )

    def _event(self, shape: EventShape, at: At) -> SupplierEvent:
        kind = EventKind(shape.kind)
        self._check_fields(shape, kind, at)
        lost_days = self._days(shape.duration, (*at, "duration")) if shape.duration else 0
        if kind is EventKind.DEFAULT and shape.lost_frac is not None and not lost_days:
            self.names.wrong("lost_frac without duration", "say for how long, for example duration: 1 year", at)
        late = shape.late or ("never" if kind is EventKind.DEFAULT else None)
        return SupplierEvent(
            name=shape.name,
            kind=kind,
            pools=self._pools_hit(shape.target, kind, (*at, "target")),
            probability_frac_per_year=shape.probability_frac_per_year,
            lost_frac=(1.0 if shape.lost_frac is None else shape.lost_frac) if lost_days else 0.0,
            lost_days=lost_days,
            late_days=None if late == "never" else self._days(late, (*at, "late")) if late else 0,
            tightness_sd=shape.tightness_sd,
        )

    def _check_fields(self, shape: EventShape, kind: EventKind, at: At) -> None:
        needed, allowed = FIELDS[kind]
        for field in ("lost_frac", "duration", "late"):
            if getattr(shape, field) is None and field in needed:
                self.names.wrong(f"a {kind} without {field}", f"add {field}, for example {field}: 2 quarters", at)
            if getattr(shape, field) is not None and field not in needed | allowed:
                takes = ", ".join(sorted(needed | allowed)) or "none of lost_frac, duration and late"
                self.names.wrong(f"a {kind} has no {field}", f"leave it out; it takes {takes}", (*at, field))

    def _pools_hit(self, target: str, kind: EventKind, at: At) -> tuple[PoolId, ...]:
        """The pools of a target: of the narrowest thing of that name that such an event can hit."""
        levels = {
            EventKind.SITE_FAILURE: (_pool, _site, _provider),
            EventKind.CHIP_LATE: (_chip,),
            EventKind.RECALL: (_pool, _site, _provider, self._group),
            EventKind.DEFAULT: (self._group,),
        }[kind]
        if kind is EventKind.CHIP_LATE:
            target = self.names.accelerator(target, at)
        for of in levels:
            found = tuple(pool.id for pool in self.pools.values() if of(pool) == target)
            if found:
                return found
        known = sorted({str(of(pool)) for of in levels for pool in self.pools.values()})
        self.names.known(f"target of a {kind}", target, known, at)
        raise AssertionError(target)

    def _group(self, pool: Pool) -> str:
        return self.providers[pool.provider].equity_group

    def _regime(self, shape: RegimeShape, at: At) -> Regime:
        return Regime(
            name=shape.name,
            entries_per_year=shape.entries_per_year,
            mean_days=self._days(shape.mean_duration, (*at, "mean_duration")),
            demand_factor=shape.demand_factor,
            market_price_factor=shape.market_price_factor,
            market_limit_factor=shape.market_limit_factor,
            late_days=self._days(shape.late, (*at, "late")) if shape.late else 0,
            tightness_sd=shape.tightness_sd,
        )

    def _days(self, text: str, at: At) -> int:
        """Whole days of a length of time such as 2 quarters."""
        found = _SPAN.fullmatch(text)
        if found is None:
            self.names.wrong(f"{text!r} is not a length of time", "write for example 2 quarters or 90 days", at)
        days = round(int(found[1]) * _DAYS[found[2]])
        if days > DAYS_MAX:
            self.names.wrong(f"{text!r} is longer than a contract can be", f"at most {DAYS_MAX // 365} years", at)
        return days

    def stresses(self, shapes: list[StressShape]) -> tuple[Stress, ...]:
        """The named stresses; raises `InputError` for what cannot be."""
        total = math.fsum(shape.probability_frac for shape in shapes)
        if total >= 1.0:
            self.names.wrong(
                f"the probabilities of the stresses sum to {total:.3g}",
                "leave something, below 1 in all, to the sampled futures",
                ("stresses",),
            )
        self.names.distinct("stress", "stresses", [shape.name for shape in shapes])
        return tuple(self._stress(shape, ("stresses", i)) for i, shape in enumerate(shapes))

    def _stress(self, shape: StressShape, at: At) -> Stress:
        lost_from_at = date_at(shape.lost_from) if shape.lost_from else self.as_of_at
        late = {self.names.provider(p, (*at, "late_days", p)): days for p, days in shape.late_days.items()}
        lost = {self.names.provider(p, (*at, "lost", j)): lost_from_at for j, p in enumerate(shape.lost)}
        factors = {field: float(getattr(shape, field)) for field in FACTOR_WORDS.values()}
        for name, text in shape.stress.items():
            here = (*at, "stress", name)
            if name in FACTOR_WORDS:
                self._once(factors[FACTOR_WORDS[name]] != 1.0, FACTOR_WORDS[name], here)
                factors[FACTOR_WORDS[name]] = self._times(name, text, here)
                continue
            self.names.known("provider", name, [*self.providers, *FACTOR_WORDS], here)
            for words in text.split(","):
                self._fate(ProviderId(name), words.strip(), late, lost, here)
        return Stress(
            name=shape.name, probability_frac=shape.probability_frac, late_days=late, lost_from_at=lost, **factors
        )

    def _once(self, said: bool, field: str, at: At) -> None:
        if said:
            self.names.wrong(f"said twice: here and by {field}", "keep one of them", at)

    def _times(self, name: str, text: str, at: At) -> float:
        """The factor of words such as x2 or x0.5."""
        found = _TIMES.fullmatch(text.strip())
        factor = float(found[1]) if found else 0.0
        if found is None or (factor == 0.0 and name != "limits"):
            self.names.wrong(f"{text!r} is no factor of {name}", "write for example x2 or x0.5", at)
        return factor

    def _fate(
        self, provider: ProviderId, words: str, late: dict[ProviderId, int], lost: dict[ProviderId, Instant], at: At
    ) -> None:
        """What happens to a provider: late 2 quarters, lost, or lost from a day on."""
        if words.startswith("late "):
            self._once(provider in late, "late_days", at)
            late[provider] = self._days(words.removeprefix("late ").strip(), at)
            return
        found = _LOST.fullmatch(words)
        if found is None:
            fix = "write late 2 quarters, lost, or lost from 2028-01-01"
            self.names.wrong(f"{words!r} is nothing that a provider can be", fix, at)
        self._once(provider in lost, "lost", at)
        lost[provider] = self._day(found[1], at) if found[1] else self.as_of_at

    def _day(self, text: str, at: At) -> Instant:
        try:
            day = datetime.date.fromisoformat(text)
        except ValueError:
            self.names.wrong(f"{text!r} is not a date of the calendar", "write YYYY-MM-DD", at)
        self.names.day(day, at)
        return date_at(day)


def _weights(shape: WeightsShape) -> dict[Factor, float]:
    stated = {factor: getattr(shape, factor.value) for factor in Factor}
    return {factor: weight for factor, weight in stated.items() if weight is not None}


def _pool(pool: Pool) -> str:
    return pool.id


def _site(pool: Pool) -> str:
    return pool.site


def _provider(pool: Pool) -> str:
    return pool.provider


def _chip(pool: Pool) -> str:
    return pool.accelerator
