"""What every source in force is charged in an act's futures, by the pricing rules, whole quantities.

A thousand futures hand most leases over on the same few dates: equal handovers are billed once.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from acreage.domain.future import Future
from acreage.plan.formulate.capacity import Source
from acreage.plan.formulate.money import agreement_of_lease, agreement_of_variant, handovers_in, losses_in
from acreage.plan.play import Act, Play
from acreage.pricing.invoice import Agreement, Charge, ChargeKind, charges
from acreage.pricing.present_value import PresentValue, present_value
from acreage.units.instants import Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """What is posted on the planning day or later, its worth, and its cash (micro-USD) by period of the grid."""

    charges: tuple[Charge, ...]
    worth: PresentValue
    cash: Mapping[int, int]

    def fees_micro_usd(self, from_at: Instant, until_at: Instant) -> int:
        """Gross fees posted on [from_at, until_at], both ends included: what counts towards a commitment."""
        return sum(c.micro_usd for c in self.charges if c.kind is ChargeKind.FEE and from_at <= c.posted_at <= until_at)


Bills = Mapping[tuple[int, str], list[Bill]]
"""The bills by place of a future in its act and source (a lease or offer id): one for each start of an offer."""


@dataclass(slots=True)
class Biller:
    """Bills the sources that a play holds; what it has billed in one act it knows in the next."""

    play: Play
    _agreements: dict[int, Agreement] = field(default_factory=dict)
    _known: dict[object, Bill] = field(default_factory=dict)

    def bills(self, act: Act) -> Bills:
        """Every source's bill in every future of an act."""
        found: dict[tuple[int, str], list[Bill]] = defaultdict(list)
        for number, units in self.play.sources.items():
            source = self.play.formulation.choices.sources[number]
            for place, future in enumerate(act.futures):
                kept = {p.index: 1.0 - act.given_up.get((place, source.key, p.index), 0.0) for p in source.parts}
                found[place, source.key].append(self._bill(number, source, future, units, kept))
        return found

    def _bill(self, number: int, source: Source, future: Future, units: float, kept: Mapping[int, float]) -> Bill:
        handed, lost = handovers_in(source, future, units=units, kept=kept), losses_in(source, future)
        key = (number, handed, lost)
        if key not in self._known:
            self._known[key] = self._made(charges(self._agreement(number, source, units), handed, lost))
        return self._known[key]

    def _agreement(self, number: int, source: Source, units: float) -> Agreement:
        if number not in self._agreements:
            portfolio = self.play.formulation.portfolio
            column = self.play.formulation.choices.builder.columns[number]
            if column.variant is None:
                lease = next(lease for lease in portfolio.leases if lease.id == column.subject)
                self._agreements[number] = agreement_of_lease(lease, source)
            else:
                self._agreements[number] = agreement_of_variant(column.variant, source, portfolio.as_of_at, units)
        return self._agreements[number]

    def _made(self, posted: tuple[Charge, ...]) -> Bill:
        portfolio, edges = self.play.formulation.portfolio, self.play.formulation.scene.clock.edges
        policy = portfolio.policy
        due = tuple(c for c in posted if c.posted_at >= portfolio.as_of_at)
        cash: dict[int, int] = defaultdict(int)
        for charge in due:
            if charge.posted_at < edges[-1]:
                cash[int(np.searchsorted(edges, charge.posted_at, side="right")) - 1] += charge.micro_usd
        return Bill(
            charges=due,
            worth=present_value(
                due,
                portfolio.as_of_at,
                policy.discount_frac_per_year,
                portfolio.periods[-1].until_at,
                policy.resale_frac,
            ),
            cash=cash,
        )
