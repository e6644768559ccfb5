"""A made-up market: chips, the clouds that lease them out and the labs that need them, over years of ticks.

Time is a whole number of ticks since the start, each of `tick_months` months. Compute is counted in thousandths of
an accelerator of the reference chip, so that every balance is exact.
"""

from dataclasses import dataclass

from acreage.units.ids import AcceleratorName, LesseeName, ProviderId
from acreage.units.instants import Instant
from acreage.units.money import MicroUsd

HOURS_PER_MONTH = 730
"""8,760 hours over 12 months: ticks are equally long, whatever the calendar says."""

MILLI = 1_000
"""Thousandths of a reference accelerator in one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketChip:
    """A chip that is worth `speed_milli` thousandths of the reference chip to every lab that has ported to it.

    Its maker delivers from `arrives` on, at most `supply` accelerators a tick (None: no limit) for what clouds
    order beyond their announced builds, growing by `supply_growth` a tick. It is late by `late` ticks, which
    nobody knows before the tick in which the first should have been on its way.
    """

    name: AcceleratorName
    speed_milli: int
    arrives: int
    supply: int | None = None
    supply_growth: float = 1.0
    late: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """From tick `at` on: a build of so many more accelerators, or a right to so many in all."""

    at: int
    accelerators: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketPool:
    """What a cloud has of one chip; it leases for no less than the floor and asks its list price at first."""

    chip: AcceleratorName
    floor_micro_usd: MicroUsd
    list_micro_usd: MicroUsd
    builds: tuple[Level, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchorRight:
    """What a cloud's anchor may call of one chip at a fixed price; it pays for `take_or_pay_milli` of it anyway."""

    chip: AcceleratorName
    ramp: tuple[Level, ...]
    price_micro_usd: MicroUsd
    take_or_pay_milli: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketAnchor:
    """The lab that a cloud protects, and how well: as in the rules of a desk."""

    lab: LesseeName
    rights: tuple[AnchorRight, ...]
    damages_micro_usd: MicroUsd
    short_max_frac: float
    overbooking_max_frac: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudTemper:
    """How a cloud moves: list prices by `price_speed` times the distance of what is sold from the target, a tick.

    Where at least `build_at_frac` of everything is sold it orders `build_frac` as much again of its newest chip,
    to be delivered `build_lead` ticks later.
    """

    price_speed: float
    sold_target_frac: float
    build_at_frac: float
    build_frac: float
    build_lead: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketCloud:
    """A lessor: at most one pool a chip, perhaps an anchor, and labs it leases nothing to (`closed_to`)."""

    id: ProviderId
    pools: tuple[MarketPool, ...]
    anchor: MarketAnchor | None
    closed_to: tuple[LesseeName, ...]
    temper: CloudTemper

    def pool(self, chip: AcceleratorName) -> MarketPool | None:
        """What it has of a chip, or will have."""
        return next((pool for pool in self.pools if pool.chip == chip), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldLease:
    """A lease that runs when the story begins, until before tick `until`."""

    cloud: ProviderId
    chip: AcceleratorName
    accelerators: int
    until: int
    price_micro_usd: MicroUsd


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketLab:
    """A lessee: how much it needs, how that grows and varies, whom it deals with, and how it buys.

    `need` reference accelerators at the start grow by `growth` a tick on average, with a standard deviation of
    the logarithm of `volatility` a tick. A reference accelerator-hour is worth `value_micro_usd` to it, its
    walk-away price. It leases for `term` ticks, up to `cover_frac` of what it expects to need, and no more than
    `supplier_max_frac` of that with one cloud. `vendors` empty: it deals with all. `resells`: it lets go for a tick
    what it does not use.
    """

    name: LesseeName
    need: int
    growth: float
    volatility: float
    value_micro_usd: MicroUsd
    chips: tuple[AcceleratorName, ...]
    vendors: tuple[ProviderId, ...]
    supplier_max_frac: float
    cover_frac: float
    term: int
    resells: bool
    leases: tuple[HeldLease, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NeedEvent:
    """From tick `at` on, a lab needs `factor` times what it would."""

    at: int
    lab: LesseeName
    factor: float


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Everything a run depends on besides its seed; `block` reference accelerators are the least a lab asks for.

    The venue, where idle accelerators go for one tick, sells no reference accelerator-hour below its floor.
    """

    name: str
    description: str
    from_at: Instant
    ticks: int
    tick_months: int
    reference: AcceleratorName
    block: int
    venue_floor_micro_usd: MicroUsd
    chips: tuple[MarketChip, ...]
    clouds: tuple[MarketCloud, ...]
    labs: tuple[MarketLab, ...]
    events: tuple[NeedEvent, ...]
    seed: int
    replications: int
    digest: str

    @property
    def hours(self) -> int:
        """Hours of a tick."""
        return HOURS_PER_MONTH * self.tick_months

    @property
    def ticks_per_year(self) -> int:
        """Ticks of a year."""
        return 12 // self.tick_months

    def chip(self, name: AcceleratorName) -> MarketChip:
        """A chip by its name."""
        return next(chip for chip in self.chips if chip.name == name)

    def cloud(self, id_: ProviderId) -> MarketCloud:
        """A cloud by its id."""
        return next(cloud for cloud in self.clouds if cloud.id == id_)


def may_lease(lab: MarketLab, cloud: MarketCloud, chip: AcceleratorName) -> bool:
    """Whether a lab and a cloud deal with each other over a chip: ported, among its vendors, not shut out."""
    return chip in lab.chips and (not lab.vendors or cloud.id in lab.vendors) and lab.name not in cloud.closed_to
