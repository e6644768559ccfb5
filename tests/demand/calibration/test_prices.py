"""Price histories: what was put in comes out within its interval, and what was never seen is not said."""

from datetime import date

import numpy as np
import polars as pl
import pytest

from acreage.demand.calibration.estimate import Answer, Estimated, Unsaid
from acreage.demand.calibration.prices import (
    BLEND,
    COLUMNS,
    calibrate_prices,
    first_factor_frac,
    monthly_changes,
    shared_frac,
    spread_per_year,
    without_excursions,
)

ROWS = {"provider": "gcp", "region": "us", "pricing_model": "spot", "chip": "H100"}


def frame(*rows: dict[str, object]) -> pl.DataFrame:
    return pl.DataFrame([{**ROWS, **row} for row in rows]).select(COLUMNS)


def row(at: date, usd: float, name: str = "a3", **more: object) -> dict[str, object]:
    return {"instance_type": name, "observed_from": at, "usd": usd, **more}


def of(answers: tuple[Answer, ...], quantity: str, subject: str) -> Answer:
    return next(a for a in answers if (a.quantity, a.subject) == (quantity, subject))


def walks(rng: np.random.Generator, weight: float, *, months: int = 60, chips: int = 4, regions: int = 4) -> np.ndarray:
    """Log changes of the generator: market, chip and own part; sd 0.3 a year."""
    shape = (chips, regions, months)
    rest = (1.0 - weight) / 2.0
    common, chip, own = rng.standard_normal(months), rng.standard_normal((chips, 1, months)), rng.standard_normal(shape)
    moves = np.sqrt(weight) * common + np.sqrt(rest) * (chip + own)
    return (0.3 / np.sqrt(12) * moves).reshape(-1, months)


@pytest.mark.parametrize("months", [1, 12])
def test_the_interval_holds_the_true_spread_about_as_often_as_it_says(months: int) -> None:
    """Forty histories of five years: at least 35 intervals of 95 % hold the truth."""
    held = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        sd, low, high = spread_per_year(walks(rng, 0.4), months, rng)
        assert low <= sd <= high
        held += low <= 0.3 <= high
    assert held >= 35


def test_the_shares_are_those_of_the_generator() -> None:
    """Series of different chips share the weight, those of one chip (1 - weight) / 2 more."""
    chips = tuple(name for name in "ABCD" for _ in range(4))
    found = [shared_frac(walks(np.random.default_rng(seed), 0.4), chips) for seed in range(30)]
    assert np.mean(found, axis=0) == pytest.approx((0.4, 0.7), abs=0.04)


def test_one_factor_explains_all_of_what_moves_as_one() -> None:
    """Identical moves of every chip."""
    line = np.random.default_rng(4).standard_normal(30)
    assert first_factor_frac(np.asarray([line, 2.0 * line]), ("A", "B")) == pytest.approx(1.0)


def test_a_price_holds_until_the_next_row_and_to_the_end_of_its_providers_record() -> None:
    """Two changes half a year apart, and a product listed later, on one grid of months."""
    rows = frame(
        row(date(2025, 1, 15), 10.0),
        row(date(2025, 7, 2), 20.0),
        row(date(2025, 4, 1), 5.0, "later"),
        row(date(2025, 12, 31), 5.0, "other"),
    )
    changes = monthly_changes(rows).log_changes
    assert changes.shape == (3, 11)
    assert changes[0] == pytest.approx([0.0] * 5 + [np.log(2.0)] + [0.0] * 5)
    assert np.isnan(changes[1, :3]).all()
    assert not changes[1, 3:].any()


def test_a_list_price_that_comes_back_was_wrong_and_is_set_aside() -> None:
    """A tenfold list price for a year is a defect of the source; the same of a spot price is the market."""
    moves = (row(date(2024, 1, 1), 4.0), row(date(2024, 6, 1), 40.0), row(date(2025, 6, 1), 4.001))
    listed = frame(*({**move, "pricing_model": "on_demand"} for move in moves))
    kept, excursions = without_excursions(listed)
    assert kept["usd"].to_list() == [4.0, 4.001]
    assert [(e.from_on, e.until_on, e.usd, e.usual_usd) for e in excursions] == [
        (date(2024, 6, 1), date(2025, 6, 1), 40.0, 4.0)
    ]
    assert without_excursions(frame(*moves))[1] == ()


def history(seed: int, kind: str, months: int = 48) -> pl.DataFrame:
    moves = walks(np.random.default_rng(seed), 0.4, months=months)
    rows = [
        row(date(2021 + m // 12, m % 12 + 1, 1), float(np.exp(line[: m + 1].sum())), f"t{i}", chip="ABCD"[i // 4])
        for i, line in enumerate(moves)
        for m in range(months)
    ]
    return frame(*({**one, "pricing_model": kind} for one in rows))


def test_a_history_gives_spreads_shares_and_their_blend() -> None:
    """The blend of the portfolio's market is a mean of variances by accelerators."""
    rows = pl.concat([history(1, "spot"), history(2, "on_demand")])
    market = {"on_demand": 3.0, "spot": 1.0}
    answers = calibrate_prices(rows, source="prices.csv", rng=np.random.default_rng(1), market=market).answers
    blend, listed, spot = (of(answers, "price_sd_frac_per_year", subject) for subject in (BLEND, "on_demand", "spot"))
    assert isinstance(blend, Estimated)
    assert isinstance(listed, Estimated)
    assert isinstance(spot, Estimated)
    assert blend.value == pytest.approx(np.sqrt(0.75 * listed.value**2 + 0.25 * spot.value**2))
    for answer in answers:
        if isinstance(answer, Estimated):
            assert answer.low <= answer.value <= answer.high
            assert answer.observations > 0
            assert answer.source == "prices.csv"
    weight = of(answers, "price_weight_frac", "spot")
    assert isinstance(weight, Estimated)
    assert weight.low <= 0.4 <= weight.high


def test_the_same_seed_gives_the_same_answers() -> None:
    """Nothing else is drawn."""
    twice = [
        calibrate_prices(history(1, "spot"), source="s", rng=np.random.default_rng(5), market={"spot": 1.0})
        for _ in range(2)
    ]
    assert twice[0] == twice[1]


def test_what_is_too_short_or_never_moved_is_not_said() -> None:
    """Months there and needed are named; a price that never changed gives no spread of zero."""
    short = calibrate_prices(
        history(1, "spot", months=10), source="s", rng=np.random.default_rng(1), market={"spot": 1.0}
    ).answers
    told = of(short, "price_sd_frac_per_year", "spot")
    assert isinstance(told, Unsaid)
    assert told.why == "9 months are there, 24 are needed"
    assert of(short, "price_sd_frac_per_year", BLEND) == Unsaid(
        quantity="price_sd_frac_per_year", subject=BLEND, why="no estimate for spot"
    )
    still = frame(row(date(2021, 1, 1), 3.0), row(date(2025, 1, 1), 3.0))
    calm = of(
        calibrate_prices(still, source="s", rng=np.random.default_rng(1), market={}).answers,
        "price_sd_frac_per_year",
        "spot",
    )
    assert isinstance(calm, Unsaid)
    assert "ever changed" in calm.why
