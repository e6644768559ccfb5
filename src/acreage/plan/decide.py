"""The first stage in words: which columns at which values mean which signings, releases, homes and ports, and back."""

from collections import defaultdict
from collections.abc import Hashable

import numpy as np

from acreage.domain.plan import Decision, Home, Port, Release, Signing
from acreage.plan.formulate.costs import port_cost_usd
from acreage.plan.formulate.formulate import Formulation
from acreage.plan.formulate.layout import Column, ColumnKind
from acreage.plan.formulate.variants import Ending
from acreage.plan.problem import FirstStage, Vector
from acreage.units.ids import PoolId, WorkloadId


def decision_of(formulation: Formulation, first: Vector) -> Decision:
    """What a first stage (N,) decides."""
    chosen: dict[ColumnKind, list[tuple[Column, float]]] = defaultdict(list)
    for column, value in zip(formulation.choices.builder.columns, first, strict=True):
        if value > 0.5:
            chosen[column.kind].append((column, value))
    return Decision(
        signings=tuple(_signing(column, round(value)) for column, value in chosen[ColumnKind.BLOCKS]),
        releases=tuple(Release(lease=c.subject, ends_at=c.at) for c, _ in chosen[ColumnKind.RELEASE] if c.at),
        homes=tuple(Home(workload=WorkloadId(c.subject), pool=PoolId(c.detail)) for c, _ in chosen[ColumnKind.HOME]),
        ports=tuple(
            Port(
                workload=WorkloadId(c.subject),
                accelerator=c.detail,
                cost_usd=port_cost_usd(formulation.portfolio, c),
            )
            for c, _ in chosen[ColumnKind.PORT]
        ),
    )


def _signing(column: Column, blocks: int) -> Signing:
    variant = column.variant
    assert variant is not None
    return Signing(
        offer=variant.offer.id,
        blocks=blocks,
        accelerators=blocks * variant.offer.accelerators_per_block,
        starts_at=variant.starts_at,
        ends_at=variant.ends_at,
        extended=variant.ending is Ending.EXTENDED,
        ends_early=variant.ending is Ending.EARLY,
        price_frac=variant.price_frac,
    )


def first_stage_of(formulation: Formulation, decision: Decision) -> Vector:
    """The first stage (N,) that a decision stands for; gangs may run wherever its contracts allow it.

    Most-favored matches are left at zero: what they save is looked for anew when a plan is evaluated.
    Raises `KeyError` where the formulation has no column for a part of the decision.
    """
    values: dict[Hashable, float] = {
        (ColumnKind.BLOCKS, s.offer, s.starts_at, s.ends_at, s.price_frac): float(s.blocks) for s in decision.signings
    }
    values |= {(ColumnKind.RELEASE, r.lease, r.ends_at): 1.0 for r in decision.releases}
    values |= {(ColumnKind.HOME, h.workload, h.pool): 1.0 for h in decision.homes}
    values |= {(ColumnKind.PORT, p.workload, p.accelerator): 1.0 for p in decision.ports}
    columns = formulation.choices.builder.columns
    first = np.zeros(len(columns))
    for i, column in enumerate(columns):
        if column.kind in GIVEN:
            first[i] = 1.0
        else:
            first[i] = values.pop(_key(column), 0.0)
    if values:
        raise KeyError(f"no column stands for {next(iter(values))}")
    modes = {
        (c.subject, f"{v.blocks_min}:{v.ending}")
        for c, x in zip(columns, first, strict=True)
        if x > 0.5 and (v := c.variant) is not None
    }
    for i, column in enumerate(columns):
        if column.kind is ColumnKind.MODE:
            first[i] = float((column.subject, column.detail) in modes)
    return _gangs_opened(formulation, first)


GIVEN = (ColumnKind.HELD, ColumnKind.MARKET, ColumnKind.PLEDGE)


def _key(column: Column) -> Hashable:
    variant = column.variant
    if column.kind is ColumnKind.BLOCKS and variant is not None:
        return column.kind, column.subject, variant.starts_at, variant.ends_at, variant.price_frac
    if column.kind is ColumnKind.RELEASE:
        return column.kind, column.subject, column.at
    return column.kind, column.subject, column.detail


def _gangs_opened(formulation: Formulation, first: Vector) -> Vector:
    """The first stage with every gang that its rows allow."""
    stage: FirstStage = formulation.problem.first
    columns = stage.matrix.tocsc()
    level = stage.matrix @ first
    for number in sorted({*formulation.choices.gangs.values()}):
        mine = slice(columns.indptr[number], columns.indptr[number + 1])
        rows = columns.indices[mine]
        there = level[rows] + columns.data[mine]
        low, high = stage.row_lower[rows] - GANG_TOLERANCE, stage.row_upper[rows] + GANG_TOLERANCE
        if ((there >= low) & (there <= high)).all():
            first[number] = 1.0
    return first


GANG_TOLERANCE = 1e-9
"""Slack of a gang's rows that is rounding."""
