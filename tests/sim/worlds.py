"""Small made-up markets that the tests start from."""

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from acreage.domain.market_world import (
    AnchorRight,
    CloudTemper,
    HeldLease,
    Level,
    MarketAnchor,
    MarketChip,
    MarketCloud,
    MarketLab,
    MarketPool,
    World,
)
from acreage.units.ids import AcceleratorName, LesseeName, ProviderId
from acreage.units.instants import instant
from acreage.units.money import micro_usd

OLD, NEW = AcceleratorName("H100"), AcceleratorName("GB300")
CALM = CloudTemper(price_speed=0.3, sold_target_frac=0.9, build_at_frac=1.0, build_frac=0.0, build_lead=2)


def pool(chip: AcceleratorName, *builds: tuple[int, int], floor: str = "1.00", asked: str = "2.00") -> MarketPool:
    """A pool with builds of (tick, accelerators)."""
    return MarketPool(
        chip=chip,
        floor_micro_usd=micro_usd(floor),
        list_micro_usd=micro_usd(asked),
        builds=tuple(Level(at=at, accelerators=n) for at, n in builds),
    )


def cloud(name: str, *pools: MarketPool, **changes: Any) -> MarketCloud:
    """A cloud without an anchor that builds no more than announced."""
    made = MarketCloud(id=ProviderId(name), pools=pools, anchor=None, closed_to=(), temper=CALM)
    return replace(made, **changes)


def anchored(lab: str, right: int, *, overbooking: float = 0.0, chip: AcceleratorName = OLD) -> MarketAnchor:
    """A right to so many from the start, half of it take or pay."""
    return MarketAnchor(
        lab=LesseeName(lab),
        rights=(
            AnchorRight(
                chip=chip,
                ramp=(Level(at=0, accelerators=right),),
                price_micro_usd=micro_usd("1.50"),
                take_or_pay_milli=500,
            ),
        ),
        damages_micro_usd=micro_usd("10"),
        short_max_frac=0.05,
        overbooking_max_frac=overbooking,
    )


def lab(name: str, need: int, **changes: Any) -> MarketLab:
    """A lab that deals with everybody and resells."""
    made = MarketLab(
        name=LesseeName(name),
        need=need,
        growth=1.1,
        volatility=0.15,
        value_micro_usd=micro_usd("4.00"),
        chips=(OLD, NEW),
        vendors=(),
        supplier_max_frac=1.0,
        cover_frac=1.0,
        term=3,
        resells=True,
        leases=(),
    )
    return replace(made, **changes)


def world(clouds: tuple[MarketCloud, ...], labs: tuple[MarketLab, ...], **changes: Any) -> World:
    """Six quarters of some clouds and labs; the new chip comes in the third."""
    made = World(
        name="small",
        description="",
        from_at=instant("2027-01-01"),
        ticks=6,
        tick_months=3,
        reference=OLD,
        block=16,
        venue_floor_micro_usd=micro_usd("0.50"),
        chips=(
            MarketChip(name=OLD, speed_milli=1_000, arrives=0),
            MarketChip(name=NEW, speed_milli=2_500, arrives=2),
        ),
        clouds=clouds,
        labs=labs,
        events=(),
        seed=1,
        replications=2,
        digest="small",
    )
    return replace(made, **changes)


def held(cloud_name: str, accelerators: int, until: int) -> HeldLease:
    """A lease of the old chip that runs from the start."""
    return HeldLease(
        cloud=ProviderId(cloud_name),
        chip=OLD,
        accelerators=accelerators,
        until=until,
        price_micro_usd=micro_usd("1.80"),
    )


def small() -> World:
    """Two clouds, one of them anchored and closed to a rival, and three labs."""
    return world(
        (
            cloud(
                "north",
                pool(OLD, (0, 2_000)),
                pool(NEW, (2, 300), (4, 300), floor="2.50", asked="4.50"),
                anchor=anchored("aspen", 1_200, overbooking=0.3),
                closed_to=(LesseeName("birch"),),
            ),
            cloud("south", pool(OLD, (0, 900)), pool(NEW, (3, 200), floor="2.20", asked="4.00")),
        ),
        (
            lab("aspen", 1_000),
            lab("birch", 700, supplier_max_frac=0.6, leases=(held("south", 300, 2),)),
            lab("cedar", 400, value_micro_usd=micro_usd("2.50"), chips=(OLD,), resells=False),
        ),
    )


def open_worlds() -> st.SearchStrategy[World]:
    """Markets in which everybody deals with everybody, on all chips, and all that is idle is for sale."""

    def made(stocks: list[tuple[int, int]], needs: list[tuple[int, int]]) -> World:
        clouds = tuple(
            cloud(f"cloud{i}", pool(OLD, (0, old)), pool(NEW, (2, new), floor="2.50", asked="4.50"))
            for i, (old, new) in enumerate(stocks)
        )
        labs = tuple(lab(f"lab{i}", need, term=term) for i, (need, term) in enumerate(needs))
        return world(clouds, labs)

    stock = st.tuples(st.integers(50, 3_000), st.integers(1, 800))
    need = st.tuples(st.integers(1, 3_000), st.integers(1, 4))
    return st.builds(made, st.lists(stock, min_size=1, max_size=3), st.lists(need, min_size=1, max_size=3))


def any_worlds() -> st.SearchStrategy[World]:
    """Markets of all kinds: anchors, closed clouds, vendors, caps, builds, months."""
    names = ("aspen", "birch", "cedar")

    @st.composite
    def made(draw: st.DrawFn) -> World:
        labs = tuple(
            lab(
                name,
                draw(st.integers(1, 2_000)),
                growth=draw(st.floats(0.7, 1.6)),
                volatility=draw(st.floats(0.0, 0.6)),
                value_micro_usd=micro_usd(str(draw(st.sampled_from(("0.40", "1.10", "2.30", "6.00"))))),
                chips=draw(st.sampled_from(((OLD,), (NEW,), (OLD, NEW)))),
                vendors=draw(st.sampled_from(((), (ProviderId("north"),), (ProviderId("south"),)))),
                supplier_max_frac=draw(st.sampled_from((0.3, 0.6, 1.0))),
                cover_frac=draw(st.sampled_from((0.5, 1.0, 1.4))),
                term=draw(st.integers(1, 4)),
                resells=draw(st.booleans()),
            )
            for name in names
        )
        builds = replace(CALM, build_at_frac=0.7, build_frac=draw(st.sampled_from((0.0, 0.3))))
        clouds = []
        for name in ("north", "south"):
            anchor = anchored(
                draw(st.sampled_from(names)), draw(st.integers(0, 1_500)), overbooking=draw(st.floats(0.0, 1.0))
            )
            closed = tuple(LesseeName(n) for n in draw(st.sets(st.sampled_from(names), max_size=1)) if n != anchor.lab)
            clouds.append(
                cloud(
                    name,
                    pool(OLD, (0, draw(st.integers(0, 2_000)))),
                    pool(NEW, (2, draw(st.integers(1, 500))), floor="2.50", asked="4.50"),
                    anchor=draw(st.sampled_from((None, anchor))),
                    closed_to=closed,
                    temper=builds,
                )
            )
        late = draw(st.integers(0, 2))
        chips = (
            MarketChip(name=OLD, speed_milli=1_000, arrives=0),
            MarketChip(name=NEW, speed_milli=2_500, arrives=2, supply=300, supply_growth=1.1, late=late),
        )
        return world(tuple(clouds), labs, chips=chips, tick_months=draw(st.sampled_from((1, 3))))

    return made()
