"""Markets as people write them: a YAML file, read with errors that say file, line and field."""

import datetime
import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from acreage.domain.accelerator import Accelerator
from acreage.domain.market_world import (
    MILLI,
    AnchorRight,
    CloudTemper,
    HeldLease,
    Level,
    MarketAnchor,
    MarketChip,
    MarketCloud,
    MarketLab,
    MarketPool,
    NeedEvent,
    World,
)
from acreage.portfolio.convert import shaped
from acreage.portfolio.desk_file import hourly_price
from acreage.portfolio.desk_shape import StepShape
from acreage.portfolio.document import At, Document, load_document
from acreage.portfolio.limits import check_limits
from acreage.portfolio.names import Names
from acreage.portfolio.quantities import date_at
from acreage.portfolio.shape import PortfolioShape
from acreage.portfolio.world_shape import (
    ChipShape,
    MarketAnchorShape,
    MarketCloudShape,
    MarketLabShape,
    RightShape,
    WorldShape,
)
from acreage.units.errors import InputError
from acreage.units.ids import AcceleratorName, LesseeName, ProviderId
from acreage.units.money import MicroUsd

_TICK_MONTHS = {"month": 1, "quarter": 3}
_IN_CHANGES = ":+/"
"""Signs that names cannot have: they divide the names of changes and of pools."""


def read_world(path: Path, *, accelerators: Mapping[AcceleratorName, Accelerator]) -> World:
    """Read a market; raises `InputError` with file, line and column for whatever is wrong."""
    document = load_document(path)
    if not isinstance(document.value, dict):
        fix = "see `acreage schema world`"
        raise InputError("a market is a mapping of fields", fix=fix, place=document.place(()))
    shape = shaped(document, (), WorldShape, check=None)
    reader = _Reader(document, shape, _names(document, shape, accelerators))
    reader.check_names()
    return reader.world()


def _names(document: Document, shape: WorldShape, accelerators: Mapping[AcceleratorName, Accelerator]) -> Names:
    whole = PortfolioShape(name=shape.name, as_of=shape.from_, grid=[], providers=[], pools=[], workloads=[])
    return Names(document=document, shape=whole, accelerators=accelerators)


@dataclass(slots=True)
class _Reader:
    document: Document
    shape: WorldShape
    names: Names

    @property
    def tick_months(self) -> int:
        return _TICK_MONTHS[self.shape.tick]

    @property
    def per_year(self) -> int:
        return 12 // self.tick_months

    def ticks(self, quarters: int) -> int:
        return quarters * 3 // self.tick_months

    def tick(self, day: datetime.date) -> int:
        """The first tick that begins on a day or later; 0 for days before the start."""
        start = self.shape.from_
        months = (day.year - start.year) * 12 + day.month - start.month + (day.day > start.day)
        return max(-(-months // self.tick_months), 0)

    def price(self, at: At, text: str) -> MicroUsd:
        return hourly_price(self.document, at, text)

    def check_names(self) -> None:
        """Names stand once, and no number is out of all proportion."""
        shape, names = self.shape, self.names
        check_limits(self.document, names)
        names.distinct("cloud", "clouds", [cloud.id for cloud in shape.clouds])
        names.distinct("lab", "labs", [lab.id for lab in shape.labs])
        for section, ids in (("clouds", [c.id for c in shape.clouds]), ("labs", [lab.id for lab in shape.labs])):
            for i, name in enumerate(ids):
                if any(sign in name for sign in _IN_CHANGES):
                    fix = "write it without " + " ".join(_IN_CHANGES)
                    names.wrong(f"{name!r} cannot be named in a change", fix, (section, i, "id"))
        chips = [(self.listed(chip.accelerator, ("chips", i)), ("chips", i)) for i, chip in enumerate(shape.chips)]
        names.distinct_across("chip", chips)

    def listed(self, name: str, at: At) -> AcceleratorName:
        return self.names.accelerator(name, (*at, "accelerator"))

    def chip(self, name: str, at: At) -> AcceleratorName:
        """A chip of this market."""
        known = {self.names.accelerator(chip.accelerator, ()): None for chip in self.shape.chips}
        found = self.names.accelerator(name, at)
        return AcceleratorName(self.names.known("chip of this market", found, list(known), at))

    def lab(self, name: str, at: At) -> LesseeName:
        return LesseeName(self.names.known("lab", name, [lab.id for lab in self.shape.labs], at))

    def cloud(self, name: str, at: At) -> ProviderId:
        return ProviderId(self.names.known("cloud", name, [cloud.id for cloud in self.shape.clouds], at))

    def world(self) -> World:
        shape = self.shape
        chips = tuple(self.market_chip(chip, ("chips", i)) for i, chip in enumerate(shape.chips))
        reference = self.chip(shape.reference, ("reference",))
        if next(chip for chip in chips if chip.name == reference).speed_milli != MILLI:
            self.names.wrong(f"the speed of the reference chip {reference} is not 1", "make it 1", ("reference",))
        clouds = tuple(self.market_cloud(cloud, chips, ("clouds", i)) for i, cloud in enumerate(shape.clouds))
        labs = tuple(self.market_lab(lab, ("labs", i)) for i, lab in enumerate(shape.labs))
        self.check_held(clouds, labs)
        return World(
            name=shape.name,
            description=shape.description,
            from_at=date_at(shape.from_),
            ticks=shape.years * self.per_year,
            tick_months=self.tick_months,
            reference=reference,
            block=shape.block_accelerators,
            venue_floor_micro_usd=self.price(("venue_floor",), shape.venue_floor),
            chips=chips,
            clouds=clouds,
            labs=labs,
            events=tuple(
                NeedEvent(at=self.tick(e.at), lab=self.lab(e.lab, ("events", i, "lab")), factor=e.need_factor)
                for i, e in enumerate(shape.events)
            ),
            seed=shape.seed,
            replications=shape.replications,
            digest=hashlib.sha256(json.dumps(self.document.value, default=str, sort_keys=True).encode()).hexdigest(),
        )

    def market_chip(self, shape: ChipShape, at: At) -> MarketChip:
        supply = shape.supply_per_quarter
        return MarketChip(
            name=self.listed(shape.accelerator, at),
            speed_milli=round(shape.speed * MILLI),
            arrives=self.tick(shape.arrives) if shape.arrives else 0,
            supply=None if supply is None else supply * self.tick_months // 3,
            supply_growth=shape.supply_growth_per_year ** (1.0 / self.per_year),
        )

    def market_cloud(self, shape: MarketCloudShape, chips: Sequence[MarketChip], at: At) -> MarketCloud:
        named = [
            (self.chip(pool.accelerator, (*at, "pools", i, "accelerator")), (*at, "pools", i))
            for i, pool in enumerate(shape.pools)
        ]
        self.names.distinct_across("pool of this cloud with", named)
        arrives = {chip.name: chip.arrives for chip in chips}
        pools = []
        for (chip, here), pool in zip(named, shape.pools, strict=True):
            builds = self.levels(pool.builds, (*here, "builds"))
            for i, build in enumerate(builds):
                if build.at < arrives[chip]:
                    fix = "build later, or let the chip arrive earlier"
                    self.names.wrong(f"{chip} has not arrived on {pool.builds[i].from_}", fix, (*here, "builds", i))
            floor, asked = (self.price((*here, name), getattr(pool, name)) for name in ("floor", "list_price"))
            if asked < floor:
                self.names.wrong("the list price is below the floor", "list at the floor or above", (*here, "floor"))
            pools.append(MarketPool(chip=chip, floor_micro_usd=floor, list_micro_usd=asked, builds=builds))
        closed = tuple(self.lab(name, (*at, "closed_to", i)) for i, name in enumerate(shape.closed_to))
        anchor = self.anchor(shape.anchor, [chip for chip, _ in named], (*at, "anchor")) if shape.anchor else None
        if anchor is not None and anchor.lab in closed:
            self.names.wrong(f"{shape.id} is closed to its own anchor", "take it out of closed_to", (*at, "closed_to"))
        temper = shape.temper
        return MarketCloud(
            id=ProviderId(shape.id),
            pools=tuple(pools),
            anchor=anchor,
            closed_to=closed,
            temper=CloudTemper(
                price_speed=temper.price_speed * self.tick_months / 3.0,
                sold_target_frac=temper.sold_target_frac,
                build_at_frac=temper.build_at_frac,
                build_frac=temper.build_frac * self.tick_months / 3.0,
                build_lead=self.ticks(temper.build_lead_quarters),
            ),
        )

    def anchor(self, shape: MarketAnchorShape, chips: list[AcceleratorName], at: At) -> MarketAnchor:
        rights = tuple(self.right(right, chips, (*at, "rights", i)) for i, right in enumerate(shape.rights))
        self.names.distinct_across("right to", [(r.chip, (*at, "rights", i)) for i, r in enumerate(rights)])
        return MarketAnchor(
            lab=self.lab(shape.lab, (*at, "lab")),
            rights=rights,
            damages_micro_usd=MicroUsd(round(shape.damages_usd_per_accelerator_hour * 1e6)),
            short_max_frac=shape.short_max_frac,
            overbooking_max_frac=shape.overbooking_max_frac,
        )

    def right(self, shape: RightShape, chips: list[AcceleratorName], at: At) -> AnchorRight:
        chip = self.chip(shape.accelerator, (*at, "accelerator"))
        self.names.known("pool of this cloud", chip, chips, (*at, "accelerator"))
        return AnchorRight(
            chip=chip,
            ramp=self.levels(shape.ramp, (*at, "ramp")),
            price_micro_usd=self.price((*at, "price"), shape.price),
            take_or_pay_milli=round(shape.take_or_pay_frac * MILLI),
        )

    def levels(self, steps: Sequence[StepShape], at: At) -> tuple[Level, ...]:
        for i in range(1, len(steps)):
            self.names.in_order(steps[i - 1].from_, steps[i].from_, "step", "the one before,", (*at, i, "from"))
        return tuple(Level(at=self.tick(step.from_), accelerators=step.accelerators) for step in steps)

    def market_lab(self, shape: MarketLabShape, at: At) -> MarketLab:
        return MarketLab(
            name=LesseeName(shape.id),
            need=shape.need_accelerators,
            growth=shape.growth_per_year ** (1.0 / self.per_year),
            volatility=shape.volatility_per_year / math.sqrt(self.per_year),
            value_micro_usd=self.price((*at, "worth"), shape.worth),
            chips=tuple(self.chip(chip, (*at, "chips", i)) for i, chip in enumerate(shape.chips)),
            vendors=tuple(self.cloud(vendor, (*at, "vendors", i)) for i, vendor in enumerate(shape.vendors)),
            supplier_max_frac=shape.supplier_share_max_frac,
            cover_frac=shape.temper.cover_frac,
            term=self.ticks(shape.temper.term_quarters),
            resells=shape.resells,
            leases=tuple(
                HeldLease(
                    cloud=self.cloud(held.cloud, (*at, "leases", i, "cloud")),
                    chip=self.chip(held.accelerator, (*at, "leases", i, "accelerator")),
                    accelerators=held.accelerators,
                    until=self.tick(held.until),
                    price_micro_usd=self.price((*at, "leases", i, "price"), held.price),
                )
                for i, held in enumerate(shape.leases)
            ),
        )

    def check_held(self, clouds: Sequence[MarketCloud], labs: Sequence[MarketLab]) -> None:
        """What runs from the start is there at the start."""
        left = {
            (cloud.id, pool.chip): sum(build.accelerators for build in pool.builds if build.at == 0)
            for cloud in clouds
            for pool in cloud.pools
        }
        for i, lab in enumerate(labs):
            for j, held in enumerate(lab.leases):
                at, pool = ("labs", i, "leases", j), (held.cloud, held.chip)
                if pool not in left:
                    self.names.wrong(f"{held.cloud} has no {held.chip}", "name another chip", (*at, "accelerator"))
                if held.until == 0:
                    self.names.wrong("the lease is over at the start", "leave it out", (*at, "until"))
                left[pool] -= held.accelerators
                if left[pool] < 0:
                    what = f"{held.cloud} has {-left[pool]:,} {held.chip} fewer than are leased at the start"
                    self.names.wrong(what, "build more there, or lease less", (*at, "accelerators"))
