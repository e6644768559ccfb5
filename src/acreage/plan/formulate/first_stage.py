"""First-stage columns and the rules that bind them; one `define_…` function for each family."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from acreage.domain.lease import Offer
from acreage.domain.portfolio import Portfolio, ShareCap, ShareLevel
from acreage.domain.workload import (
    Capability,
    PortState,
    ResearchShare,
    ServingFleet,
    TrainingRun,
    Workload,
)
from acreage.plan.formulate.capacity import (
    Clock,
    Source,
    firm,
    peak,
    source_of_lease,
    source_of_variant,
)
from acreage.plan.formulate.layout import Column, ColumnKind, FirstStageBuilder
from acreage.plan.formulate.variants import (
    Barred,
    Ending,
    Variant,
    release_dates,
    variants_of,
)
from acreage.plan.problem import ACCELERATORS_PER_UNIT, Vector
from acreage.units.ids import AcceleratorName, PoolId, WorkloadId


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """The first stage laid out: its builder, the sources behind columns and why offers are barred.

    `sources` maps HELD, BLOCKS and RELEASE columns to the source of one unit; a RELEASE
    column's source is what the lease becomes. `homes`, `gangs` and `ports` find columns.
    """

    builder: FirstStageBuilder
    sources: Mapping[int, Source]
    barred: Mapping[str, str]
    homes: Mapping[tuple[str, PoolId], int]
    gangs: Mapping[tuple[str, PoolId, int], int]
    ports: Mapping[tuple[str, AcceleratorName], int]
    markets: Mapping[PoolId, int]
    pledges: Mapping[str, tuple[int, ...]]


def usable_capability(workload: Workload, accelerator: AcceleratorName) -> Capability | None:
    """How the workload runs on a chip, if it does or can be made to."""
    for capability in workload.capabilities:
        if capability.accelerator == accelerator and capability.port_state is not PortState.NO:
            return capability
    return None


def eligible_pools(portfolio: Portfolio, workload: Workload) -> Iterator[tuple[PoolId, Capability]]:
    """The pools a workload may use, with how it runs there."""
    for pool in portfolio.pools.values():
        capability = usable_capability(workload, pool.accelerator)
        if capability is not None and (not workload.pools or pool.id in workload.pools):
            yield pool.id, capability


def is_gang(workload: Workload) -> bool:
    """Whether a workload runs as a gang on any of its chips, and so needs one home."""
    return isinstance(workload, TrainingRun) and any(c.gang_min > 1 for c in workload.capabilities)


def lay_out(
    portfolio: Portfolio,
    clock: Clock,
    demand: Mapping[WorkloadId, Vector],
    waived: frozenset[str],
) -> Choices:
    """All first-stage columns and rows of a portfolio but for budgets, which need prices."""
    builder = FirstStageBuilder()
    sources: dict[int, Source] = {}
    barred: dict[str, str] = {}
    define_holdings(builder, portfolio, sources)
    markets = define_markets(builder, portfolio)
    for offer in portfolio.offers:
        found = variants_of(portfolio, offer, waived=waived)
        if isinstance(found, Barred):
            barred[offer.id] = found.reason
        else:
            define_offer(builder, offer, found, sources)
    pledges = define_pledges(builder, portfolio)
    ports = define_ports(builder, portfolio)
    homes = define_homes(builder, portfolio, ports)
    gangs = define_gangs(builder, portfolio, clock, sources, homes)
    define_matches(builder, portfolio)
    define_relations(builder, portfolio)
    define_exclusivity(builder, portfolio)
    for cap in portfolio.policy.share_caps:
        define_share_cap(builder, portfolio, clock, sources, cap)
    define_survival(builder, portfolio, clock, sources, demand)
    return Choices(
        builder=builder,
        sources=sources,
        barred=barred,
        homes=homes,
        gangs=gangs,
        ports=ports,
        markets=markets,
        pledges=pledges,
    )


def define_holdings(builder: FirstStageBuilder, portfolio: Portfolio, sources: dict[int, Source]) -> None:
    """A given column for each lease held, and its possible releases."""
    for lease in portfolio.leases:
        held = builder.column(Column(kind=ColumnKind.HELD, subject=lease.id), lower=1.0, upper=1.0)
        sources[held] = source_of_lease(lease)
        releases = {}
        for at in release_dates(portfolio, lease):
            column = builder.column(Column(kind=ColumnKind.RELEASE, subject=lease.id, at=at), upper=1.0)
            sources[column] = source_of_lease(lease, at)
            releases[column] = 1.0
        if releases:
            builder.row({**releases, held: -1.0}, upper=0.0)


def define_markets(builder: FirstStageBuilder, portfolio: Portfolio) -> dict[PoolId, int]:
    """A given column for each pool that sells by the hour."""
    return {
        pool.id: builder.column(Column(kind=ColumnKind.MARKET, subject=pool.id), lower=1.0, upper=1.0)
        for pool in portfolio.pools.values()
        if pool.on_demand is not None or pool.spot is not None
    }


def define_offer(
    builder: FirstStageBuilder,
    offer: Offer,
    variants: tuple[Variant, ...],
    sources: dict[int, Source],
) -> None:
    """Blocks of each variant, a mode for each tier and ending, at most one mode."""
    modes: dict[tuple[int, Ending], list[int]] = defaultdict(list)
    limits: dict[tuple[int, Ending], tuple[int, int]] = {}
    for variant in variants:
        column = builder.column(
            Column(
                kind=ColumnKind.BLOCKS,
                subject=offer.id,
                detail=variant.ending,
                variant=variant,
            ),
            upper=float(variant.blocks_max),
        )
        sources[column] = source_of_variant(variant)
        modes[variant.blocks_min, variant.ending].append(column)
        limits[variant.blocks_min, variant.ending] = (
            variant.blocks_min,
            variant.blocks_max,
        )
    chosen = {}
    for (low, ending), columns in modes.items():
        mode = builder.column(
            Column(kind=ColumnKind.MODE, subject=offer.id, detail=f"{low}:{ending}"),
            upper=1.0,
        )
        chosen[mode] = 1.0
        least, most = limits[low, ending]
        blocks = dict.fromkeys(columns, 1.0)
        builder.row({**blocks, mode: -float(most)}, upper=0.0)
        builder.row({**blocks, mode: -float(least)}, lower=0.0)
    if len(chosen) > 1:
        builder.row(chosen, upper=1.0)


def define_pledges(builder: FirstStageBuilder, portfolio: Portfolio) -> dict[str, tuple[int, ...]]:
    """The columns that switch each spend commitment on: a given one if held, else its offer's modes."""
    pledges: dict[str, tuple[int, ...]] = {}
    for commitment in portfolio.commitments:
        column = builder.column(Column(kind=ColumnKind.PLEDGE, subject=commitment.id), lower=1.0, upper=1.0)
        pledges[commitment.id] = (column,)
    for offer in portfolio.offers:
        modes = tuple(i for i, c in columns_of(builder, ColumnKind.MODE) if c.subject == offer.id)
        if offer.commitment is not None and modes:
            pledges[offer.id] = modes
    return pledges


def columns_of(builder: FirstStageBuilder, kind: ColumnKind) -> Iterator[tuple[int, Column]]:
    """The columns of one kind, with their numbers."""
    return ((i, c) for i, c in enumerate(builder.columns) if c.kind is kind)


def define_ports(builder: FirstStageBuilder, portfolio: Portfolio) -> dict[tuple[str, AcceleratorName], int]:
    """A column for each port that could be made."""
    pool_chips = {pool.accelerator for pool in portfolio.pools.values()}
    ports: dict[tuple[str, AcceleratorName], int] = {}
    for workload in portfolio.workloads:
        for capability in workload.capabilities:
            if capability.port_state is PortState.PORTABLE and capability.accelerator in pool_chips:
                column = Column(
                    kind=ColumnKind.PORT,
                    subject=workload.id,
                    detail=capability.accelerator,
                )
                ports[workload.id, capability.accelerator] = builder.column(column, upper=1.0)
    return ports


def define_homes(
    builder: FirstStageBuilder,
    portfolio: Portfolio,
    ports: Mapping[tuple[str, AcceleratorName], int],
) -> dict[tuple[str, PoolId], int]:
    """One home at most for each gang; a home on a chip not yet ported needs the port."""
    homes: dict[tuple[str, PoolId], int] = {}
    for workload in portfolio.workloads:
        if not is_gang(workload):
            continue
        mine = {}
        for pool_id, capability in eligible_pools(portfolio, workload):
            column = builder.column(
                Column(kind=ColumnKind.HOME, subject=workload.id, detail=pool_id),
                upper=1.0,
            )
            homes[workload.id, pool_id] = column
            mine[column] = 1.0
            port = ports.get((workload.id, capability.accelerator))
            if port is not None:
                builder.row({column: 1.0, port: -1.0}, upper=0.0)
        builder.row(mine, upper=1.0)
    return homes


def define_gangs(
    builder: FirstStageBuilder,
    portfolio: Portfolio,
    clock: Clock,
    sources: Mapping[int, Source],
    homes: Mapping[tuple[str, PoolId], int],
) -> dict[tuple[str, PoolId, int], int]:
    """Where promised capacity may be below a gang's minimum, a column says in which periods it may run.

    Periods that see the same capacity share a column.
    """
    gangs: dict[tuple[str, PoolId, int], int] = {}
    by_id = {str(w.id): w for w in portfolio.workloads}
    for (workload_id, pool_id), home in homes.items():
        run = by_id[workload_id]
        assert isinstance(run, TrainingRun)
        capability = usable_capability(run, portfolio.pools[pool_id].accelerator)
        assert capability is not None
        held, offered = _promised_in(builder, portfolio, clock, sources, pool_id)
        columns: dict[GangRow, int] = {}
        released = _released_at_most(builder, offered, len(held))
        for t in np.flatnonzero(held - released < capability.gang_min):
            if portfolio.periods[t].until_at <= run.release_at:
                continue
            row = _gang_row({i: series[t] for i, series in offered.items()}, held[t], capability.gang_min)
            column = columns.get(row)
            if column is None:
                what = Column(kind=ColumnKind.GANG, subject=workload_id, detail=pool_id, period=int(t))
                column = columns[row] = builder.column(what, upper=1.0)
                builder.row({column: 1.0, home: -1.0}, upper=0.0)
                builder.row({**dict(row[0]), column: -1.0}, lower=row[1])
            gangs[workload_id, pool_id, int(t)] = column
    return gangs


def _released_at_most(builder: FirstStageBuilder, offered: Mapping[int, Vector], periods: int) -> Vector:
    """Accelerators (T,) that releases could take away at most: one release a lease."""
    taken: dict[str, Vector] = defaultdict(lambda: np.zeros(periods))
    for number, series in offered.items():
        subject = builder.columns[number].subject
        taken[subject] = np.maximum(taken[subject], -series)
    return np.asarray(sum(taken.values(), np.zeros(periods)))


GangRow = tuple[tuple[tuple[int, float], ...], float]
"""Terms and lower bound of `terms - gang >= lower`."""


def _gang_row(offered: Mapping[int, float], held: float, gang_min: int) -> GangRow:
    """A gang needs its minimum: what is offered, as shares of what is missing, is at least the gang.

    One unit never needs to count for more than all of it, which cuts fractions off; where a release can
    take away, the plain row has to do.
    """
    changes = {i: value for i, value in offered.items() if value != 0.0}
    if any(value < 0.0 for value in changes.values()):
        plain = tuple((i, round(value / gang_min, 12)) for i, value in sorted(changes.items()))
        return plain, -round(held / gang_min, 12)
    missing = gang_min - held
    return tuple((i, round(min(1.0, value / missing), 12)) for i, value in sorted(changes.items())), 0.0


def _promised_in(
    builder: FirstStageBuilder,
    portfolio: Portfolio,
    clock: Clock,
    sources: Mapping[int, Source],
    pool_id: PoolId,
) -> tuple[Vector, dict[int, Vector]]:
    """Peaks of a pool as promised (T,): given (held and by the hour), and what a unit of each choice changes."""
    pool = portfolio.pools[pool_id]
    limit = sum(access.accelerators_max for access in (pool.on_demand, pool.spot) if access is not None)
    held = np.full(len(clock.hours), float(limit))
    choices: dict[int, Vector] = {}
    kept = {c.subject: peak(clock, sources[i], sources[i].parts) for i, c in columns_of(builder, ColumnKind.HELD)}
    for number, source in sources.items():
        column = builder.columns[number]
        if source.pool != pool_id:
            continue
        if column.kind is ColumnKind.HELD:
            held = held + kept[column.subject]
        elif column.kind is ColumnKind.RELEASE:
            choices[number] = peak(clock, source, source.parts) - kept[column.subject]
        else:
            choices[number] = peak(clock, source, source.parts)
    return held, choices


def define_matches(builder: FirstStageBuilder, portfolio: Portfolio) -> None:
    """Most-favored leases: which signed offer's lower price the held lease falls to, if any."""
    blocks = list(columns_of(builder, ColumnKind.BLOCKS))
    for lease in portfolio.leases:
        if not lease.terms.most_favoured:
            continue
        splits: dict[tuple[str, int, str], int] = defaultdict(int)
        for _, column in blocks:
            splits[column.subject, column.variant.blocks_min, column.detail] += 1  # type: ignore[union-attr]
        releases = {c.at: i for i, c in columns_of(builder, ColumnKind.RELEASE) if c.subject == lease.id}
        stays: dict[int, float] = {}
        leaves: dict[int, dict[int, float]] = {number: {} for number in releases.values()}
        for number, column in blocks:
            variant = column.variant
            assert variant is not None
            same_chip = portfolio.pools[variant.offer.pool].accelerator == portfolio.pools[lease.pool].accelerator
            if variant.offer.provider != lease.provider or not same_chip:
                continue
            for at in (None, *releases):
                what = Column(kind=ColumnKind.MATCH, subject=lease.id, detail=variant.offer.id, variant=variant, at=at)
                match = builder.column(what, upper=1.0)
                # Split over start dates, one of them alone may have less than the minimum.
                alone = splits[column.subject, variant.blocks_min, column.detail] == 1
                builder.row({match: float(variant.blocks_min) if alone else 1.0, number: -1.0}, upper=0.0)
                (stays if at is None else leaves[releases[at]])[match] = 1.0
        if stays:
            builder.row({**stays, **dict.fromkeys(releases.values(), 1.0)}, upper=1.0)
        for release, matches in leaves.items():
            builder.row({**matches, release: -1.0}, upper=0.0)


def define_relations(builder: FirstStageBuilder, portfolio: Portfolio) -> None:
    """Offers that exclude or require each other."""
    modes: dict[str, dict[int, float]] = defaultdict(dict)
    for number, column in columns_of(builder, ColumnKind.MODE):
        modes[column.subject][number] = 1.0
    for offer in portfolio.offers:
        for other in offer.excludes:
            builder.row(
                {**modes[offer.id], **modes[other]},
                upper=1.0,
                rule=f"excludes:{offer.id}:{other}",
            )
        for other in offer.requires:
            needed = dict.fromkeys(modes[other], -1.0)
            builder.row(
                {**modes[offer.id], **needed},
                upper=0.0,
                rule=f"requires:{offer.id}:{other}",
            )


def define_exclusivity(builder: FirstStageBuilder, portfolio: Portfolio) -> None:
    """An exclusive offer forbids other providers' offers in its scope that start before it ends."""
    blocks = list(columns_of(builder, ColumnKind.BLOCKS))
    for offer in portfolio.offers:
        clause = offer.terms.exclusivity
        modes = {i: 1.0 for i, c in columns_of(builder, ColumnKind.MODE) if c.subject == offer.id}
        if clause is None or not modes:
            continue
        for number, column in blocks:
            variant = column.variant
            assert variant is not None
            chip = portfolio.pools[variant.offer.pool].accelerator
            in_scope = not clause.accelerators or chip in clause.accelerators
            if variant.offer.provider != offer.provider and in_scope and variant.starts_at < clause.until_at:
                most = float(variant.blocks_max)
                terms = {number: 1.0, **dict.fromkeys(modes, most)}
                builder.row(terms, upper=most, rule=f"exclusivity:{offer.id}")


def member_of(portfolio: Portfolio, level: ShareLevel, pool_id: PoolId) -> str:
    """Which member of a level (supplier, chip vendor, site, equity group) a pool counts towards."""
    pool = portfolio.pools[pool_id]
    if level is ShareLevel.SUPPLIER:
        return pool.provider
    if level is ShareLevel.CHIP_VENDOR:
        return portfolio.accelerators[pool.accelerator].vendor
    if level is ShareLevel.SITE:
        return pool.site
    return portfolio.providers[pool.provider].equity_group


def effective(
    builder: FirstStageBuilder,
    portfolio: Portfolio,
    clock: Clock,
    sources: Mapping[int, Source],
) -> dict[int, Vector]:
    """Firm effective PFLOP/s (T,) of one unit of each column that brings or takes capacity."""
    found = {}
    held = {c.subject: i for i, c in columns_of(builder, ColumnKind.HELD)}
    for number, source in sources.items():
        tflops = portfolio.effective_tflops[portfolio.pools[source.pool].accelerator]
        series = firm(clock, source)
        column = builder.columns[number]
        if column.kind is ColumnKind.RELEASE:
            series = series - firm(clock, sources[held[column.subject]])
        found[number] = series * tflops / 1_000.0
    return found


def define_share_cap(
    builder: FirstStageBuilder,
    portfolio: Portfolio,
    clock: Clock,
    sources: Mapping[int, Source],
    cap: ShareCap,
) -> None:
    """No member of a level holds more than its share of firm effective capacity."""
    power = effective(builder, portfolio, clock, sources)
    scale = _power_scale(portfolio)
    members = {i: member_of(portfolio, cap.level, sources[i].pool) for i in power}
    for member in sorted({cap.member} if cap.member else set(members.values())):
        for t, period in enumerate(portfolio.periods):
            if period.from_at < cap.from_at:
                continue
            terms = {
                i: (float(members[i] == member) - cap.share_max_frac) * series[t] / scale for i, series in power.items()
            }
            builder.row(terms, upper=0.0, rule=f"share_cap:{cap.level}:{cap.member or 'each'}")


def _power_scale(portfolio: Portfolio) -> float:
    """PFLOP/s of a thousand of the strongest chips: brings share rows to the size of the others."""
    chips = {pool.accelerator for pool in portfolio.pools.values()}
    return max(portfolio.effective_tflops[chip] for chip in chips) * ACCELERATORS_PER_UNIT / 1_000.0


def must_power_need(portfolio: Portfolio, demand: Mapping[WorkloadId, Vector]) -> Vector:
    """Effective PFLOP/s (T,) that workloads marked must need in the base future.

    `demand` is the base demand of each serving fleet and research share; it is divided by the
    rate and multiplied by the effective power of each chip it is ported to, then averaged.
    """
    need = np.zeros(len(portfolio.periods))
    pool_chips = {pool.accelerator for pool in portfolio.pools.values()}
    for workload in portfolio.workloads:
        if not isinstance(workload, ServingFleet | ResearchShare) or not workload.must:
            continue
        per_unit = [
            portfolio.effective_tflops[c.accelerator] / c.rate_per_accelerator
            for c in workload.capabilities
            if c.port_state is PortState.PORTED and c.accelerator in pool_chips
        ]
        if per_unit:
            need += demand[workload.id] * float(np.mean(per_unit)) / 1_000.0
    return need


def define_survival(
    builder: FirstStageBuilder,
    portfolio: Portfolio,
    clock: Clock,
    sources: Mapping[int, Source],
    demand: Mapping[WorkloadId, Vector],
) -> None:
    """Firm effective capacity without any one supplier still carries its share of what must be served."""
    share = portfolio.policy.survive_loss_frac
    if share is None:
        return
    need = must_power_need(portfolio, demand)
    power = effective(builder, portfolio, clock, sources)
    scale = _power_scale(portfolio)
    suppliers = {i: portfolio.pools[sources[i].pool].provider for i in power}
    for lost in sorted(set(suppliers.values())):
        for t in range(len(portfolio.periods)):
            terms = {i: series[t] / scale for i, series in power.items() if suppliers[i] != lost}
            builder.row(terms, lower=share * need[t] / scale, rule="survive_loss")
