"""What a desk came to: from its own history in the books, and in simulated years under other policies."""

import math

import numpy as np
import polars as pl

from acreage.desk.anchor import anchor_law
from acreage.desk.arrivals import Arrivals, MadeYear
from acreage.desk.book import daily
from acreage.desk.clairvoyant import clairvoyant_usd
from acreage.desk.horizon import Horizon, day_of
from acreage.desk.outcome import CLAIRVOYANT, Estimate, YearOutcome, ground_of, simulate
from acreage.desk.tables import HOURS, contract_in
from acreage.desk.year import Policy, run_years, shortfall
from acreage.domain.desk import Desk, DeskPool, Part
from acreage.flow.books_columns import Listing, Row
from acreage.flow.desk import Room, Viewer
from acreage.flow.desk_quotes import choices
from acreage.ledger.claims import claims
from acreage.ledger.desk_log import Logged, QuoteState, look, quotes
from acreage.units.errors import InputError
from acreage.units.ids import PoolId
from acreage.units.instants import SECONDS_PER_DAY, SECONDS_PER_HOUR, Instant, instant
from acreage.units.money import MICRO_PER_USD, usd

REPLICATIONS_MAX = 1_000
BOOKS = "books"
OUTCOMES_SHOWN = (
    "policy",
    "revenue_usd",
    "usd_per_accelerator_hour",
    "utilisation_frac",
    "spill_frac",
    "short_promised_frac",
    "short_met_frac",
    "admitted",
    "recalled",
)


def simulated(room_desk: Desk, from_at: Instant, *, seed: int, replications: int, warm_days: int) -> YearOutcome:
    """A simulated year of the desk; raises `InputError` for numbers out of bounds."""
    if not 1 <= replications <= REPLICATIONS_MAX or not 0 <= warm_days <= 3_650:
        fix = f"1 to {REPLICATIONS_MAX} replications, 0 to 3650 days to warm up"
        raise InputError(f"{replications} replications, {warm_days} days to warm up", fix=fix)
    if not any(tier.demand for tier in room_desk.tiers):
        raise InputError("no tier of the desk expects any demand", fix="add demand to its tiers")
    horizon = Horizon(day_of(from_at), room_desk.horizon_days)
    return simulate(room_desk, horizon, seed=seed, replications=replications, warm_days=warm_days)


def outcome_listings(found: YearOutcome) -> tuple[Listing, Listing]:
    """A simulated year as listings: by policy, and margins of one over another."""
    rows = [
        _row(
            one.policy,
            one.revenue_usd,
            one.short_met,
            usd_per_accelerator_hour=one.usd_per_accelerator_hour,
            utilisation_frac=one.utilisation_frac,
            spill_frac=one.spill_frac,
            short_promised_frac=one.short_promised_frac,
            admitted=one.admitted,
            recalled=one.recalled,
        )
        for one in found.policies
    ]
    rows.append(_row(CLAIRVOYANT, found.clairvoyant_usd, None))
    margins = [
        {
            "policy": one.policy,
            "against": one.against,
            "margin_frac": one.frac.mean,
            "low_frac": _known(one.frac.low),
            "high_frac": _known(one.frac.high),
        }
        for one in found.margins
    ]
    return Listing(kind="outcomes", rows=rows, shown=OUTCOMES_SHOWN), Listing(kind="margins", rows=margins)


def _row(policy: str, revenue: Estimate, met: Estimate | None, **figures: float) -> Row:
    names = (
        "usd_per_accelerator_hour",
        "utilisation_frac",
        "spill_frac",
        "short_promised_frac",
        "admitted",
        "recalled",
    )
    return {
        "policy": policy,
        "revenue_usd": revenue.mean,
        "revenue_low_usd": _known(revenue.low),
        "revenue_high_usd": _known(revenue.high),
        "short_met_frac": met.mean if met else None,
        "short_low_frac": _known(met.low) if met else None,
        "short_high_frac": _known(met.high) if met else None,
        **{name: figures.get(name) for name in names},
    }


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


def history(room: Room, viewer: Viewer, since: str | None, until: str | None) -> tuple[Listing, ...]:
    """What the desk came to over a stretch of its books, and what others would have on the same requests.

    Default: from its first quote to its last lease's end. For the desk and the auditor.
    """
    viewer.must_be("desk", "auditor")
    log = quotes(room.ledger)
    look(room.ledger, str(viewer), "outcome", ())
    if not log:
        raise InputError("the desk has answered nothing yet", fix="see `acreage desk quote`")
    first = instant(since) if since else log[0].quote.given_at
    ends = [one.quote.request.until_at for one in log if one.state is QuoteState.ADMITTED]
    last = instant(until) if until else max(ends, default=room.ledger.clock())
    horizon = Horizon(day_of(first), max(-(-(last - day_of(first)) // SECONDS_PER_DAY), 1))
    totals: dict[str, dict[str, float]] = {}
    for pool in room.desk.pools:
        for policy, figures in _pool_history(room, pool, horizon, log).items():
            sums = totals.setdefault(policy, {})
            for name, value in figures.items():
                sums[name] = sums.get(name, 0.0) + value
    rows = [_history_row(policy, sums) for policy, sums in totals.items()]
    return (Listing(kind="outcomes", rows=rows, shown=OUTCOMES_SHOWN),)


def _history_row(policy: str, sums: dict[str, float]) -> Row:
    revenue = Estimate(mean=sums["revenue"], low=float("nan"), high=float("nan"))
    if policy == CLAIRVOYANT:
        return _row(policy, revenue, None)
    met = sums["short"] / sums["days"]
    return _row(
        policy,
        revenue,
        Estimate(mean=met, low=float("nan"), high=float("nan")),
        usd_per_accelerator_hour=sums["revenue"] / max(sums["sold"], 1.0),
        utilisation_frac=sums["used"] / max(sums["held"], 1.0),
        spill_frac=sums["spilled"] / max(sums["asked"], 1.0),
        short_promised_frac=sums["promised"] / sums["days"],
        admitted=sums["admitted"],
        recalled=sums["recalled"],
    )


def _pool_history(room: Room, pool: DeskPool, horizon: Horizon, log: tuple[Logged, ...]) -> dict[str, dict[str, float]]:
    """The books' figures in one pool, and those of first-come, first-served and the bound on the same requests."""
    mine = [(one, part) for one in log for part in parts_in(one, pool.id)]
    held = claims(room.ledger, pool.id)
    ground = ground_of(room.desk, pool, horizon, horizon.days, slice(0, horizon.days))
    asked_by_anchor = held.filter(pl.col("holder") == room.desk.anchor.name)
    need = _daily(asked_by_anchor, horizon).astype(np.float64)
    year = MadeYear(_arrivals(room.desk, mine, horizon), need)
    (first_come,) = run_years(ground, [year], (Policy.FIRST_COME,), horizon.days)
    run = first_come[0]
    short = shortfall(ground, run)
    capacity = float(ground.capacity.sum())
    found = {BOOKS: _books(room, pool, horizon, mine, held)}
    found[Policy.FIRST_COME.value] = {
        "revenue": run.revenue_usd - HOURS * ground.penalties_usd[0] * float(short.sum()),
        "sold": run.sold_hours,
        "asked": run.asked_hours,
        "spilled": run.spilled_hours,
        "used": float((need - short + run.firm + run.recallable).sum()),
        "held": capacity,
        "short": float((short > 0).sum()),
        "days": horizon.days,
        "promised": float(ground.law.above((ground.capacity - run.firm_at_call).astype(np.float64)).sum()),
        "admitted": run.admitted,
        "recalled": run.recalled,
    }
    found[CLAIRVOYANT] = {"revenue": clairvoyant_usd(ground, year)}
    return found


def parts_in(logged: Logged, pool: PoolId) -> list[Part]:
    """What a quote asked for in a pool: its parts there, or, as one part, all of it where its answer is from there."""
    request = logged.quote.request
    if request.parts:
        return [part for part in request.parts if part.pool == pool]
    if logged.quote.answer.reason.pool != pool:
        return []
    return [Part(pool=pool, accelerators=request.accelerators, from_at=request.from_at, until_at=request.until_at)]


def _books(
    room: Room, pool: DeskPool, horizon: Horizon, mine: list[tuple[Logged, Part]], held: pl.DataFrame
) -> dict[str, float]:
    let = held.filter(pl.col("lease").is_not_null())
    of_anchor = pl.col("holder") == room.desk.anchor.name
    met = _daily(held.filter(of_anchor & (pl.col("state") == "claimed")), horizon)
    refused = _daily(held.filter(of_anchor & (pl.col("state") != "claimed")), horizon)
    low, high = horizon.from_at, horizon.until_at
    window = (pl.min_horizontal("until_at", high) - pl.max_horizontal("from_at", low)).clip(0)
    lost = (pl.min_horizontal("asked_until_at", high) - pl.max_horizontal("until_at", low)).clip(0)
    hours = let.select(
        (window * pl.col("accelerators")).sum().alias("sold"),
        (window * pl.col("accelerators") * pl.col("micro_usd").cast(pl.Float64)).sum().alias("micro"),
        (lost * pl.col("accelerators")).sum().alias("recalled"),
        (pl.col("until_at") < pl.col("asked_until_at")).sum().alias("count"),
    ).row(0, named=True)
    leased = _daily(let, horizon)
    # The promise of a day is what was leased when the anchor called for it: later leases know its need.
    known_at = pl.col("placed_at") + room.desk.anchor.call_notice_days * SECONDS_PER_DAY
    before = let.filter(pl.col("recall_notice_days").is_null()).with_columns(
        from_at=pl.max_horizontal("from_at", known_at)
    )
    firm = _daily(before.filter(pl.col("from_at") < pl.col("until_at")), horizon)
    capacity = horizon.levels(pool.capacity, least=True)
    law = anchor_law(contract_in(room.desk, pool.id), horizon)
    compensation = usd(room.desk.rules.recall_compensation_micro_usd) * hours["recalled"] / SECONDS_PER_HOUR
    damages = usd(room.desk.anchor.damages_micro_usd) * HOURS * float(refused.sum())
    asked = sum(_hours(part, horizon) for _, part in mine)
    taken = sum(_hours(part, horizon) for one, part in mine if one.state is QuoteState.ADMITTED)
    return {
        "revenue": hours["micro"] / MICRO_PER_USD / SECONDS_PER_HOUR - compensation - damages,
        "sold": hours["sold"] / SECONDS_PER_HOUR,
        "asked": asked,
        "spilled": asked - taken,
        "used": float((met + leased).sum()),
        "held": float(capacity.sum()),
        "short": float((refused > 0).sum()),
        "days": horizon.days,
        "promised": float(law.above((capacity - firm).astype(np.float64)).sum()),
        "admitted": sum(one.state is QuoteState.ADMITTED for one, _ in mine),
        "recalled": hours["count"],
    }


def _arrivals(desk: Desk, mine: list[tuple[Logged, Part]], horizon: Horizon) -> Arrivals:
    """The requests of the log; one without a bid is taken to bid what it was offered at, else its list price.

    Parts of one request arrive one by one here, each in its pool: nothing keeps a policy from taking some of them only.
    """
    terms = {tier.tier: tier for tier in desk.tiers}
    rows = []
    for one, part in mine:
        request, how = one.quote.request, terms[one.quote.request.tier]
        first, end = max(horizon.first_day(part.from_at), 0), min(horizon.end_day(part.until_at), horizon.days)
        day = max(horizon.first_day(one.quote.given_at), 0)
        offered = [choice.micro_usd for choice in choices(one) if choice is not None]
        bid = request.bid_micro_usd or (offered[0] if offered else how.list_micro_usd)
        if end > first >= day and bid >= how.floor_micro_usd:
            rows.append(
                (day, list(terms).index(request.tier), how.firm, part.accelerators, first, end, bid / MICRO_PER_USD)
            )
    columns = [np.array(column) for column in zip(*rows, strict=True)] or [np.zeros(0)] * 7
    made, tier, accelerators, start, stop = (columns[i].astype(np.int64) for i in (0, 1, 3, 4, 5))
    return Arrivals(made, tier, columns[2].astype(bool), accelerators, start, stop, columns[6].astype(np.float64))


def _hours(part: Part, horizon: Horizon) -> float:
    seconds = min(part.until_at, horizon.until_at) - max(part.from_at, horizon.from_at)
    return part.accelerators * max(seconds, 0) / SECONDS_PER_HOUR


def _daily(held: pl.DataFrame, horizon: Horizon) -> np.ndarray:
    accelerators, from_at, until_at = (held[name].to_numpy() for name in ("accelerators", "from_at", "until_at"))
    return daily(horizon, accelerators, from_at, until_at)
