"""Desks and requests as people write them: YAML files, read with errors that say file, line and field."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from acreage.domain.accelerator import Accelerator
from acreage.domain.desk import (
    Anchor,
    AnchorContract,
    AnchorOption,
    Bursts,
    Desk,
    DeskPool,
    DeskRules,
    ForecastPoint,
    LeaseRequest,
    Spread,
    Step,
    Tier,
    TierDemand,
    TierTerms,
)
from acreage.domain.price import Price, PriceBasis, PriceKind
from acreage.portfolio.convert import shaped
from acreage.portfolio.desk_shape import (
    AnchorContractShape,
    DeskShape,
    RequestShape,
    SpreadShape,
    StepShape,
    TierDemandShape,
    TierShape,
)
from acreage.portfolio.document import At, Document, load_document, parse_document
from acreage.portfolio.limits import check_limits
from acreage.portfolio.names import Names
from acreage.portfolio.quantities import Where, date_at, price_of
from acreage.portfolio.shape import PoolShape, PortfolioShape, ProviderShape
from acreage.units.errors import InputError
from acreage.units.ids import AcceleratorName, LesseeName, PoolId, ProviderId
from acreage.units.instants import SECONDS_PER_HOUR, Instant, instant
from acreage.units.money import MicroUsd, micro_usd


def read_desk(path: Path, *, accelerators: Mapping[AcceleratorName, Accelerator]) -> Desk:
    """Read a desk file; raises `InputError` with file, line and column for whatever is wrong."""
    return _desk(load_document(path), accelerators)


def read_desk_text(text: str, file: str, *, accelerators: Mapping[AcceleratorName, Accelerator]) -> Desk:
    """Read a desk from text; `file` is its name in errors."""
    return _desk(parse_document(text, file), accelerators)


def read_request(path: Path, desk: Desk) -> LeaseRequest:
    """Read a request to a desk; raises `InputError` with file, line and column for whatever is wrong."""
    document = load_document(path)
    _mapping(document, "a request", "see `acreage schema desk-request`")
    shape = shaped(document, (), RequestShape, check=None)
    return request_of(
        desk,
        document,
        lessee=shape.lessee,
        tier=shape.tier,
        pools=[shape.pool] if shape.pool else shape.pools,
        accelerator=shape.accelerator,
        accelerators=shape.accelerators,
        from_at=date_at(shape.from_),
        until_at=date_at(shape.until),
        bid=shape.bid,
    )


def request_of(
    desk: Desk,
    document: Document,
    *,
    lessee: str,
    tier: str,
    pools: Sequence[str],
    accelerator: str,
    accelerators: int,
    from_at: Instant,
    until_at: Instant,
    bid: str,
) -> LeaseRequest:
    """A request from its parts; `document` knows where they stand. Raises `InputError`."""
    if bool(pools) == bool(accelerator):
        fix = "name a pool, pools, or an accelerator that any pool may have, and only one of them"
        raise InputError("where is not clear", fix=fix, place=document.place(()))
    chosen = [PoolId(pool) for pool in pools] or [p.id for p in desk.pools if p.accelerator == accelerator]
    if not chosen:
        chips = ", ".join(sorted({pool.accelerator for pool in desk.pools}))
        what = f"no pool of this desk has {accelerator!r}"
        raise InputError(what, fix=f"there are {chips}", place=document.place(("accelerator",)))
    for pool in chosen:
        if pool not in [known.id for known in desk.pools]:
            fix = f"the desk's pools are {', '.join(known.id for known in desk.pools)}"
            raise InputError(f"unknown pool {pool!r}", fix=fix, place=document.place(("pool",)))
    return LeaseRequest(
        lessee=LesseeName(lessee),
        tier=Tier(tier),
        pools=tuple(chosen),
        accelerators=accelerators,
        from_at=from_at,
        until_at=until_at,
        bid_micro_usd=hourly_price(document, ("bid",), bid) if bid else None,
    )


def options_document() -> Document:
    """A document for what was written on the command line."""
    return Document(file="the command line", value={}, places={})


def when(text: str) -> Instant:
    """A date or date-time of the command line."""
    return instant(text)


def _mapping(document: Document, what: str, fix: str) -> None:
    if not isinstance(document.value, dict):
        raise InputError(f"{what} is a mapping of fields", fix=fix, place=document.place(()))


def _desk(document: Document, accelerators: Mapping[AcceleratorName, Accelerator]) -> Desk:
    _mapping(document, "a desk", "see `acreage desk template`")
    shape = shaped(document, (), DeskShape, check=None)
    names = _names(document, shape, accelerators)
    check_limits(document, names)
    names.distinct("pool", "pools", [pool.id for pool in shape.pools])
    names.distinct_across("tier", [(tier.tier, ("tiers", i)) for i, tier in enumerate(shape.tiers)])
    anchor, rules = shape.anchor, shape.rules
    return Desk(
        name=shape.name,
        lessor=shape.lessor,
        horizon_days=shape.horizon_days,
        pools=tuple(
            DeskPool(
                id=PoolId(pool.id),
                accelerator=names.accelerator(pool.accelerator, ("pools", i, "accelerator")),
                region=pool.region,
                capacity=_steps(names, pool.capacity, ("pools", i, "capacity")),
            )
            for i, pool in enumerate(shape.pools)
        ),
        anchor=Anchor(
            name=anchor.name,
            call_notice_days=anchor.call_notice_days,
            damages_micro_usd=micro_usd(anchor.damages_usd_per_accelerator_hour),
            persistence_days=anchor.persistence_days,
            contracts=_contracts(names, anchor.contracts),
        ),
        tiers=tuple(_tier(document, names, tier, ("tiers", i)) for i, tier in enumerate(shape.tiers)),
        rules=DeskRules(
            anchor_short_max_frac=rules.anchor_short_max_frac,
            overbooking_max_frac=rules.overbooking_max_frac,
            recall_max_frac=rules.recall_max_frac,
            recall_compensation_micro_usd=micro_usd(rules.recall_compensation_usd_per_accelerator_hour),
            quote_valid_s=round(rules.quote_valid_hours * SECONDS_PER_HOUR),
            tick_micro_usd=micro_usd(rules.tick_usd),
            block_accelerators=rules.block_accelerators,
            counter_days_max=rules.counter_days_max,
        ),
        bursts=Bursts(per_year=shape.bursts.per_year, factor=shape.bursts.factor, days=shape.bursts.days)
        if shape.bursts
        else None,
        lessees=tuple(LesseeName(lessee) for lessee in shape.lessees),
        digest=hashlib.sha256(json.dumps(document.value, default=str, sort_keys=True).encode()).hexdigest(),
    )


def _names(document: Document, shape: DeskShape, accelerators: Mapping[AcceleratorName, Accelerator]) -> Names:
    """The names the desk itself introduces: its pools, of one provider, the lessor."""
    pools = [
        PoolShape(id=pool.id, provider=shape.lessor, region=pool.region, accelerator=pool.accelerator)
        for pool in shape.pools
    ]
    whole = PortfolioShape(
        name=shape.name,
        as_of=shape.pools[0].capacity[0].from_,
        grid=[],
        providers=[ProviderShape(id=shape.lessor)],
        pools=pools,
        workloads=[],
    )
    return Names(document=document, shape=whole, accelerators=accelerators)


def _steps(names: Names, steps: Sequence[StepShape], at: At) -> tuple[Step, ...]:
    for i in range(1, len(steps)):
        names.in_order(steps[i - 1].from_, steps[i].from_, "step", "the one before,", (*at, i, "from"))
    return tuple(Step(from_at=date_at(step.from_), accelerators=step.accelerators) for step in steps)


def _contracts(names: Names, shapes: Sequence[AnchorContractShape]) -> tuple[AnchorContract, ...]:
    named = [(one.pool, ("anchor", "contracts", i, "pool")) for i, one in enumerate(shapes)]
    names.distinct_across("anchor contract in", [(name, at) for name, at in named])
    found = []
    for i, one in enumerate(shapes):
        at: At = ("anchor", "contracts", i)
        for j in range(1, len(one.forecast)):
            before, then = one.forecast[j - 1].at, one.forecast[j].at
            names.in_order(before, then, "the forecast of", "that of", (*at, "forecast", j, "at"))
        found.append(
            AnchorContract(
                pool=names.pool(one.pool, (*at, "pool")),
                ramp=_steps(names, one.ramp, (*at, "ramp")),
                options=tuple(
                    AnchorOption(
                        from_at=date_at(option.from_),
                        accelerators=option.accelerators,
                        probability_frac=option.probability_frac,
                    )
                    for option in one.options
                ),
                forecast=tuple(
                    ForecastPoint(at=date_at(point.at), mean=point.mean, deviation=point.deviation)
                    for point in one.forecast
                ),
            )
        )
    return tuple(found)


def _tier(document: Document, names: Names, shape: TierShape, at: At) -> TierTerms:
    floor, list_price = (
        hourly_price(document, (*at, field), getattr(shape, field)) for field in ("floor", "list_price")
    )
    if list_price < floor:
        names.wrong("the list price is below the floor", "list at the floor or above", (*at, "list_price"))
    pools = [(demand.pool, (*at, "demand", i)) for i, demand in enumerate(shape.demand)]
    names.distinct_across("demand of this tier in", pools)
    return TierTerms(
        tier=Tier(shape.tier),
        recall_notice_days=shape.recall_notice_days,
        floor_micro_usd=floor,
        list_micro_usd=list_price,
        demand=tuple(_demand(names, one, (*at, "demand", i)) for i, one in enumerate(shape.demand)),
    )


def _demand(names: Names, shape: TierDemandShape, at: At) -> TierDemand:
    return TierDemand(
        pool=names.pool(shape.pool, (*at, "pool")),
        requests_per_day=shape.requests_per_day,
        accelerators=_spread(names, shape.accelerators, (*at, "accelerators")),
        days=_spread(names, shape.days, (*at, "days")),
        lead_days=_spread(names, shape.lead_days, (*at, "lead_days")),
        bid_usd_per_accelerator_hour=_spread(
            names, shape.bid_usd_per_accelerator_hour, (*at, "bid_usd_per_accelerator_hour")
        ),
    )


def _spread(names: Names, shape: SpreadShape, at: At) -> Spread:
    if shape.p90 < shape.median:
        names.wrong(f"p90 {shape.p90:g} is below the median {shape.median:g}", "exchange them", (*at, "p90"))
    return Spread(median=shape.median, p90=shape.p90)


def hourly_price(document: Document, at: At, text: str) -> MicroUsd:
    """A price an accelerator-hour in USD; raises `InputError` for another currency or unit, or none."""
    where = Where(provider=ProviderId(""), region="", accelerator=AcceleratorName(""), kind=PriceKind.CONTRACT)
    if text.split()[:1] == ["catalog"]:
        raise _unclear(document, at, text)
    price = price_of(document, at, text, where, _no_list_price)
    if price.basis is not PriceBasis.ACCELERATOR_HOUR:
        raise _unclear(document, at, text)
    return price.amount_micro_usd


def _unclear(document: Document, at: At, text: str) -> InputError:
    fix = "write for example 4.30 USD/accelerator_hour"
    return InputError(f"{text!r} is no price an accelerator-hour", fix=fix, place=document.place(at))


def _no_list_price(provider: str, region: str, accelerator: AcceleratorName, kind: PriceKind) -> Price | None:
    return None
