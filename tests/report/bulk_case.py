"""A made-up set of answers in bulk, with every kind and every oddity that is said in words."""

from acreage.domain.bulk import (
    Bulk,
    ConcentrationPoint,
    FrontierPoint,
    FutureGroup,
    Information,
    Kind,
    Knowledge,
    Lever,
    Sensitivity,
    Signed,
    Waiting,
)
from acreage.domain.plan import Range
from acreage.units.instants import instant

M = 1e6
DEAL, MORE = Signed(offer="deal", accelerators=512), Signed(offer="more", accelerators=1_024)


def between(low: float, found: float, high: float) -> Range:
    """A range in millions."""
    return Range(low=low * M, found=found * M, high=high * M)


def point(weight: float, expected: float, cvar: float, *, plan: bool = False, dominated: bool = False) -> FrontierPoint:
    """A point of the frontier, proven to 1 %."""
    objective = (1 - weight) * expected + weight * cvar
    return FrontierPoint(
        weight_frac=weight,
        expected_usd=expected * M,
        cvar_usd=cvar * M,
        objective_usd=between(0.99 * objective, objective, objective),
        gap_frac=0.01,
        signed=(DEAL,) if weight < 0.5 else (DEAL, MORE),
        is_dominated=dominated,
        is_plan=plan,
    )


def step(cap: float | None, extra: float, largest: float, hhi: float) -> ConcentrationPoint:
    """A step of the caps that is kept."""
    return ConcentrationPoint(
        share_max_frac=cap,
        from_at=instant("2027-06-01"),
        objective_usd=between(99 + extra, 100 + extra, 100 + extra),
        extra_usd=between(extra and extra - 1, extra, extra and extra + 1),
        largest_frac=largest,
        largest="new",
        hhi=hhi,
        signed=(DEAL,),
        reason="",
    )


UNKEPT = ConcentrationPoint(
    share_max_frac=0.4,
    from_at=instant("2027-06-01"),
    objective_usd=None,
    extra_usd=None,
    largest_frac=None,
    largest="",
    hhi=None,
    signed=(),
    reason="no plan keeps it together with budget from 2027-01-01",
)


def moved(lever: Lever, subject: str, change: str, size: float, extra: Range | None, *changes: str) -> Sensitivity:
    """A lever moved by one step."""
    note = "" if extra is not None else "no plan keeps every rule then"
    return Sensitivity(
        lever=lever, subject=subject, change=change, step=size, extra_usd=extra, changes=changes, note=note
    )


def group(name: str, futures: int, probability: float, cost: float, *signed: Signed) -> FutureGroup:
    """A group of futures."""
    return FutureGroup(
        name=name, futures=futures, probability_frac=probability, cost_usd=between(cost, cost, cost), signed=signed
    )


def known(about: Knowledge, subject: str, value: Range, deciding: float, *groups: FutureGroup) -> Information:
    """Something that could be known."""
    return Information(
        about=about,
        subject=subject,
        value_usd=value,
        deciding_usd=deciding * M,
        groups=groups,
        solved_futures=sum(g.futures for g in groups) or 12,
    )


LATE = (group("on time", 8, 0.6, 90.0, DEAL), group("30 to 90 days late", 1, 0.4, 110.0, MORE))
BULK = Bulk(
    kinds=tuple(Kind),
    plan_usd=between(99.5, 100.0, 100.0),
    frontier=(
        point(0.0, 88, 130),
        point(0.2, 90, 120, plan=True),
        point(0.5, 95, 112),
        point(0.9, 99, 113, dominated=True),
    ),
    concentration=(step(None, 0.0, 0.8, 0.68), step(0.6, 4.0, 0.6, 0.52), UNKEPT),
    sensitivities=(
        moved(Lever.PRICE, "deal", "price +10%", 0.1, between(2.0, 2.5, 3.0), "do not sign deal", "sign 512 of more"),
        moved(Lever.PRICE, "deal", "price -10%", -0.1, between(-3.0, -2.6, -2.0)),
        moved(Lever.DELIVERY, "new", "deliveries 30 days later", 30.0, between(-0.4, 0.2, 0.6)),
        moved(Lever.DEMAND, "chat", "demand +10%", 0.1, None),
        moved(Lever.MARKET_PRICE, "all pools", "price by the hour x2", 2.0, between(5.0, 6.0, 6.5)),
    ),
    information=(
        known(Knowledge.DELIVERY, "deal", between(0.5, 2.0, 3.0), 1.5, *LATE),
        known(Knowledge.DEMAND, "chat", between(0.0, 0.4, 2.0), 0.1, *LATE),
        known(Knowledge.CHANCE, "a split by chance", between(0.1, 0.6, 1.0), 0.3, *LATE),
        known(Knowledge.EVERYTHING, "every future", between(8.0, 9.0, 9.5), 4.0),
    ),
    waiting=Waiting(
        until_at=instant("2027-04-01"),
        value_usd=between(0.0, 0.3, 2.0),
        deciding_usd=0.2 * M,
        now=(DEAL,),
        later=(MORE,),
        can_wait=("more", "most"),
        groups=(
            group("demand -5%, market 3% looser", 8, 0.6, 90.0),
            group("demand +9%, market 4% tighter", 1, 0.4, 1.0, MORE),
        ),
        reason="",
    ),
    unanswered=("price of most",),
    solves=42,
    seconds=1.0,
)
"""Everything at once."""
