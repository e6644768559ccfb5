"""The delivery record: shares and lateness within their intervals."""

import numpy as np

from acreage.demand.calibration.deliveries import calibrate_deliveries
from acreage.demand.calibration.estimate import Estimated, Unsaid
from acreage.units.ids import ProviderId


def test_the_intervals_hold_the_law_that_deliveries_were_drawn_from() -> None:
    """Thirty deliveries, 40 % on time, the others log-normal (median 45, 90th percentile 120 days); 60 records."""
    truth = {"on_time_frac": 0.4, "median_days": 45.0, "p90_days": 120.0}
    held = dict.fromkeys(truth, 0)
    spread = np.log(120.0 / 45.0) / 1.2815515655446004
    for seed in range(60):
        rng = np.random.default_rng(seed)
        late = 45.0 * np.exp(spread * rng.standard_normal(30))
        days = np.where(rng.random(30) < 0.4, 0.0, late)
        for answer in calibrate_deliveries({ProviderId("tern"): tuple(days)}, source="books", rng=rng):
            assert isinstance(answer, Estimated)
            held[answer.quantity] += answer.low <= truth[answer.quantity] <= answer.high
    assert all(count >= 52 for count in held.values()), held


def test_two_late_deliveries_give_no_law_of_lateness() -> None:
    """The on-time share is said all the same; all providers together are told beside each."""
    record = {ProviderId("a"): (0.0, 0.0, 12.0, 30.0), ProviderId("b"): (0.0,)}
    answers = calibrate_deliveries(record, source="books", rng=np.random.default_rng(1))
    found = {(a.subject, a.quantity): a for a in answers}
    share = found["a", "on_time_frac"]
    assert isinstance(share, Estimated)
    assert share.value == 0.5
    assert found["a", "p90_days"] == Unsaid(
        quantity="p90_days", subject="a", why="2 late deliveries are there, 3 are needed"
    )
    assert ("all providers", "on_time_frac") in found
