"""Recall rights against the closed form, and against following every unit of demand without foresight."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acreage.desk.protection.discrete_laws import DiscreteLaw
from acreage.desk.protection.laws import Law, NormalLaw, PoissonLaw
from acreage.desk.protection.nested import optimal_plan
from acreage.desk.protection.recall import Coming, recall_table, recallable_protection, split_by_notice
from acreage.desk.protection.rules import littlewood
from acreage.desk.protection.tiers import Tier
from acreage.units.errors import InputError

DEAR = Tier(fare_usd=100.0, law=PoissonLaw(mean=12.0))


def _followed(coming: Coming, recall_usd: float, free: int, recallable: int) -> float:
    """The best value when it is not known whether another unit of the tier will come: every answer is tried."""
    stages = [*((tier, False) for tier in coming.late), None, *((tier, True) for tier in coming.in_time)]

    @cache
    def value(stage: int, seen: int, x: int, k: int) -> float:
        if stage < 0:
            return 0.0
        at = stages[stage]
        if at is None:
            return max(value(stage - 1, 0, x + i, k - i) - i * recall_usd for i in range(k + 1))
        tier, in_time = at
        reached = float(tier.law.survival(seen - 1.0))
        another = float(tier.law.survival(float(seen))) / reached if reached > 0.0 else 0.0
        total = (1.0 - another) * value(stage - 1, 0, x, k)
        if another > 0.0:
            answers = [value(stage, seen + 1, x, k)]
            if x:
                answers.append(tier.fare_usd + value(stage, seen + 1, x - 1, k))
            if k and in_time:
                answers.append(tier.fare_usd - recall_usd + value(stage, seen + 1, x, k - 1))
            total += another * max(answers)
        return total

    return value(len(stages) - 1, 0, free, recallable)


tiny = (
    st.lists(st.integers(0, 5), min_size=2, max_size=4)
    .filter(any)
    .map(lambda weights: DiscreteLaw(probabilities=np.array(weights) / sum(weights)))
)


@settings(max_examples=60, deadline=None)
@given(
    laws=st.tuples(tiny, tiny, tiny, tiny),
    fares=st.lists(st.integers(1, 20), min_size=4, max_size=4),
    recall=st.integers(0, 20),
)
def test_the_table_equals_following_every_unit(laws: tuple[Law, ...], fares: list[int], recall: int) -> None:
    """Two tiers before the cut and two after it: foresight of a tier's demand is worth nothing."""
    first, last = sorted(fares[:2], reverse=True), sorted(fares[2:], reverse=True)
    coming = Coming(
        in_time=tuple(Tier(fare_usd=float(f), law=law) for f, law in zip(first, laws[:2], strict=True)),
        late=tuple(Tier(fare_usd=float(f), law=law) for f, law in zip(last, laws[2:], strict=True)),
    )
    table = recall_table(coming, float(recall), 3, 3)
    for free in range(4):
        for recallable in range(4):
            followed = _followed(coming, float(recall), free, recallable)
            assert table.value_usd[free, recallable] == pytest.approx(followed, abs=1e-9)


def test_the_right_of_one_tier_has_a_closed_form() -> None:
    """(p - r) E min((D - x)+, k), Gallego, Kou and Phillips (2008)."""
    table = recall_table(Coming(in_time=(DEAR,)), 70.0, 20, 8)
    for free in (0, 5, 12, 20):
        for recallable in (1, 4, 8):
            sold = float(DEAR.law.expected_min(free + recallable) - DEAR.law.expected_min(free))
            assert table.right_usd(free, recallable) == pytest.approx(30.0 * sold, abs=1e-9)
            assert table.fair_discount_usd(free, recallable) == pytest.approx(30.0 * sold / recallable, abs=1e-9)


def test_too_late_for_a_recall_it_must_be_made_ahead() -> None:
    """Then the right is worth the best of i units recalled before the demand is known."""
    table = recall_table(Coming(in_time=(), late=(DEAR,)), 30.0, 10, 6)
    sold = [100.0 * float(DEAR.law.expected_min(10 + i)) - 30.0 * i for i in range(7)]
    assert table.value_usd[10, 6] == pytest.approx(max(sold))
    assert table.right_usd(10, 6) < recall_table(Coming(in_time=(DEAR,)), 30.0, 10, 6).right_usd(10, 6)


def test_the_right_is_worth_less_the_dearer_the_recall_and_the_longer_the_notice() -> None:
    """Nothing at a recall price no fare exceeds; without recallable units the nested program's value."""
    tiers = (DEAR, Tier(fare_usd=60.0, law=PoissonLaw(mean=15.0)))
    rights = [recall_table(Coming(in_time=tiers), price, 15, 5).right_usd(15, 5) for price in (0.0, 30.0, 70.0, 100.0)]
    assert rights == sorted(rights, reverse=True)
    assert rights[-1] == pytest.approx(0.0, abs=1e-9)
    notices = [
        recall_table(split_by_notice((DEAR,), (share,)), 30.0, 10, 5).right_usd(10, 5) for share in (1.0, 0.6, 0.3, 0.0)
    ]
    assert notices == sorted(notices, reverse=True)
    table = recall_table(Coming(in_time=tiers), 30.0, 15, 5)
    assert table.value_usd[:, 0] == pytest.approx(optimal_plan(tiers, 15).value_usd[-1], rel=1e-12)


def test_indifference_is_what_it_says() -> None:
    """k firm leases now at a fare, or k recallable ones at the fare less the discount: the same revenue."""
    table = recall_table(Coming(in_time=(DEAR,)), 70.0, 15, 5)
    firm = 5 * 50.0 + table.value_usd[10, 0]
    recallable = 5 * (50.0 - table.fair_discount_usd(10, 5)) + table.value_usd[10, 5]
    assert recallable == pytest.approx(firm)


def test_protection_against_recallable_leases_is_the_best_by_enumeration() -> None:
    """Sell cheap units up to the limit, all callable: no other limit earns more in expectation."""
    units, cheap = 30, 40.0
    for recall in (20.0, 55.0, 90.0, 100.0):
        level = int(recallable_protection(DEAR, cheap, recall))
        earned = []
        for kept in range(units + 1):
            table = recall_table(Coming(in_time=(DEAR,)), recall, kept, units - kept)
            earned.append(cheap * (units - kept) + table.value_usd[kept, units - kept])
        assert earned[level] == pytest.approx(max(earned), abs=1e-9)
    assert recallable_protection(DEAR, cheap, 100.0) == littlewood(DEAR, cheap)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Coming(in_time=()),
        lambda: Coming(in_time=(Tier(fare_usd=1.0, law=DEAR.law), DEAR)),
        lambda: recall_table(Coming(in_time=(DEAR,)), -1.0, 1, 1),
        lambda: recall_table(Coming(in_time=(DEAR,)), 1.0, 1, 1).fair_discount_usd(1, 0),
        lambda: split_by_notice([DEAR], [1.5]),
        lambda: split_by_notice([Tier(fare_usd=1.0, law=NormalLaw(mean=1.0, sd=1.0))], [0.5]),
        lambda: recallable_protection(DEAR, 40.0, 101.0),
    ],
)
def test_mistakes_are_named(make) -> None:  # type: ignore[no-untyped-def]
    """No demand, wrong order, negative prices, shares that are none."""
    with pytest.raises(InputError):
        make()
