"""What happens in a run, as plain facts in the order in which it happens; the audit needs nothing else."""

from dataclasses import dataclass

from acreage.units.ids import AcceleratorName, LeaseId, LesseeName, ProviderId

Where = tuple[ProviderId, AcceleratorName]
"""A pool of the market: one cloud's accelerators of one chip."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """A cloud has so many accelerators more from this tick on."""

    tick: int
    where: Where
    accelerators: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordered:
    """A cloud orders accelerators; they are due at `due` and come at `comes`."""

    tick: int
    where: Where
    accelerators: int
    due: int
    comes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Needed:
    """What a lab needs in this tick, in reference accelerators."""

    tick: int
    lab: LesseeName
    need: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """An anchor calls accelerators of its right; what is missing from `delivered` it is short of."""

    tick: int
    where: Where
    lab: LesseeName
    right: int
    called: int
    delivered: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A firm lease over the ticks [from_tick, until_tick), at a price an accelerator-hour."""

    tick: int
    lease: LeaseId
    where: Where
    lab: LesseeName
    accelerators: int
    from_tick: int
    until_tick: int
    micro_usd: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sold:
    """Idle accelerators that go to a lab for this tick, from the cloud or (`seller`) from a lab that leases them."""

    tick: int
    where: Where
    seller: LesseeName | None
    lab: LesseeName
    accelerators: int
    micro_usd: int


Event = Delivered | Ordered | Needed | Called | Signed | Sold
