"""Values of information equal those of every decision tried in every group, and are never negative."""

import numpy as np
import pytest

from acreage.plan.bulk.asked import Pending
from acreage.plan.bulk.groups import by_lateness
from acreage.plan.bulk.information import of_chance, of_delivery, of_demand, of_everything
from acreage.units.ids import ProviderId
from tests.plan.bulk.cases import CLOSE, cases, given, inquiry_of, least_usd, plain_formulation
from tests.plan.tiny import Tiny

DEAL = Pending(source="deal", provider=ProviderId("new"), index=0, due_at=0)
SLACK_USD = 2.0


@pytest.mark.parametrize(("seed", "case"), cases(2, 5, 9))
def test_knowing_a_delivery_is_worth_what_brute_force_says(seed: int, case: Tiny) -> None:
    """The plan's least cost less the expected least cost of each group."""
    found = of_delivery(inquiry_of(case), DEAL)
    days = np.array([float(f.delay_days.get(("deal", 0), 0)) for f in case.futures])
    probability = np.array([f.probability for f in case.futures])
    groups = by_lateness(days, probability)
    if len(groups) < 2:
        assert found is None
        return
    now = least_usd(case, plain_formulation(case))
    then = sum(mass * least_usd(case, there) for mass, there in (given(case, g.futures) for g in groups))
    assert found is not None
    assert found.value_usd.found == pytest.approx(now - then, abs=SLACK_USD + CLOSE * now)
    assert found.value_usd.low - SLACK_USD <= now - then <= found.value_usd.high + SLACK_USD
    assert [g.futures for g in found.groups] == [len(g.futures) for g in groups]


@pytest.mark.parametrize(("seed", "case"), [*cases(0, 3, 6, rules=()), *cases(2, 5)])
def test_values_are_never_negative_and_bounded_by_knowing_everything(seed: int, case: Tiny) -> None:
    """Nothing known is worth more than everything; only with weight on risk is there value without deciding."""
    inquiry = inquiry_of(case)
    everything = of_everything(inquiry)
    asked = [of_delivery(inquiry, DEAL), of_demand(inquiry, "chat"), of_chance(inquiry, seed)]
    for one in (found for found in asked if found is not None):
        assert 0.0 <= one.value_usd.low <= one.value_usd.found + SLACK_USD
        assert 0.0 <= one.deciding_usd <= one.value_usd.found + SLACK_USD
        assert one.value_usd.found <= everything.value_usd.found + SLACK_USD
        assert sum(group.probability_frac for group in one.groups) == pytest.approx(1.0)
        if case.portfolio.policy.risk.weight_frac == 0.0:
            assert one.deciding_usd == pytest.approx(one.value_usd.found, abs=SLACK_USD)
    assert everything.solved_futures == len(case.futures) - 1


def test_what_is_the_same_in_every_future_cannot_be_learned() -> None:
    """A delivery that is never late has no groups."""
    case = cases(1)[0][1]
    nobody = Pending(source="held", provider=ProviderId("old"), index=0, due_at=0)
    assert of_delivery(inquiry_of(case), nobody) is None
