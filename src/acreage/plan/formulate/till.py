"""What sources of capacity cost, each way that they turn out: the pricing rules as curves over time.

Fees are rates over time, invoiced by the month: what an accelerator adds to any sum of invoices is a piecewise
linear function of the instant until which it is held, so a handover's worth is a difference of two of its values
(less what outages take, in the same way). The rates, the invoices and the prepayment are those of
`pricing.invoice`; only its rounding of each amount to whole micro-dollars is left out, as a solver may.
"""

from dataclasses import dataclass, field

import numpy as np

from acreage.domain.portfolio import Portfolio
from acreage.plan.formulate.capacity import Source, held_over
from acreage.plan.formulate.fates import Fates
from acreage.plan.formulate.money import Pledge
from acreage.plan.problem import Vector
from acreage.pricing.calendar import Segment
from acreage.pricing.invoice import Agreement, Statement, statement
from acreage.pricing.present_value import discount_factors, statement_value
from acreage.units.instants import SECONDS_PER_DAY
from acreage.units.money import MICRO_PER_USD


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """One unit of a source, each way (K,) that it turns out (USD).

    `given_usd` is its prepayment, whatever is delivered; `net_usd` (K, P) what each part costs beside that, less
    salvage; `drawn_usd` (K, P, M) the fees of each part that count by all milestones of the pledges.
    """

    given_usd: float
    net_usd: Vector
    drawn_usd: Vector

    @property
    def cost_usd(self) -> Vector:
        """Discounted cost less salvage (K,)."""
        return np.asarray(self.given_usd + self.net_usd.sum(axis=1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Curves:
    """What an accelerator adds to J sums by being held from the first knot on: `totals` (J, Q) at `knots` (Q,)."""

    knots: Vector
    totals: Vector

    def between(self, from_at: Vector, until_at: Vector) -> Vector:
        """What holding over [from_at, until_at) adds, both of one shape: (J, *shape); 0 where it is empty."""
        return np.asarray(self._at(np.maximum(from_at, until_at)) - self._at(from_at))

    def _at(self, at: Vector) -> Vector:
        inside = np.clip(at, self.knots[0], self.knots[-1])
        piece = np.clip(np.searchsorted(self.knots, inside, side="right") - 1, 0, len(self.knots) - 2)
        share = (inside - self.knots[piece]) / (self.knots[piece + 1] - self.knots[piece])
        return np.asarray(self.totals[:, piece] + share * (self.totals[:, piece + 1] - self.totals[:, piece]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Tariff:
    """An agreement as curves: `fees` has the sums net, plain and by each milestone; `rest` the term after an exit.

    `invoices` (I,) are the instants of posting, `factors` (I,) discount them (0: posted before the planning day).
    """

    agreement: Agreement
    given_usd: float
    fees: Curves
    rest: Curves | None
    invoices: Vector
    factors: Vector


@dataclass(slots=True)
class Till:
    """Prices sources; what was priced for the same agreement and fates is not priced again."""

    portfolio: Portfolio
    pledges: tuple[Pledge, ...]
    _tariffs: dict[int, Tariff] = field(default_factory=dict)
    _worths: dict[tuple[int, int], tuple[Fates, Worth]] = field(default_factory=dict)

    def know(self, other: "Till") -> None:
        """Take over what another till has priced; agreements and fates are told apart by identity."""
        self._tariffs.update(other._tariffs)
        self._worths.update(other._worths)

    def worth(self, agreement: Agreement, source: Source, fates: Fates) -> Worth:
        """One unit of a source, each way that it turns out."""
        key = (id(agreement), id(fates))
        if key not in self._worths:
            self._worths[key] = (fates, worth_of(self._tariff(agreement), source, fates))
        return self._worths[key][1]

    def milestones(self, pledge: Pledge) -> slice:
        """Where a pledge's milestones stand in `Worth.drawn_usd`."""
        start = sum(len(p.due_at) for p in self.pledges[: self.pledges.index(pledge)])
        return slice(start, start + len(pledge.due_at))

    def _tariff(self, agreement: Agreement) -> Tariff:
        known = self._tariffs.get(id(agreement))
        if known is None:
            known = self._tariffs[id(agreement)] = tariff_of(agreement, self.portfolio, self.pledges)
        return known


def tariff_of(agreement: Agreement, portfolio: Portfolio, pledges: tuple[Pledge, ...]) -> Tariff:
    """The curves of an agreement under a portfolio's policy."""
    policy = portfolio.policy
    nothing = statement(agreement, ())
    calendar = nothing.calendar
    worth = statement_value(
        nothing,
        portfolio.as_of_at,
        policy.discount_frac_per_year,
        portfolio.periods[-1].until_at,
        policy.resale_frac,
    )
    factors = np.array(discount_factors(calendar.posted_at, portfolio.as_of_at, policy.discount_frac_per_year))
    weights = _weights(nothing, portfolio, factors, pledges)
    return Tariff(
        agreement=agreement,
        given_usd=worth.cost_usd,
        fees=_curves(calendar.segments, weights[:, [segment.invoice for segment in calendar.segments]]),
        rest=_curves(calendar.rest, np.ones((1, len(calendar.rest)))) if calendar.rest else None,
        invoices=np.array(calendar.posted_at, dtype=float),
        factors=factors,
    )


def _weights(nothing: Statement, portfolio: Portfolio, factors: Vector, pledges: tuple[Pledge, ...]) -> Vector:
    """What a dollar of each invoice's fees (I,) adds to each sum: net cost, plain, and by every milestone.

    The prepayment is credited to each fee and what it leaves over is refunded with the last invoice, so a credit
    moves its share of a fee to that day.
    """
    prepaid = nothing.agreement.terms.prepayment_frac
    from_at = np.array(nothing.calendar.from_at)
    posted_at = np.array(nothing.calendar.posted_at)
    beyond = from_at >= portfolio.periods[-1].until_at
    net = (1.0 - prepaid) * factors + prepaid * factors[-1] - portfolio.policy.resale_frac * factors * beyond
    rows = [net, np.ones(len(factors))]
    for pledge in pledges:
        counted = posted_at >= max(portfolio.as_of_at, pledge.spend.starts_at)
        rows += [(counted & (posted_at <= due_at)).astype(float) for due_at in pledge.due_at]
    return np.array(rows)


def _curves(segments: tuple[Segment, ...], weights: Vector) -> Curves:
    """The curves of segments that follow on each other, with the weight (J, Q) of a dollar in each."""
    dollars = [segment.numerator / segment.denominator * segment.seconds / MICRO_PER_USD for segment in segments]
    knots = [segments[0].from_at, *(segment.until_at for segment in segments)]
    totals = np.cumsum(weights * np.array(dollars), axis=1)
    return Curves(knots=np.array(knots, dtype=float), totals=np.pad(totals, ((0, 0), (1, 0))))


def worth_of(tariff: Tariff, source: Source, fates: Fates) -> Worth:
    """One unit of a source under a tariff, each way that it turns out; see `pricing.invoice.statement`."""
    begins, until = held_over(source, fates)
    ends = np.broadcast_to(until[:, None], begins.shape)
    amounts = np.array([part.accelerators for part in source.parts])
    sums = tariff.fees.between(begins, ends)
    losses = fates.losses
    for j in range(losses.lost_frac.shape[1]):
        hit = np.flatnonzero(losses.lost_frac[:, j])
        from_at = np.maximum(begins[hit], losses.from_at[hit, j, None])
        lost = tariff.fees.between(from_at, np.minimum(ends[hit], losses.until_at[hit, j, None]))
        sums[:, hit] -= losses.lost_frac[hit, j, None] * lost
    sums *= amounts
    net = sums[0] - _late_credits(tariff, source, begins, ends) + _termination_fees(tariff, begins, ends) * amounts
    return Worth(given_usd=tariff.given_usd, net_usd=net, drawn_usd=np.moveaxis(sums[2:], 0, -1))


def _late_credits(tariff: Tariff, source: Source, begins: Vector, ends: Vector) -> Vector:
    """Discounts (K, P) on the fees of the days beyond grace, on the invoice of the first month."""
    share = np.array([part.late_discount_frac * max(part.accelerators, 0.0) for part in source.parts])
    if not share.any():
        return np.zeros(begins.shape)
    graced = np.array([part.due_at + part.grace_days * SECONDS_PER_DAY for part in source.parts], dtype=float)
    until = np.minimum(begins, ends)
    missed = tariff.fees.between(np.broadcast_to(graced, until.shape), until)[1]
    invoice = np.minimum(np.searchsorted(tariff.invoices, until, side="right"), len(tariff.invoices) - 1)
    return np.asarray(share * missed * tariff.factors[invoice])


def _termination_fees(tariff: Tariff, begins: Vector, ends: Vector) -> Vector:
    """The fee (K, P) of an early exit for an accelerator that is not taken back before it."""
    right = tariff.agreement.terms.termination
    if right is None or not right.fee_frac or tariff.rest is None:
        return np.zeros(begins.shape)
    left = tariff.rest.between(begins, np.full(begins.shape, tariff.rest.knots[-1]))[0]
    return np.asarray(right.fee_frac * left * (ends >= tariff.agreement.ends_at) * tariff.factors[-1])
