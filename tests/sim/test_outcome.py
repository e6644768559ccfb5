"""Changes and outcomes: common draws, paired differences, intervals, errors."""

import json
import math
from dataclasses import replace

import pytest

from acreage.domain.market_outcome import Measure
from acreage.sim.changes import changed
from acreage.sim.draws import drawn
from acreage.sim.market import document_text
from acreage.sim.measures import hhi
from acreage.sim.outcome import interval, simulate
from acreage.units.errors import InputError
from tests.sim.worlds import OLD, cloud, lab, pool, small, world

CHANGES = ("multi-vendor:cedar", "open-spare:north", "late-chip:GB300:1", "open-spare:north+late-chip:GB300:2")


def quiet(done: int, total: int) -> None:
    """Nobody is told."""


def test_the_same_seed_gives_the_same_bytes() -> None:
    """The document of an outcome is equal to the byte, changes and series included."""
    texts = {document_text(simulate(small(), CHANGES, 4, 2, quiet)) for _ in range(2)}
    assert len(texts) == 1
    found = json.loads(texts.pop())
    assert [change["name"] for change in found["changes"]] == list(CHANGES)
    assert found["audited"] == 10


def test_a_change_that_changes_nothing_differs_by_nothing() -> None:
    """On common draws a world with a lateness that is never felt is the same world, so that intervals are of zero."""
    made = small()
    old, new = made.chips
    never = replace(
        made,
        chips=(old, replace(new, arrives=40)),
        clouds=tuple(replace(one, pools=one.pools[:1]) for one in made.clouds),
    )
    found = simulate(never, ("late-chip:GB300:3",), 1, 3, quiet)
    assert {(e.difference.mean, e.difference.low, e.difference.high) for e in found.changes[0].effects} == {(0, 0, 0)}


def test_draws_of_a_lab_do_not_depend_on_the_others() -> None:
    """A lab more in the world leaves the needs of those that were there."""
    made = small()
    more = replace(made, labs=(*made.labs, lab("dogwood", 10)))
    before, after = drawn(made, 1, 0), drawn(more, 1, 0)
    assert all(after.need[one.name] == before.need[one.name] for one in made.labs)


def test_needs_grow_as_stated_on_average() -> None:
    """The mean of many paths after five ticks is the start times the growth to the fifth."""
    made = world((cloud("north", pool(OLD, (0, 1))),), (lab("aspen", 10_000, growth=1.1, volatility=0.2),))
    ends = [drawn(made, 1, replication).need["aspen"][5] for replication in range(2_000)]  # type: ignore[index]
    spread = 10_000 * 1.1**5 * math.sqrt(math.exp(5 * 0.04) - 1.0) / math.sqrt(2_000)
    assert abs(sum(ends) / 2_000 - 10_000 * 1.1**5) < 4 * spread


def test_opening_lets_the_rival_in() -> None:
    """Before it, birch has nothing of north; after it, it may lease there."""
    made = small()
    opened = changed(made, "open-spare:north")
    assert opened.world.clouds[0].closed_to == ()
    assert "birch" in opened.words
    found = simulate(made, ("open-spare:north",), 1, 3, quiet)
    suppliers = [e for e in found.changes[0].effects if e.measure is Measure.LAB_SUPPLIER_HHI and e.subject == "birch"]
    assert suppliers[0].base.mean == 1.0
    assert suppliers[0].changed.mean < 1.0


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("faster:birch", "unknown change"),
        ("multi-vendor:oak", "unknown lab 'oak'"),
        ("open-spare:west", "unknown cloud 'west'"),
        ("open-spare:south", "leases to everybody already"),
        ("late-chip:GB300", "does not say how late"),
        ("late-chip:GB300:0", "does not say how late"),
        ("late-chip:B200:2", "unknown chip 'B200'"),
        ("late-chip:H100:2", "there from the start"),
        ("multi-vendor:cedar+", "unknown change"),
    ],
)
def test_a_change_that_makes_no_sense_says_why(text: str, what: str) -> None:
    """Each mistake has its own words and a fix."""
    with pytest.raises(InputError, match=what) as caught:
        changed(small(), text)
    assert caught.value.fix


def test_intervals_are_of_student() -> None:
    """Of 1, 2, 3 the mean is 2 and half the interval t(0.975; 2) / sqrt(3) = 4.3027 / 1.7321; of one value none."""
    found = interval([1.0, 2.0, 3.0])
    assert found.high is not None
    assert found.high - found.mean == pytest.approx(4.302653 / math.sqrt(3.0), rel=1e-6)
    assert interval([1.0]).low is None


def test_concentration_is_that_of_hirschman() -> None:
    """One supplier is 1, four equal ones a quarter, none 0."""
    assert hhi([5.0]) == 1.0
    assert hhi([2.0] * 4) == pytest.approx(0.25)
    assert hhi([]) == 0.0


def test_measures_of_a_market_are_within_their_bounds() -> None:
    """Shares lie between 0 and 1 and what labs pay is what clouds earn."""
    found = simulate(small(), (), 2, 2, quiet)
    money = {Measure.SPEND: 0.0, Measure.REVENUE: 0.0}
    for measure, _, value in found.base:
        if measure in money:
            money[measure] += value.mean
        elif measure not in (Measure.PRICE, Measure.CHIP_PRICE, Measure.VENUE_PRICE):
            assert 0.0 <= value.mean <= 1.0, measure
    assert money[Measure.SPEND] == pytest.approx(money[Measure.REVENUE])
