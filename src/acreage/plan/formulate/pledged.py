"""Spend commitments: eligible charges and shortfalls paid so far reach each milestone."""

from collections.abc import Mapping

import numpy as np

from acreage.domain.price import PriceKind
from acreage.domain.terms import SpendKind
from acreage.plan.formulate.capacity import may_give_up
from acreage.plan.formulate.first_stage import Choices
from acreage.plan.formulate.layout import RecourseBuilder, Use, UseKind
from acreage.plan.formulate.money import Pledge, in_units
from acreage.plan.formulate.recourse import Scene
from acreage.plan.formulate.supply import changes_of
from acreage.plan.formulate.till import Till
from acreage.plan.problem import ACCELERATORS_PER_UNIT, Vector
from acreage.plan.tables import Index
from acreage.pricing.invoice import Agreement
from acreage.pricing.present_value import discount_factor
from acreage.units.money import usd


def define_pledged(
    builder: RecourseBuilder,
    scene: Scene,
    pledges: tuple[Pledge, ...],
    till: Till,
    agreements: Mapping[int, Agreement],
) -> None:
    """Eligible charges and shortfalls paid so far reach each milestone of a commitment."""
    frac = scene.portfolio.policy.discount_frac_per_year
    nowhere = np.array([-1])
    for pledge in pledges:
        count = len(pledge.due_at)
        switches = scene.choices.pledges.get(pledge.id, ())
        if not switches:
            continue
        rows = builder.add_rows(count, lower=0.0)
        open_usd = np.array(pledge.pledged_usd) - usd(pledge.spend.drawn_micro_usd)
        for switch in switches:
            builder.couple(rows + np.arange(count), switch, -in_units(1.0) * open_usd)
        for i, due_at in enumerate(pledge.due_at):
            use = builder.add(
                UseKind.SHORTFALL,
                pledge.id,
                None,
                period=nowhere,
                block=np.array([i]),
                cost=discount_factor(due_at, scene.portfolio.as_of_at, frac),
            )
            for switch in switches:
                builder.couple_upper(use.start, switch, max(0.0, in_units(float(open_usd.max()))))
            builder.put(rows + np.arange(i, count), use.start, 1.0)
        _count_leases(builder, scene, pledge, rows, till, agreements)
        _count_use(builder, scene, pledge, rows)


def _count_leases(
    builder: RecourseBuilder,
    scene: Scene,
    pledge: Pledge,
    rows: int,
    till: Till,
    agreements: Mapping[int, Agreement],
) -> None:
    """Lease fees with the pledge's provider count as they are invoiced in each future."""
    every = rows + np.arange(len(pledge.due_at))
    for number, changes in changes_of(scene).items():
        source = scene.choices.sources[number]
        if source.provider != pledge.spend.provider or SpendKind.LEASE not in pledge.spend.eligible:
            continue
        fates = scene.fates_of(number)
        drawn = np.zeros((len(fates.recalled_at), len(pledge.due_at)))
        for i, sign in changes:
            worth = till.worth(agreements[i], scene.choices.sources[i], fates)
            drawn += sign * worth.drawn_usd[:, :, till.milestones(pledge)].sum(axis=1)
        builder.couple(every, number, drawn * in_units(1.0), fates.of_future)
    for use in builder.uses:
        if use.kind is UseKind.GIVE_UP and SpendKind.LEASE in pledge.spend.eligible:
            _uncount_given_up(builder, scene, pledge, every, use, till, agreements)


def _uncount_given_up(
    builder: RecourseBuilder,
    scene: Scene,
    pledge: Pledge,
    every: Index,
    use: Use,
    till: Till,
    agreements: Mapping[int, Agreement],
) -> None:
    """Fees of a part that is given up do not count; entries stand at every milestone, whatever the delays."""
    source = scene.choices.sources[use.column]
    if source.provider != pledge.spend.provider:
        return
    part = source.parts[int(use.rate[0])]
    fates = scene.fates_of(use.column)
    drawn = till.worth(agreements[use.column], source, fates).drawn_usd[:, part.index, till.milestones(pledge)]
    # Where the column stays at zero any entry will do: that of the first future keeps the table small.
    drawn = np.where(may_give_up(fates, part)[:, None], drawn, drawn[fates.of_future[0]])
    builder.put(every, use.start, -drawn * in_units(1.0), fates.of_future, zeros=True)


def _count_use(builder: RecourseBuilder, scene: Scene, pledge: Pledge, rows: int) -> None:
    """On-demand charges and use above take-or-pay count in periods that end by the milestone."""
    ends = scene.clock.edges[1:]
    for use in builder.uses:
        if not use.pool or scene.portfolio.pools[use.pool].provider != pledge.spend.provider:
            continue
        bought = (
            use.kind is UseKind.BUY
            and use.subject == PriceKind.ON_DEMAND
            and SpendKind.ON_DEMAND in pledge.spend.eligible
        )
        used = use.kind is UseKind.EXTRA and SpendKind.LEASE in pledge.spend.eligible
        if not (bought or used):
            continue
        hours = scene.block_hours(use.period, use.block)
        spent = use.rate * hours * ACCELERATORS_PER_UNIT * in_units(1.0)
        began = scene.clock.edges[:-1][use.period] >= pledge.spend.starts_at
        for i, due_at in enumerate(pledge.due_at):
            counts = (ends[use.period] <= due_at) & began
            builder.put(rows + i, np.arange(use.start, use.stop)[counts], spent[counts])


def open_pledges(choices: Choices, pledges: tuple[Pledge, ...], first: Vector) -> list[Pledge]:
    """The pledges that a first stage (N,) switches on."""
    return [p for p in pledges if any(first[i] > 0.5 for i in choices.pledges.get(p.id, ()))]
