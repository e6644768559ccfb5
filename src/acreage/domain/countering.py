"""What to answer a vendor: where each offer stands in the plan, what would bring it in, and who is pivotal."""

from dataclasses import dataclass

from acreage.domain.plan import OfferVerdict, Range
from acreage.units.ids import OfferId, ProviderId


@dataclass(frozen=True, slots=True, kw_only=True)
class TriedChange:
    """One change of an offer's terms, tried in the plan.

    `gain_usd` is what the best plan costs less then, None where no plan can have the offer; it enters if that is
    not negative. `forgone_usd` are the payments that the vendor forgoes by it.
    """

    words: str
    gain_usd: Range | None
    forgone_usd: float

    @property
    def enters(self) -> bool:
        """Whether the best plan found has the offer then."""
        return self.gain_usd is not None and self.gain_usd.found >= 0.0

    @property
    def verdict(self) -> str:
        """yes, no, or unclear where the gap of the plans leaves it open."""
        if self.enters:
            return "yes"
        return "unclear" if self.gain_usd is not None and self.gain_usd.high >= 0.0 else "no"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standpoint:
    """Our standpoint on one offer: the verdict of the plan, and the changes tried if the plan does without it."""

    offer: OfferId
    provider: ProviderId
    verdict: OfferVerdict
    changes: tuple[TriedChange, ...]

    @property
    def cheapest(self) -> TriedChange | None:
        """The change that brings it in for the least that the vendor forgoes; None: it is in, or nothing does."""
        able = [change for change in self.changes if change.enters]
        return min(able, key=lambda c: (c.forgone_usd, -(c.gain_usd.found if c.gain_usd else 0.0)), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pivot:
    """What the best plan costs more without all offers of a vendor; None where no plan keeps every rule then.

    A vendor is pivotal if that is more than the plan's gap.
    """

    provider: ProviderId
    extra_usd: Range | None
    pivotal: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Countering:
    """Where everybody stands; figures are differences of best plans of `objective_usd`, known to `gap_frac`."""

    standpoints: tuple[Standpoint, ...]
    pivots: tuple[Pivot, ...]
    objective_usd: float
    gap_frac: float
