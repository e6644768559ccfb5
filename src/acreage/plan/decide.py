"""The first stage in words: which columns at which values mean which signings, releases, homes and ports."""

from collections import defaultdict

from acreage.domain.plan import Decision, Home, Port, Release, Signing
from acreage.plan.formulate.costs import port_cost_usd
from acreage.plan.formulate.formulate import Formulation
from acreage.plan.formulate.layout import Column, ColumnKind
from acreage.plan.formulate.variants import Ending
from acreage.plan.problem import Vector
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
