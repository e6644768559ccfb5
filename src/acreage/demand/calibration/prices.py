"""How far market prices stray in a year, and how much of that they share, from their history.

A price series is one product (provider, region, instance type, pricing model) on a grid of months. The base of
a plan is the price of today, so a surprise is any change of it: deviations are taken from no change, not from
the mean change of the history. Prices that never changed count, as they did not.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from acreage.demand.calibration.blocks import DRAWS, block_length, stationary
from acreage.demand.calibration.estimate import Answer, Estimated, Unsaid, percentiles, sd_interval, sd_of_factor
from acreage.demand.draws import Array

KEY = ("provider", "region", "instance_type", "pricing_model")
COLUMNS = (*KEY, "chip", "observed_from", "usd")
"""`chip` is the accelerator's name or empty; `observed_from` a date; the price holds until the next row of its key."""

BLEND = "the portfolio's market"
"""The subject of what is blended over pricing models."""

MARKET_KINDS = ("on_demand", "spot")
MONTHS_A_YEAR = 12
MONTHS_MIN = 12
"""Fewer months of a kind give no estimate."""

LOG_SD_MAX = 3.0
"""Wider than any price has moved in a year: a factor of 20 either way; keeps the ends of intervals finite."""

STEP_MONTHS = 3
"""Correlations are of changes over a quarter: lists that are revised on different days look unrelated over a
month (the effect of Epps, 1979)."""

RETURN_FRAC, EXCURSION_FRAC = 0.001, 0.05
"""A list price that moves by more than the second and comes back to within the first was wrong in between."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Excursion:
    """Rows set aside: the price of a key left its level and came back to it, so the source was wrong meanwhile."""

    key: tuple[str, ...]
    from_on: date
    until_on: date
    usd: float
    usual_usd: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PricesFound:
    """What a price history says; `excursions` were taken out before."""

    answers: tuple[Answer, ...]
    excursions: tuple[Excursion, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Monthly changes of log prices (series, months), NaN where a series is not observed, with chips (series,)."""

    log_changes: Array
    chips: tuple[str, ...]


def without_excursions(rows: pl.DataFrame) -> tuple[pl.DataFrame, tuple[Excursion, ...]]:
    """The rows without list prices that left their level and came back to it, and those.

    Spot prices do that in earnest and are left alone.
    """
    ordered = rows.sort(*KEY, "observed_from")
    before, after = (pl.col("usd").shift(n).over(KEY) for n in (1, -1))
    odd = (
        (pl.col("pricing_model") != "spot")
        & ((after / before).log().abs() <= RETURN_FRAC)
        & ((pl.col("usd") / before).log().abs() > EXCURSION_FRAC)
    )
    marked = ordered.with_columns(
        odd=odd.fill_null(False), usual=before, until=pl.col("observed_from").shift(-1).over(KEY)
    )
    found = tuple(
        Excursion(
            key=tuple(row[name] for name in KEY),
            from_on=row["observed_from"],
            until_on=row["until"],
            usd=row["usd"],
            usual_usd=row["usual"],
        )
        for row in marked.filter("odd").iter_rows(named=True)
    )
    return marked.filter(~pl.col("odd")).select(ordered.columns), found


def monthly_changes(rows: pl.DataFrame) -> Changes:
    """Month-end log prices differenced; a series lasts from its first row to its provider's last."""
    month = pl.col("observed_from").dt.year() * 12 + pl.col("observed_from").dt.month() - 1
    rows = rows.sort(*KEY, "observed_from").with_columns(month=month)
    first, last = rows["month"].min(), rows["month"].max()
    assert isinstance(first, int)
    assert isinstance(last, int)
    seen = dict(rows.group_by("provider").agg(pl.col("month").max()).iter_rows())
    prices, chips = [], []
    for key, group in rows.group_by(KEY, maintain_order=True):
        line = np.full(last - first + 1, np.nan)
        for at, usd in group.select("month", "usd").iter_rows():
            line[at - first :] = math.log(usd)
        line[seen[key[0]] - first + 1 :] = np.nan
        prices.append(line)
        chips.append(str(group["chip"][0]))
    return Changes(log_changes=np.diff(np.asarray(prices), axis=1), chips=tuple(chips))


def sums(log_changes: Array, months: int) -> Array:
    """Overlapping sums over so many months (series, months - n + 1); NaN where one of them is."""
    return np.asarray(np.lib.stride_tricks.sliding_window_view(log_changes, months, axis=1).sum(axis=2))


def spread_per_year(log_changes: Array, months: int, rng: np.random.Generator) -> tuple[float, float, float]:
    """Root mean square of log changes over so many months, scaled to a year, with its 95 % interval.

    The wider, end by end, of two. One is chi-squared, as for normal changes: their squares are worth
    1.5 T / months independent ones in time (equivalent degrees of freedom of overlapping sums, which are Bartlett's
    window at frequency zero: Priestley, 1981, section 6.2), times N / (1 + (N - 1) r) over series whose changes
    have a mean squared correlation r: right where history is short. The other resamples months in blocks, all series
    together: right where a few cuts of list prices are all that ever happened.
    """
    found = sums(log_changes, months)
    scale = MONTHS_A_YEAR / months
    sd = math.sqrt(float(np.nanmean(found**2)) * scale)
    in_time = float(np.isfinite(log_changes).sum(axis=1).mean()) * (1.5 / months if months > 1 else 1.0)
    low, high = sd_interval(sd, in_time * _series_worth(found))
    totals, counts = np.nansum(found**2, axis=0), np.isfinite(found).sum(axis=0)
    at = stationary(rng, len(totals), max(block_length(len(totals)), float(months)), DRAWS)
    with np.errstate(invalid="ignore", divide="ignore"):
        ends = percentiles(np.sqrt(totals[at].sum(axis=1) / counts[at].sum(axis=1) * scale))
    return sd, min(low, ends[0]), max(high, ends[1])


def _series_worth(changes: Array) -> float:
    """How many independent series these are worth, by the mean squared correlation of two that moved.

    Those that stood still all the time tell of the same calm, and add nothing.
    """
    moving = changes[np.nansum(changes**2, axis=1) > 0.0]
    cosines = _cosines(moving)
    others = cosines[~np.eye(len(moving), dtype=bool) & np.isfinite(cosines)]
    shared = float(np.mean(others**2)) if others.size else 1.0
    return len(moving) / (1.0 + (len(moving) - 1) * shared)


def _cosines(changes: Array) -> Array:
    """Correlation about no change of every two series over the months that both have; NaN where they share none."""
    seen = np.isfinite(changes).astype(float)
    filled = np.nan_to_num(changes)
    power = (filled**2) @ seen.T
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((filled @ filled.T) / np.sqrt(power * power.T))


def shared_frac(changes: Array, chips: Sequence[str]) -> tuple[float, float]:
    """Mean correlation of two series of different chips, and of two of one chip; NaN where there are no such pairs.

    The first is the share of variance that one factor common to all explains, the generator's weight; the second
    has what chips share besides.
    """
    cosines = _cosines(changes)
    same = np.equal.outer(np.asarray(chips), np.asarray(chips))
    pairs = np.isfinite(cosines) & ~np.eye(len(chips), dtype=bool)
    between, within = cosines[pairs & ~same], cosines[pairs & same]
    return float(between.mean()) if between.size else math.nan, float(within.mean()) if within.size else math.nan


def first_factor_frac(changes: Array, chips: Sequence[str]) -> float:
    """Share of the variance of the chips' mean changes that their first principal component explains."""
    names = sorted(set(chips))
    groups = [changes[[chip == name for chip in chips]] for name in names]
    counts = np.asarray([np.isfinite(group).sum(axis=0) for group in groups])
    means = np.asarray([np.nansum(group, axis=0) for group in groups]) / np.maximum(counts, 1)
    complete = means[:, (counts > 0).all(axis=0)]
    if len(names) < 2 or complete.shape[1] < STEP_MONTHS or not (complete**2).sum(axis=1).all():
        return math.nan
    values = np.linalg.eigvalsh(_cosines(complete))
    return float(values[-1] / values.sum())


def calibrate_prices(
    rows: pl.DataFrame, *, source: str, rng: np.random.Generator, market: Mapping[str, float]
) -> PricesFound:
    """All that a price history (columns `COLUMNS`) says.

    `market` weighs the pricing models as the portfolio can buy them, accelerators by kind; the spread of
    its market prices is their blend.
    """
    clean, excursions = without_excursions(rows)
    answers: list[Answer] = []
    yearly: dict[str, Estimated] = {}
    for kind in sorted(set(clean["pricing_model"])):
        changes = monthly_changes(clean.filter(pl.col("pricing_model") == kind))
        spreads = _spreads(changes, kind, source, rng)
        answers += spreads
        of_kind = spreads[1]
        if isinstance(of_kind, Estimated):
            yearly[kind] = of_kind
        if kind in MARKET_KINDS:
            answers += _shares(changes, kind, source, rng)
    weights = {a.subject: a for a in answers if isinstance(a, Estimated) and a.quantity == "price_weight_frac"}
    blends = (
        _blend("price_sd_frac_per_year", yearly, market, source, 2),
        _blend("price_weight_frac", weights, market, source, 1),
    )
    return PricesFound(answers=(*blends, *answers), excursions=excursions)


def _spreads(changes: Changes, kind: str, source: str, rng: np.random.Generator) -> list[Answer]:
    """Spread of one kind, a month's changes and a year's, and of each chip."""
    answers: list[Answer] = []
    for chip in ("", *sorted(set(changes.chips) - {""})):
        chosen = changes.log_changes[[chip in ("", c) for c in changes.chips]]
        subject = f"{kind} {chip}".strip()
        answers += [_spread(chosen, months, subject, source, rng) for months in ((1, 12) if not chip else (12,))]
    return answers


def _spread(log_changes: Array, months: int, subject: str, source: str, rng: np.random.Generator) -> Answer:
    quantity = "price_sd_frac_per_year" if months > 1 else "price_sd_frac_per_year from months"
    needed = max(MONTHS_MIN, 2 * months)
    observed = np.isfinite(log_changes).sum(axis=1)
    long_enough = log_changes[observed >= months]
    most = int(observed.max()) if observed.size else 0
    if most < needed:
        return Unsaid(quantity=quantity, subject=subject, why=f"{most} months are there, {needed} are needed")
    if not np.nansum(long_enough**2):
        return Unsaid(quantity=quantity, subject=subject, why="none of its prices ever changed, which gives no spread")
    sd, low, high = spread_per_year(long_enough, months, rng)
    over = "a year" if months > 1 else "a month, times the root of 12"
    return Estimated(
        quantity=quantity,
        subject=subject,
        value=sd_of_factor(sd),
        low=sd_of_factor(low),
        high=sd_of_factor(min(high, LOG_SD_MAX)),
        observations=int(np.isfinite(sums(long_enough, months)).sum()),
        source=source,
        method=f"root mean square change of log prices over {over}; the wider "
        "of a chi-squared interval and a stationary bootstrap of months",
    )


def _shares(changes: Changes, kind: str, source: str, rng: np.random.Generator) -> list[Answer]:
    """Shares of one kind, with intervals from resampled months, all series together."""
    moving = (np.nansum(changes.log_changes**2, axis=1) > 0.0) & (
        np.isfinite(changes.log_changes).sum(axis=1) >= MONTHS_MIN
    )
    chips = tuple(chip for chip, keep in zip(changes.chips, moving, strict=True) if keep)
    if len(set(chips) - {""}) < 2 or changes.log_changes.shape[1] < MONTHS_MIN:
        why = f"prices of {len(set(chips))} chips moved within {changes.log_changes.shape[1]} months; 2 are needed"
        return [Unsaid(quantity="price_weight_frac", subject=kind, why=why)]
    quarters = sums(changes.log_changes[moving], STEP_MONTHS)
    months = quarters.shape[1]
    draws = stationary(rng, months, max(block_length(months), 2.0 * STEP_MONTHS), DRAWS)
    resampled = np.asarray([shared_frac(quarters[:, at], chips) for at in draws])
    first = np.asarray([first_factor_frac(quarters[:, at], chips) for at in draws])
    found = (*shared_frac(quarters, chips), first_factor_frac(quarters, chips))
    told = (
        ("price_weight_frac", "mean correlation of two series of different chips"),
        ("price_chip_share_frac", "mean correlation of two series of one chip"),
        ("price_first_factor_frac", "first principal component of the chips' mean changes"),
    )
    return [
        _share(quantity, kind, value, sample, int(np.isfinite(quarters).sum()), source, method)
        for (quantity, method), value, sample in zip(told, found, (*resampled.T, first), strict=True)
    ]


def _share(
    quantity: str, subject: str, value: float, sample: Array, observations: int, source: str, method: str
) -> Answer:
    if not math.isfinite(value) or not np.isfinite(sample).any():
        return Unsaid(quantity=quantity, subject=subject, why="there are no two such series over the same months")
    low, high = percentiles(np.clip(sample, 0.0, 1.0))
    return Estimated(
        quantity=quantity,
        subject=subject,
        value=min(max(value, 0.0), 1.0),
        low=low,
        high=high,
        observations=observations,
        source=source,
        method=f"{method}, changes of a quarter; stationary bootstrap of months",
    )


def _blend(
    quantity: str, kinds: Mapping[str, Estimated], market: Mapping[str, float], source: str, power: int
) -> Answer:
    """One figure for what the portfolio can buy by the hour: power mean over pricing models, by accelerators."""
    bought = {kind: weight for kind, weight in market.items() if weight > 0.0}
    missing = [kind for kind in bought if kind not in kinds]
    if missing or not bought:
        why = f"no estimate for {', '.join(missing)}" if missing else "the portfolio buys nothing by the hour"
        return Unsaid(quantity=quantity, subject=BLEND, why=why)
    shares = {kind: weight / sum(bought.values()) for kind, weight in bought.items()}

    def blended(values: Mapping[str, float]) -> float:
        return float(sum(share * values[kind] ** power for kind, share in shares.items()) ** (1.0 / power))

    found = {kind: kinds[kind] for kind in shares}
    told = ", ".join(f"{kind} {share:.0%}" for kind, share in shares.items())
    return Estimated(
        quantity=quantity,
        subject=BLEND,
        value=blended({kind: one.value for kind, one in found.items()}),
        low=blended({kind: one.low for kind, one in found.items()}),
        high=blended({kind: one.high for kind, one in found.items()}),
        observations=sum(one.observations for one in found.values()),
        source=source,
        method=f"mean {'variance ' if power == 2 else ''}of {told} by accelerators on the market; ends likewise",
    )
