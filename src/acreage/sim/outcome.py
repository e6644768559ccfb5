"""Many runs put together: the base and every change on the same draws, with paired intervals.

A replication draws the same needs and turns for every change, so that differences are of pairs; intervals are
Student's t over replications, which are independent (Law and Kelton, Simulation Modeling and Analysis, section 9.4).
"""

from collections.abc import Callable, Sequence

import numpy as np
import polars as pl
from scipy.stats import t as student

from acreage.domain.market_outcome import BASE, MONEY, Change, Effect, Interval, MarketOutcome, Measure
from acreage.domain.market_world import World
from acreage.sim.audit import audited
from acreage.sim.changes import changed
from acreage.sim.kernel import run
from acreage.sim.measures import measured

Tell = Callable[[int, int], None]
"""Told how many runs are done of how many."""

_KEYS = ["world", "measure", "subject"]
_Samples = dict[tuple[str, str, str], list[float]]


def simulate(world: World, changes: Sequence[str], seed: int, replications: int, tell: Tell) -> MarketOutcome:
    """Run a world and its changes; raises `InputError` for an unknown change, `AuditFailure` for a wrong run."""
    variants = [changed(world, text) for text in changes]
    worlds = [(BASE, world), *((variant.name, variant.world) for variant in variants)]
    frames: list[pl.DataFrame] = []
    total = replications * len(worlds)
    for replication in range(replications):
        for name, one in worlds:
            tell(len(frames), total)
            frame = measured(one, audited(one, run(one, seed, replication)))
            frames.append(frame.with_columns(pl.lit(name).alias("world"), pl.lit(replication).alias("replication")))
    tell(total, total)
    everything = pl.concat(frames)
    samples = _samples(everything)
    return MarketOutcome(
        world=world,
        seed=seed,
        replications=replications,
        audited=total,
        base=tuple((Measure(m), s, interval(v)) for (name, m, s), v in samples.items() if name == BASE),
        changes=tuple(
            Change(name=variant.name, words=variant.words, effects=tuple(_effects(samples, variant.name)))
            for variant in variants
        ),
        series=_series(everything),
    )


def interval(values: Sequence[float]) -> Interval:
    """The mean of independent values and its 95 % interval by Student's t."""
    mean = float(np.mean(values))
    if len(values) < 2:
        return Interval(mean=mean, low=None, high=None)
    half = float(student.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / np.sqrt(len(values)))
    return Interval(mean=mean, low=mean - half, high=mean + half)


def _value() -> pl.Expr:
    """A measure over some ticks: money adds up, all else is a ratio, of nothing where its base is nothing."""
    amount, over = pl.col("amount").sum(), pl.col("over").sum()
    ratio = pl.when(over != 0.0).then(amount / over)
    return pl.when(pl.col("measure").first().is_in([*MONEY])).then(amount).otherwise(ratio).alias("value")


def _samples(everything: pl.DataFrame) -> _Samples:
    """The value of every measure by world and subject, one for each replication in which there is one."""
    each = everything.group_by([*_KEYS, "replication"], maintain_order=True).agg(_value())
    count = everything["replication"].n_unique()
    found: _Samples = {}
    for world, measure, subject, _, value in each.iter_rows():
        found.setdefault((world, measure, subject), []).append(value)
    # What was not there in some replication, such as a chip that nobody leased, has no mean.
    return {key: found[key] for key in sorted(found, key=_order) if len(found[key]) == count and None not in found[key]}


def _order(key: tuple[str, str, str]) -> tuple[str, int, str]:
    return key[0], list(Measure).index(Measure(key[1])), key[2]


def _effects(samples: _Samples, name: str) -> list[Effect]:
    found = []
    for (world, measure, subject), values in samples.items():
        after = samples.get((name, measure, subject))
        if world == BASE and after is not None:
            found.append(
                Effect(
                    measure=Measure(measure),
                    subject=subject,
                    base=interval(values),
                    changed=interval(after),
                    difference=interval([b - a for a, b in zip(values, after, strict=True)]),
                )
            )
    return found


def _series(everything: pl.DataFrame) -> pl.DataFrame:
    """Every measure by tick, its mean over replications with its interval."""
    each = everything.group_by([*_KEYS, "tick", "replication"], maintain_order=True).agg(_value()).drop_nulls("value")
    count = pl.len()
    quantiles = {n: float(student.ppf(0.975, n - 1)) for n in range(2, everything["replication"].n_unique() + 1)}
    half = (
        count.replace_strict(quantiles, default=None, return_dtype=pl.Float64())
        * pl.col("value").std()
        / count.cast(pl.Float64()).sqrt()
    )
    mean = pl.col("value").mean()
    return (
        each.group_by([*_KEYS, "tick"], maintain_order=True)
        .agg(mean.alias("mean"), (mean - half).alias("low"), (mean + half).alias("high"))
        .sort([*_KEYS, "tick"])
    )
