"""The frames of an act: who ran where, what was bought, held and served in each of its futures."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from acreage.domain.plan import SCHEMAS
from acreage.domain.workload import ServingFleet, TrainingRun, Workload
from acreage.plan.formulate.capacity import usable
from acreage.plan.formulate.formulate import Formulation
from acreage.plan.formulate.layout import Index, Use, UseKind
from acreage.plan.formulate.recourse import market_price_factor
from acreage.plan.play import Act, source_capacity, uses_of
from acreage.plan.problem import ACCELERATORS_PER_UNIT, USD_PER_UNIT, Vector
from acreage.plan.service import Service
from acreage.units.instants import moment

EVERY_BLOCK = "all"


def frame(name: str, columns: Mapping[str, Sequence[Any] | np.ndarray | pl.Series]) -> pl.DataFrame:
    """A frame of the declared schema."""
    return pl.DataFrame(columns, schema=dict(SCHEMAS[name]))


def stack(name: str, parts: list[pl.DataFrame]) -> pl.DataFrame:
    """Parts of a frame below each other; an empty frame if there are none."""
    return pl.concat(parts) if parts else pl.DataFrame(schema=dict(SCHEMAS[name]))


def named(names: Sequence[str], numbers: Index) -> pl.Series:
    """Names by their numbers, one a row: a column made at once, as rows come by the hundred thousand."""
    return pl.Series(names, dtype=pl.String).gather(numbers)


def names_of(act: Act) -> list[str]:
    """The futures' names."""
    return [f.name for f in act.futures]


def used(act: Act, uses: Sequence[Use]) -> tuple[Index, Index, Index]:
    """What is used of groups of columns: the group, the future's place and the column in the group of each row."""
    groups, places, columns = [], [], []
    for number, use in enumerate(uses):
        place, column = np.nonzero(act.second[:, use.start : use.stop] > 0.0)
        groups.append(np.full(len(place), number))
        places.append(place)
        columns.append(column)
    if not uses:
        return (np.zeros(0, dtype=np.int64),) * 3
    return np.concatenate(groups), np.concatenate(places), np.concatenate(columns)


def dispatch_frame(act: Act) -> pl.DataFrame:
    """Accelerators of every workload in every pool."""
    names = [*act.formulation.scene.blocks.names, EVERY_BLOCK]
    uses = uses_of(act.formulation, UseKind.RUN)
    groups, places, columns = used(act, uses)
    starts = np.array([use.start for use in uses], dtype=np.int64)
    at = starts[groups] + columns
    period, block = _laid_out(act, uses)
    return frame(
        "dispatch",
        {
            "future": named(names_of(act), places),
            "period": period[at],
            # Block -1 stands for all blocks alike, which is the last name.
            "block": named(names, block[at] % len(names)),
            "workload": named([use.subject for use in uses], groups),
            "pool": named([str(use.pool) for use in uses], groups),
            "accelerators": act.second[places, at],
        },
    )


def _laid_out(act: Act, uses: Sequence[Use]) -> tuple[Index, Index]:
    """Period and block of every second-stage column of some groups, each (M,)."""
    period, block = np.zeros((2, act.second.shape[1]), dtype=np.int64)
    for use in uses:
        period[use.start : use.stop] = use.period
        block[use.start : use.stop] = use.block
    return period, block


def bought(act: Act) -> pl.DataFrame:
    """What is bought by the hour, and leases used above take-or-pay, with what they cost then.

    As the market frame, but with the `place` of each future in the act instead of its name.
    """
    scene = act.formulation.scene
    uses = uses_of(act.formulation, UseKind.BUY) + uses_of(act.formulation, UseKind.EXTRA)
    groups, places, columns = used(act, uses)
    period, block = _laid_out(act, uses)
    starts = np.array([use.start for use in uses], dtype=np.int64)
    at = starts[groups] + columns
    price = np.zeros(len(at))
    for number in np.unique(groups):
        mine = groups == number
        factor = _price_factor(act, uses[number])
        price[mine] = uses[number].rate[columns[mine]] * factor[places[mine], period[at[mine]]]
    amount = act.second[places, at]
    return pl.DataFrame(
        {
            "place": places,
            "period": pl.Series(period[at], dtype=pl.Int32),
            "block": named(scene.blocks.names, block[at]),
            "pool": named([str(use.pool) for use in uses], groups),
            "kind": named([use.subject for use in uses], groups),
            "accelerators": amount,
            "usd": price * scene.block_hours(period[at], block[at]) * amount,
        }
    )


def market_frame(act: Act, purchases: pl.DataFrame) -> pl.DataFrame:
    """The purchases with the names of their futures."""
    names = named(names_of(act), purchases["place"].to_numpy()).alias("future")
    return purchases.with_columns(names).select(SCHEMAS["market"].keys())


def _price_factor(act: Act, use: Use) -> Vector:
    """What multiplies a market price in each future and period (F, T); 1 for a lease's own price."""
    scene = act.formulation.scene
    if use.kind is UseKind.EXTRA:
        return np.ones((len(act.numbers), scene.periods))
    assert use.pool is not None
    pool = scene.portfolio.pools[use.pool]
    access = next(a for a in (pool.on_demand, pool.spot) if a is not None and a.price.kind == use.subject)
    return np.array([market_price_factor(scene.portfolio, pool, access, f, scene.periods) for f in act.futures])


def given_up_frame(act: Act) -> pl.DataFrame:
    """Shares of late parts given up."""
    names = names_of(act)
    rows = [(names[place], source, part, share) for (place, source, part), share in act.given_up.items()]
    return pl.DataFrame(rows, schema=dict(SCHEMAS["given_up"]), orient="row")


def capacity_frame(act: Act) -> pl.DataFrame:
    """Usable accelerators by source, all starts of an offer together, after what is given up."""
    sources = act.formulation.choices.sources
    keys = list(dict.fromkeys((str(sources[n].pool), sources[n].key) for n in act.play.sources))
    futures, periods = len(act.numbers), act.formulation.scene.periods
    total = np.zeros((futures, len(keys), periods))
    for number, units in act.play.sources.items():
        row = keys.index((str(sources[number].pool), sources[number].key))
        for place in range(futures):
            total[place, row] += _brought(act, number, units, place)
    place, row, period = (part.ravel() for part in np.indices(total.shape))
    return frame(
        "capacity",
        {
            "future": named(names_of(act), place),
            "period": period,
            "pool": named([pool for pool, _ in keys], row),
            "source": named([source for _, source in keys], row),
            "accelerators": total.ravel(),
        },
    )


def _brought(act: Act, number: int, units: float, place: int) -> Vector:
    """Usable accelerators (T,) of a source in a future, less what is given up of it."""
    formulation, future = act.formulation, act.futures[place]
    source = formulation.choices.sources[number]
    series = units * source_capacity(formulation, source, future)
    for part in source.parts:
        share = act.given_up.get((place, source.key, part.index), 0.0)
        if share:
            series = series - share * units * usable(formulation.scene.clock, source, part, future)
    return series


def service_frame(act: Act, services: Sequence[Service]) -> pl.DataFrame:
    """Demand, served and unmet of every workload, with the penalty (undiscounted)."""
    names = [str(service.workload.id) for service in services]
    shape = (len(services), len(act.numbers), act.formulation.scene.periods)
    workload, place, period = (part.ravel() for part in np.indices(shape))

    def column(name: str) -> Vector:
        return np.concatenate([getattr(service, name).ravel() for service in services])

    return frame(
        "service",
        {
            "future": named(names_of(act), place),
            "period": period,
            "workload": named(names, workload),
            "demand": column("demand"),
            "served": column("served"),
            "unmet": column("unmet"),
            "unit": named([_unit(service.workload) for service in services], workload),
            "penalty_usd": column("penalty_usd"),
        },
    )


def _unit(workload: Workload) -> str:
    if isinstance(workload, ServingFleet):
        return workload.rate_unit
    return workload.work_unit if isinstance(workload, TrainingRun) else f"{workload.reference} accelerators"


def marginal_frame(formulation: Formulation, row_dual: Vector) -> pl.DataFrame:
    """Value of one more accelerator-hour in a pool and period at that time's money.

    `row_dual` (R,) is expected over futures.
    """
    scene = formulation.scene
    count = len(scene.blocks.names)
    parts = []
    for pool, start in formulation.pool_rows.items():
        duals = row_dual[start : start + scene.periods * count].reshape(scene.periods, count)
        value = np.maximum(0.0, -duals.sum(axis=1))
        per_hour = value * USD_PER_UNIT / ACCELERATORS_PER_UNIT / scene.clock.hours / scene.factors
        parts.append(
            frame(
                "marginal",
                {
                    **period_columns(formulation),
                    "pool": [pool] * scene.periods,
                    "usd_per_accelerator_hour": per_hour,
                },
            )
        )
    return stack("marginal", parts)


def period_columns(formulation: Formulation) -> dict[str, Any]:
    """The period, from_at and until_at columns of the whole grid."""
    periods = formulation.portfolio.periods
    return {
        "period": np.arange(len(periods)),
        "from_at": [moment(p.from_at) for p in periods],
        "until_at": [moment(p.until_at) for p in periods],
    }
