"""Runs keep what must hold in every market: conservation, determinism, promises, and no waste where all is open."""

from collections import Counter
from dataclasses import replace

from hypothesis import HealthCheck, given, settings

from acreage.domain.market_world import MILLI, World
from acreage.sim.audit import audited, short_milli
from acreage.sim.books import Books
from acreage.sim.changes import changed
from acreage.sim.kernel import Run, run
from tests.sim.worlds import NEW, OLD, anchored, any_worlds, cloud, lab, open_worlds, pool, small, world

SOME = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def played(made: World, seed: int = 3, replication: int = 0) -> tuple[Run, Books]:
    """A run with its audited books."""
    done = run(made, seed, replication)
    return done, audited(made, done)


def capacity_milli(made: World, books: Books, tick: int) -> int:
    """All compute of a tick, in thousandths of a reference accelerator."""
    speed = {chip.name: chip.speed_milli for chip in made.chips}
    return sum(n * speed[where[1]] for (at, where), n in books.capacity.items() if at == tick)


def total_short(made: World, books: Books, tick: int) -> int:
    """What all labs together are short of."""
    return sum(short_milli(books, tick, one.name) for one in made.labs)


@SOME
@given(any_worlds())
def test_every_market_passes_its_audit(made: World) -> None:
    """Accelerators, promises and money add up in markets of all kinds; the audit raises where they do not."""
    done, books = played(made)
    assert sum(done.balances.values()) == 0
    assert all(books.capacity[slot] >= taken for slot, taken in books.taken(made).items())


def test_the_same_seed_gives_the_same_run() -> None:
    """A run depends on the world, the seed and the replication, and on nothing else."""
    assert run(small(), 5, 1) == run(small(), 5, 1)
    assert run(small(), 5, 1) != run(small(), 5, 2)
    assert run(small(), 5, 1) != run(small(), 6, 1)


@SOME
@given(open_worlds())
def test_nobody_is_short_while_compute_is_idle_where_all_deal_with_all(made: World) -> None:
    """All that is short in a tick is need beyond capacity, but for parts of accelerators in each purchase."""
    _, books = played(made)
    parts = 5 * MILLI * len(made.labs) * (2 * len(made.clouds) + len(made.labs))
    for tick in range(made.ticks):
        need = MILLI * sum(books.need[tick, one.name] for one in made.labs)
        missing = max(need - capacity_milli(made, books, tick), 0)
        assert missing <= total_short(made, books, tick) <= missing + parts


@SOME
@given(open_worlds())
def test_a_late_chip_leaves_no_less_need_unmet_where_nobody_builds_more(made: World) -> None:
    """With capacity that is given and all deals open, lateness only takes compute away, tick by tick."""
    _, books = played(made)
    _, later = played(changed(made, "late-chip:GB300:1").world)
    parts = 5 * MILLI * len(made.labs) * (2 * len(made.clouds) + len(made.labs))
    for tick in range(made.ticks):
        assert total_short(made, later, tick) >= total_short(made, books, tick) - parts


@SOME
@given(any_worlds())
def test_an_anchor_is_never_short_of_a_right_that_is_there_and_not_overbooked(made: World) -> None:
    """Without overbooking a desk leases to others what lies beyond the anchor's whole right."""
    clouds = tuple(
        one if one.anchor is None else replace(one, anchor=replace(one.anchor, overbooking_max_frac=0.0))
        for one in made.clouds
    )
    _, books = played(replace(made, clouds=clouds))
    for call in books.calls:
        if call.right <= books.capacity[call.tick, call.where]:
            assert call.delivered == call.called


def test_no_more_is_leased_with_one_cloud_than_the_cap_allows() -> None:
    """A lab that takes at most half from one supplier has two."""
    labs = (lab("aspen", 800, supplier_max_frac=0.5, growth=1.0, volatility=0.0, resells=False),)
    made = world((cloud("north", pool(OLD, (0, 2_000))), cloud("south", pool(OLD, (0, 2_000), asked="3.00"))), labs)
    _, books = played(made)
    by_cloud = Counter[str]()
    for (tick, _, where), accelerators in books.leased.items():
        if tick == 2:
            by_cloud[where[0]] += accelerators
    assert by_cloud == {"north": 400, "south": 400}


def test_leases_that_run_from_the_start_are_charged_from_the_start_to_their_end() -> None:
    """300 accelerators at 1.80 USD over two quarters of 2,190 hours."""
    made = small()
    birch = made.labs[1]
    held = replace(made, labs=(replace(birch, need=300, growth=1.0, volatility=0.0),), clouds=(made.clouds[1],))
    _, books = played(replace(held, ticks=2))
    paid = sum(-n for (tick, name), n in books.paid.items() if name == "lab birch" and tick < 2)
    assert paid == 2 * 300 * 2_190 * 1_800_000


def test_who_is_failed_pays_for_what_it_got_and_is_paid_damages() -> None:
    """An anchor whose right is beyond what its cloud has is short; the cloud pays for each hour."""
    made = world(
        (cloud("north", pool(OLD, (0, 600)), anchor=anchored("aspen", 1_000)),),
        (lab("aspen", 900, growth=1.0, volatility=0.0, cover_frac=0.1),),
        ticks=1,
    )
    _, books = played(made)
    assert [(call.called, call.delivered) for call in books.calls] == [(900, 600)]
    assert books.balances()["lab aspen"] == 2_190 * (300 * 10_000_000 - 600 * 1_500_000)


def test_idle_hours_go_to_those_who_value_them_most_at_the_best_bid_that_lost() -> None:
    """300 idle accelerators, 200 wanted at 4 USD and 200 at 3 USD: both get some, and all pay 3."""
    labs = (
        lab("aspen", 200, growth=1.0, volatility=0.0),
        lab("birch", 200, growth=1.0, volatility=0.0, value_micro_usd=3_000_000),
    )
    _, books = played(world((cloud("north", pool(OLD, (0, 300))),), labs, ticks=1))
    assert {(sale.lab, sale.accelerators, sale.micro_usd) for sale in books.sales} == {
        ("aspen", 200, 3_000_000),
        ("birch", 100, 3_000_000),
    }


def test_a_maker_shares_out_what_it_can_deliver_and_nothing_comes_before_the_chip() -> None:
    """Orders of one tick never exceed the supply of the tick in which they come."""
    eager = replace(cloud("x").temper, build_at_frac=0.5, build_frac=0.5, build_lead=2)
    clouds = tuple(
        cloud(name, pool(OLD, (0, 900)), pool(NEW, floor="2.50", asked="4.50"), temper=eager) for name in ("a", "b")
    )
    made = world(clouds, (lab("aspen", 3_000, term=1), lab("birch", 2_000, term=1)), ticks=8)
    old, new = made.chips
    made = replace(made, chips=(old, replace(new, arrives=4, supply=50, late=1)))
    _, books = played(made)
    came = Counter[int]()
    for tick in range(1, made.ticks):
        for where in {where for _, where in books.capacity if where[1] == NEW}:
            came[tick] += books.capacity[tick, where] - books.capacity[tick - 1, where]
    assert all(came[tick] == 0 for tick in range(5))
    assert 0 < came[5] <= 50
    assert max(came.values()) <= 50
