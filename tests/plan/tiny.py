"""Tiny random portfolios on which every way of signing can be tried; each has some of the commercial rules.

Rule number `seed % len(RULES)` is always in, others by chance, so that a few dozen seeds have them all.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from acreage.domain.future import Future, Outage
from acreage.domain.lease import Commitment
from acreage.domain.portfolio import Budget, Portfolio, Risk, ShareCap, ShareLevel, Uncertainty
from acreage.domain.price import PriceKind
from acreage.domain.provider import MarketAccess, PurchaseRule
from acreage.domain.terms import (
    Exclusivity,
    ExtensionOption,
    FeeStep,
    FirstRefusal,
    Milestone,
    PriceTier,
    RecallRight,
    SpendCommitment,
    SpendKind,
    Termination,
    Terms,
    Tranche,
)
from acreage.domain.workload import (
    PortState,
    ResearchShare,
    ServingFleet,
    TrainingRun,
)
from acreage.plan.problem import Vector
from acreage.units.ids import CommitmentId, PoolId, ProviderId, WorkloadId
from acreage.units.instants import Duration, add_days
from acreage.units.money import MicroUsd
from tests.plan.audit_case import CHIP, H100, price, provider
from tests.plan.tiny_draft import (
    CHAT,
    EDGES,
    LAB,
    POWER,
    RUN,
    START,
    TPU,
    Draft,
    empty_pool,
    new_offer,
    plain,
    runs_on,
    tpu_chip,
)

Rule = Callable[[Draft], None]


def _pick(draft: Draft) -> int:
    return int(draft.rng.integers(0, len(draft.offers)))


def ramp(draft: Draft) -> None:
    """An offer comes in two tranches and begins with a fee holiday."""
    number = _pick(draft)
    late = Tranche(share_frac=0.5, after=Duration(months=1))
    draft.offer(number, tranches=(Tranche(share_frac=0.5, after=Duration()), late))
    draft.terms(
        number, fee_steps=(FeeStep(after=Duration(), fee_frac=0.5), FeeStep(after=Duration(months=1), fee_frac=1.0))
    )


def late_delivery(draft: Draft) -> None:
    """A future delivers late: a credit beyond grace, and tranches that may be given up."""
    number = _pick(draft)
    offer = draft.offers[number]
    draft.offer(
        number,
        tranches=tuple(
            replace(t, grace_days=5, late_discount_frac=0.4, terminable_after_days=20) for t in offer.tranches
        ),
    )
    days = int(draft.rng.choice([12, 45, 400]))
    draft.future(1, delay_days={(str(offer.id), 0): days, **draft.futures[1].delay_days})


def take_or_pay(draft: Draft) -> None:
    """Part of an offer's fee, or of the held lease's, is due only when it is used."""
    draft.terms(_pick(draft), take_or_pay_frac=0.6)
    if draft.rng.random() < 0.5:
        draft.held(take_or_pay_frac=0.7)


def money_terms(draft: Draft) -> None:
    """A prepayment, spares, and a price that rises each year."""
    draft.terms(_pick(draft), prepayment_frac=0.25, sparing_frac=0.05, escalator_frac_per_year=0.04)
    draft.held(escalator_frac_per_year=0.03)


def recall(draft: Draft) -> None:
    """An offer's lessor may take it back, and does in a future."""
    number = _pick(draft)
    draft.terms(number, recall=RecallRight(after=Duration(months=1), notice_days=20, recalls_per_year=1.0))
    draft.future(1, recalled_at={str(draft.offers[number].id): add_days(EDGES[1], 10)})


def pledge_held(draft: Draft) -> None:
    """A commitment held, with two milestones; on-demand charges may count."""
    eligible = {SpendKind.LEASE} | ({SpendKind.ON_DEMAND} if draft.rng.random() < 0.5 else set())
    draft.commitments.append(Commitment(id=CommitmentId("pledge"), spend=_spend(draft, ProviderId("old"), eligible)))


def pledge_offered(draft: Draft) -> None:
    """A commitment that comes with signing an offer."""
    draft.offer(0, commitment=_spend(draft, ProviderId("new"), {SpendKind.LEASE, SpendKind.ON_DEMAND}))


def _spend(draft: Draft, by: ProviderId, eligible: set[SpendKind]) -> SpendCommitment:
    size = int(draft.rng.integers(1, 5)) * 300_000
    return SpendCommitment(
        provider=by,
        starts_at=START,
        milestones=(
            Milestone(due_at=EDGES[1], cumulative_micro_usd=_micro(size)),
            Milestone(due_at=add_days(EDGES[2], -4), cumulative_micro_usd=_micro(2 * size)),
        ),
        drawn_micro_usd=_micro(50_000),
        eligible=frozenset(eligible),
    )


def _micro(amount_usd: float) -> MicroUsd:
    return MicroUsd(round(amount_usd * 1e6))


def exclusivity_held(draft: Draft) -> None:
    """The held lease's lessor is exclusive for a while."""
    until_at = EDGES[int(draft.rng.integers(1, 3))]
    draft.held(exclusivity=Exclusivity(until_at=until_at, accelerators=(H100,)))


def exclusivity_offered(draft: Draft) -> None:
    """An offer comes with exclusivity."""
    draft.terms(_pick(draft), exclusivity=Exclusivity(until_at=EDGES[int(draft.rng.integers(1, 3))]))


def first_refusal(draft: Draft) -> None:
    """The held lease's lessor may match other offers."""
    draft.held(first_refusal=FirstRefusal(until_at=EDGES[1], response_days=int(draft.rng.choice([10, 20, 40]))))


def most_favored(draft: Draft) -> None:
    """The held lease's price falls to that of a cheaper offer of its lessor."""
    draft.held(most_favoured=True, price=price(2.9))


def share_cap(draft: Draft) -> None:
    """No supplier, or no chip vendor, site or group, holds too much of firm capacity."""
    level = list(ShareLevel)[int(draft.rng.integers(0, 4))]
    cap = ShareCap(level=level, share_max_frac=float(draft.rng.choice([0.4, 0.7])), from_at=EDGES[1])
    if draft.rng.random() < 0.5:
        member = {"supplier": "new", "chip_vendor": "Google", "site": "new site", "equity_group": "new group"}
        cap = replace(cap, member=member[level])
    draft.policy = replace(draft.policy, share_caps=(cap,))


def survive_loss(draft: Draft) -> None:
    """Capacity without any one supplier carries a share of what must be served."""
    fleet = draft.workloads[CHAT]
    assert isinstance(fleet, ServingFleet)
    draft.workloads[CHAT] = replace(fleet, must=True)
    draft.policy = replace(draft.policy, survive_loss_frac=float(draft.rng.choice([0.05, 0.2])))
    _market(draft, "old", 4_000)


def suppliers_min(draft: Draft) -> None:
    """A fleet keeps a share of what it serves whichever provider fails."""
    fleet = draft.workloads[CHAT]
    assert isinstance(fleet, ServingFleet)
    draft.workloads[CHAT] = replace(fleet, n_minus_1_keep_frac=0.3, supplier_share_max_frac=0.8)


def budget(draft: Draft) -> None:
    """New signings cost at most so much cash in the first months."""
    limit = _micro(float(draft.rng.uniform(0.3e6, 3e6)))
    draft.policy = replace(draft.policy, budgets=(Budget(from_at=START, until_at=EDGES[2], limit_micro_usd=limit),))


def requires(draft: Draft) -> None:
    """One offer needs another."""
    draft.offer(1, requires=(draft.offers[0].id,))


def excludes(draft: Draft) -> None:
    """Two offers cannot both be signed."""
    draft.offer(0, excludes=(draft.offers[1].id,))


def tiers(draft: Draft) -> None:
    """From two blocks on, every block is cheaper."""
    number = _pick(draft)
    draft.offer(number, blocks_max=3, tiers=(PriceTier(blocks_min=2, price_frac=0.8),))


def extension(draft: Draft) -> None:
    """A short offer can be extended."""
    number = _pick(draft)
    draft.offer(number, term=Duration(months=1))
    draft.terms(number, extension=ExtensionOption(duration=Duration(months=2), price_frac=0.9))


def early_exit(draft: Draft) -> None:
    """An offer can be left early, for a fee."""
    number = _pick(draft)
    draft.offer(number, term=Duration(months=8))
    draft.terms(
        number,
        firm_term=Duration(months=1),
        termination=Termination(notice_days=15, fee_frac=float(draft.rng.choice([0.0, 0.1]))),
    )


def release(draft: Draft) -> None:
    """The held lease can be left early."""
    draft.held(
        firm_term=Duration(months=2),
        termination=Termination(notice_days=20, fee_frac=float(draft.rng.choice([0.0, 0.05]))),
        price=price(float(draft.rng.choice([2.9, 4.5]))),
    )


def gang(draft: Draft) -> None:
    """A training run that needs so many accelerators at once, in one pool."""
    _run(draft, gang_min=512)


def loose_run(draft: Draft) -> None:
    """A training run without a gang."""
    _run(draft, gang_min=1)


def _run(draft: Draft, gang_min: int) -> None:
    rng = draft.rng
    width = float(rng.uniform(300, 900))
    draft.workloads[RUN] = TrainingRun(
        id=RUN,
        work=width * 24 * 31,
        work_unit="H100-hour",
        release_at=EDGES[0],
        deadline_at=EDGES[1] if rng.random() < 0.5 else add_days(EDGES[1], 9),
        late_micro_usd_per_day=_micro(float(rng.uniform(5e3, 5e4))),
        unfinished_micro_usd=_micro(float(rng.uniform(5e5, 3e6))),
        work_sd_frac=0.0,
        must=False,
        capabilities=(runs_on(1.0, gang_min=gang_min, gang_max=1_024),),
        pools=(),
    )


def research(draft: Draft) -> None:
    """A research share, met on average."""
    size = float(draft.rng.uniform(100, 600))
    draft.workloads[LAB] = ResearchShare(
        id=LAB,
        accelerators=size,
        reference=H100,
        from_at=START,
        until_at=None,
        growth_per_year=1.0,
        unmet_micro_usd_per_accelerator_hour=_micro(float(draft.rng.uniform(1.0, 4.0))),
        must=False,
        capabilities=(runs_on(1.0), runs_on(0.7, TPU)),
        pools=(),
    )
    draft.demand[LAB] = np.full(len(draft.periods), size)


def purchase_rule(draft: Draft) -> None:
    """A provider sells its product with lead times, terms and sizes within limits."""
    rule = PurchaseRule(
        product="block",
        lead_time_min=Duration(days=10),
        lead_time_max=Duration(months=2),
        term_min=Duration(months=2),
        term_max=None,
        accelerators_max=1_024,
        cancellable=False,
        source="made up",
    )
    new = ProviderId("new")
    draft.providers[new] = replace(draft.providers[new], purchase_rules=(rule,))
    draft.offer(0, start_until_at=EDGES[1])


def on_demand(draft: Draft) -> None:
    """Accelerators by the hour, at prices and limits that move."""
    _market(draft, "new", 600)


def spot(draft: Draft) -> None:
    """Spot accelerators."""
    pool = draft.pools[PoolId("old-pool")]
    access = MarketAccess(price=price(1.4, PriceKind.SPOT), accelerators_max=400)
    draft.pools[pool.id] = replace(pool, spot=access)
    count = len(draft.periods)
    draft.future(1, price_factor={**draft.futures[1].price_factor, pool.id: draft.rng.uniform(0.5, 2.5, count)})


def _market(draft: Draft, by: str, limit: int) -> None:
    pool = draft.pools[PoolId(f"{by}-pool")]
    access = MarketAccess(price=price(3.1, PriceKind.ON_DEMAND), accelerators_max=limit)
    draft.pools[pool.id] = replace(pool, on_demand=access)
    count = len(draft.periods)
    draft.future(1, limit_factor={**draft.futures[1].limit_factor, pool.id: draft.rng.uniform(0.3, 1.2, count)})


def outage(draft: Draft) -> None:
    """A provider fails for some weeks in a future."""
    by = ProviderId(str(draft.rng.choice(["old", "new"])))
    draft.future(1, outages=(Outage(provider=by, from_at=add_days(EDGES[0], 20), until_at=EDGES[2], lost_frac=0.8),))


def port(draft: Draft) -> None:
    """A third pool of another chip, which the fleet could be ported to; its offer takes the second one's place."""
    third = ProviderId("third")
    draft.providers[third] = replace(provider(third), equity_group="new group")
    draft.pools[PoolId("third-pool")] = empty_pool(third, TPU)
    cheap = replace(new_offer(draft.rng, "tpus", third), blocks_max=2)
    draft.offers[1] = replace(cheap, terms=Terms(price=price(1.0)))
    fleet = draft.workloads[CHAT]
    assert isinstance(fleet, ServingFleet)
    cost = _micro(float(draft.rng.choice([50_000, 2_000_000])))
    ported = runs_on(7.0, TPU, port_state=PortState.PORTABLE, port_cost_micro_usd=cost, port_lead_days=35)
    draft.workloads[CHAT] = replace(fleet, capabilities=(runs_on(10.0), ported))


def tail_risk(draft: Draft) -> None:
    """The objective weighs the worst futures more."""
    draft.policy = replace(draft.policy, risk=Risk(weight_frac=0.5, tail_frac=0.6))


def promise(draft: Draft) -> None:
    """The fleet must be served in the base future, which the market makes possible."""
    fleet = draft.workloads[CHAT]
    assert isinstance(fleet, ServingFleet)
    draft.workloads[CHAT] = replace(fleet, must=True)
    _market(draft, "old", 4_000)
    _market(draft, "new", 4_000)


RULES: Mapping[str, Rule] = {
    rule.__name__: rule
    for rule in (
        port,
        ramp,
        late_delivery,
        take_or_pay,
        money_terms,
        recall,
        pledge_held,
        pledge_offered,
        exclusivity_held,
        exclusivity_offered,
        first_refusal,
        most_favored,
        share_cap,
        survive_loss,
        suppliers_min,
        budget,
        requires,
        excludes,
        tiers,
        extension,
        early_exit,
        release,
        gang,
        loose_run,
        research,
        purchase_rule,
        on_demand,
        spot,
        outage,
        tail_risk,
        promise,
    )
}
"""Every commercial rule by name, in the order in which they are put in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tiny:
    """A tiny portfolio, its futures (the base first), its base demand and the rules that were put in."""

    portfolio: Portfolio
    futures: tuple[Future, ...]
    demand: Mapping[WorkloadId, Vector]
    rules: frozenset[str]


def tiny(seed: int, *also: str, only: bool = False) -> Tiny:
    """The tiny portfolio of a seed; `also` names rules to put in besides, or the `only` ones."""
    rng = np.random.default_rng(seed)
    draft = plain(rng)
    names = list(RULES)
    chosen = {*also}
    if not only:
        chosen |= {names[seed % len(names)], *(name for name in names if rng.random() < 0.12)}
    for name in names:
        if name in chosen:
            RULES[name](draft)
    return Tiny(
        portfolio=_portfolio(draft, seed),
        futures=tuple(draft.futures),
        demand=draft.demand,
        rules=frozenset(chosen),
    )


def _portfolio(draft: Draft, seed: int) -> Portfolio:
    return Portfolio(
        name=f"tiny {seed}",
        description="",
        as_of_at=START,
        periods=draft.periods,
        accelerators={H100: CHIP, TPU: tpu_chip()},
        effective_tflops=POWER,
        providers=draft.providers,
        pools=draft.pools,
        leases=tuple(draft.leases),
        commitments=tuple(draft.commitments),
        offers=tuple(draft.offers),
        workloads=tuple(draft.workloads.values()),
        policy=draft.policy,
        uncertainty=Uncertainty(
            futures=2,
            seed=seed,
            demand_sd_frac_per_year=0.0,
            price_sd_frac_per_year=0.0,
            market_limit_sd_frac=0.0,
            tightness_weight_frac=0.0,
        ),
        stresses=(),
        places={},
    )
