"""What sources bring to their pools in each future: capacity, use above take-or-pay, parts given up."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from acreage.plan.formulate.capacity import Source, brought, may_give_up, peak, usable
from acreage.plan.formulate.first_stage import columns_of
from acreage.plan.formulate.layout import (
    ColumnKind,
    Index,
    RecourseBuilder,
    Use,
    UseKind,
)
from acreage.plan.formulate.money import Till, in_units
from acreage.plan.formulate.recourse import Scene, capacity_row, gate_row
from acreage.plan.problem import ACCELERATORS_PER_UNIT, USD_PER_UNIT, Vector
from acreage.pricing.invoice import Agreement, usage_rate_micro_usd_per_accelerator_hour
from acreage.units.ids import PoolId
from acreage.units.instants import Instant


def changes_of(scene: Scene) -> dict[int, list[tuple[int, float]]]:
    """For each column with a source: the sources it adds (+1) or replaces (-1), by column number."""
    builder = scene.choices.builder
    held = {c.subject: i for i, c in columns_of(builder, ColumnKind.HELD)}
    found = {}
    for number in scene.choices.sources:
        column = builder.columns[number]
        replaced = [(held[column.subject], -1.0)] if column.kind is ColumnKind.RELEASE else []
        found[number] = [(number, 1.0), *replaced]
    return found


def define_supply(
    builder: RecourseBuilder,
    scene: Scene,
    pool_rows: Mapping[PoolId, int],
    till: Till,
    agreements: Mapping[int, Agreement],
) -> None:
    """What sources bring to their pools in each future, use above take-or-pay, and tranches given up."""
    period, block = scene.grid
    series: dict[tuple[int, int], Vector] = {}
    peaks: dict[tuple[int, int], Vector] = {}
    for number, source in scene.choices.sources.items():
        for s, future in enumerate(scene.futures):
            mean, top = brought(scene.clock, source, future)
            series[number, s], peaks[number, s] = mean / ACCELERATORS_PER_UNIT, top / ACCELERATORS_PER_UNIT
    for number, changes in changes_of(scene).items():
        source = scene.choices.sources[number]
        rows = capacity_row(scene, pool_rows, source.pool, period, block)
        there = gate_row(scene, source.pool, np.arange(scene.periods))
        fixed = agreements[number].terms.take_or_pay_frac
        extra = _define_extra(builder, scene, rows, number, agreements) if fixed < 1.0 else None
        for s in range(len(scene.futures)):
            change = sum((sign * series[i, s] for i, sign in changes), np.zeros(scene.periods))
            builder.couple(s, rows, number, -fixed * change[period])
            builder.gate_bring(
                s, there, number, sum((sign * peaks[i, s] for i, sign in changes), np.zeros(scene.periods))
            )
            if extra is not None:
                builder.couple_upper(
                    s,
                    np.arange(extra.start, extra.stop),
                    extra.column,
                    (1 - fixed) * change[period],
                )
        if fixed == 1.0 and len(changes) == 1 and not _can_release(scene, number):
            _define_give_up(builder, scene, rows, number, till, agreements)


def _can_release(scene: Scene, number: int) -> bool:
    """Whether a held lease may be left early: then its late parts are not given up one by one."""
    subject = scene.choices.builder.columns[number].subject
    return any(c.subject == subject for _, c in columns_of(scene.choices.builder, ColumnKind.RELEASE))


def _define_extra(
    builder: RecourseBuilder,
    scene: Scene,
    rows: Index,
    number: int,
    agreements: Mapping[int, Agreement],
) -> Use:
    """Use of a source above its take-or-pay share: it costs its hourly price when used."""
    column = scene.choices.builder.columns[number]
    for use in builder.uses:
        if column.kind is ColumnKind.RELEASE and use.kind is UseKind.EXTRA and use.subject == column.subject:
            return _same_use_for(use, number)
    period, block = scene.grid
    source = scene.choices.sources[number]
    rate = extra_usd_per_hour(scene, agreements[number], source)
    hours = scene.block_hours(period, block)
    cost = rate[period] * hours * scene.factors[period] * ACCELERATORS_PER_UNIT / USD_PER_UNIT
    if scene.hard >= 0:
        cost = np.tile(cost, (len(scene.futures), 1))
        cost[scene.hard] = 0.0
    use = builder.add(
        UseKind.EXTRA,
        column.subject,
        source.pool,
        period=period,
        block=block,
        cost=cost,
        upper=0.0,
        rate=rate[period],
        column=number,
    )
    builder.put(rows, np.arange(use.start, use.stop), -1.0)
    return use


def _same_use_for(use: Use, number: int) -> Use:
    """A release changes the bounds of its lease's extra use."""
    return Use(
        kind=use.kind,
        subject=use.subject,
        pool=use.pool,
        start=use.start,
        stop=use.stop,
        period=use.period,
        block=use.block,
        rate=use.rate,
        column=number,
    )


def extra_usd_per_hour(scene: Scene, agreement: Agreement, source: Source) -> Vector:
    """Price (T,) of a usable accelerator-hour above the take-or-pay share, at the middle of each period.

    Where the term covers only part of a period, at the nearest instant within the term.
    """
    whole = replace(agreement, ends_at=max(agreement.ends_at, agreement.term_ends_at))
    when = np.clip(scene.clock.middles, whole.starts_at, whole.ends_at - 1)
    rates = [usage_rate_micro_usd_per_accelerator_hour(whole, Instant(int(at))) for at in when]
    return np.array(rates) / 1e6 / (1.0 - source.sparing_frac)


def _define_give_up(
    builder: RecourseBuilder,
    scene: Scene,
    rows: Index,
    number: int,
    till: Till,
    agreements: Mapping[int, Agreement],
) -> None:
    """Units of a late part that the lessee ends, a column in each future whose delay allows it."""
    source, agreement = scene.choices.sources[number], agreements[number]
    period, _ = scene.grid
    nowhere = np.array([-1])
    for part in source.parts:
        for s, future in enumerate(scene.futures):
            if not may_give_up(source, part, scene.laid_out_for[s]):
                continue
            whole = till.worth(agreement, source, future)
            rest = till.worth(agreement, source, future, {part.index: 0.0})
            saved = (whole.cost_usd - whole.salvage_usd) - (rest.cost_usd - rest.salvage_usd)
            use = builder.add(
                UseKind.GIVE_UP,
                source.key,
                source.pool,
                period=nowhere,
                block=nowhere,
                cost=-in_units(saved),
                upper=0.0,
                rate=float(part.index),
                column=number,
                future=s,
            )
            may = may_give_up(source, part, future)
            builder.couple_upper(s, use.start, number, float(may))
            # A column that must stay at zero keeps the entries, and so the layout, of the futures it exists for.
            shown = future if may else scene.laid_out_for[s]
            series = usable(scene.clock, source, part, shown) / ACCELERATORS_PER_UNIT
            builder.put(rows, use.start, series[period])
            lost = peak(scene.clock, source, (part,), shown) / ACCELERATORS_PER_UNIT
            builder.gate_take(gate_row(scene, source.pool, np.arange(scene.periods)), use.start, lost)
