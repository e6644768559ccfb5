"""What sources bring to their pools in each future: capacity, use above take-or-pay, parts given up."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from acreage.plan.formulate.capacity import Part, Source, may_give_up, means_in, peaks_in, usable_in
from acreage.plan.formulate.first_stage import columns_of
from acreage.plan.formulate.layout import (
    ColumnKind,
    RecourseBuilder,
    Use,
    UseKind,
)
from acreage.plan.formulate.recourse import Scene, capacity_row, gate_row
from acreage.plan.formulate.till import Till
from acreage.plan.problem import ACCELERATORS_PER_UNIT, USD_PER_UNIT, Vector
from acreage.plan.tables import Index
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
    brought: dict[int, tuple[Vector, Vector]] = {}
    for number, changes in changes_of(scene).items():
        source, fates = scene.choices.sources[number], scene.fates_of(number)
        mean, top = means_in(scene.clock, source, fates), peaks_in(scene.clock, source, fates, source.parts)
        if scene.choices.builder.columns[number].kind is ColumnKind.HELD:
            brought[number] = (mean, top)
        for i, sign in changes:
            if i != number:
                mean, top = mean + sign * brought[i][0], top + sign * brought[i][1]
        rows = capacity_row(scene, pool_rows, source.pool, period, block)
        fixed = agreements[number].terms.take_or_pay_frac
        change = mean[:, period] / ACCELERATORS_PER_UNIT
        builder.couple(rows, number, -fixed * change, fates.of_future)
        there = gate_row(scene, source.pool, np.arange(scene.periods))
        builder.gate_bring(there, number, top / ACCELERATORS_PER_UNIT, fates.of_future)
        if fixed < 1.0:
            extra = _define_extra(builder, scene, rows, number, agreements)
            columns = np.arange(extra.start, extra.stop)
            builder.couple_upper(columns, number, (1 - fixed) * change, fates.of_future)
        elif len(changes) == 1 and not _can_release(scene, number):
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
            return use
    period, block = scene.grid
    source = scene.choices.sources[number]
    rate = extra_usd_per_hour(scene, agreements[number], source)
    hours = scene.block_hours(period, block)
    cost = rate[period] * hours * scene.factors[period] * ACCELERATORS_PER_UNIT / USD_PER_UNIT
    use = builder.add(
        UseKind.EXTRA,
        column.subject,
        source.pool,
        period=period,
        block=block,
        cost=cost,
        rate=rate[period],
        column=number,
    )
    builder.put(rows, np.arange(use.start, use.stop), -1.0)
    return use


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
    """Units of a late part that the lessee ends, where its delay allows it.

    Entries stand wherever the part is promised, so that they stand in the same places whatever the delays;
    where the part may not be given up its column has the promise's entries and stays at zero.
    """
    source, agreement, fates = scene.choices.sources[number], agreements[number], scene.fates_of(number)
    worth = till.worth(agreement, source, fates)
    period, _ = scene.grid
    nowhere = np.array([-1])
    for part in source.parts:
        if part.terminable_after_days is None:
            continue
        may = may_give_up(fates, part)
        use = builder.add(
            UseKind.GIVE_UP,
            source.key,
            source.pool,
            period=nowhere,
            block=nowhere,
            cost=-np.where(may, worth.net_usd[:, part.index], 0.0)[:, None] / USD_PER_UNIT,
            ways=fates.of_future,
            rate=float(part.index),
            column=number,
        )
        builder.couple_upper(use.start, number, may[:, None], fates.of_future)
        promised = scene.clock.share(part.due_at, source.ends_at)
        there = np.flatnonzero(promised > 0.0)
        usable = np.where(may[:, None], usable_in(scene.clock, source, fates, part), _whole(source, part) * promised)
        at = np.flatnonzero(np.isin(period, there))
        builder.put(rows[at], use.start, usable[:, period[at]] / ACCELERATORS_PER_UNIT, fates.of_future, zeros=True)
        lost = may[:, None] * peaks_in(scene.clock, source, fates, (part,)) / ACCELERATORS_PER_UNIT
        builder.gate_take(gate_row(scene, source.pool, np.arange(scene.periods)), use.start, lost, fates.of_future)


def _whole(source: Source, part: Part) -> float:
    """Usable accelerators of a part that is all there."""
    return part.accelerators * (1.0 - source.sparing_frac)
