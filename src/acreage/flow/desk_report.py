"""The desk's page from its books: what stands, what is kept, what it would displace, and why each was answered so."""

from pathlib import Path

import numpy as np
import polars as pl

from acreage import __version__
from acreage.desk.book import daily
from acreage.desk.outcome import CLAIRVOYANT, YearOutcome
from acreage.desk.reasons import in_full, part_text, terms_text
from acreage.desk.year import Policy
from acreage.domain.desk import LeaseRequest, Tier
from acreage.flow.books_columns import Row
from acreage.flow.desk import Room, Viewer, asks_known
from acreage.flow.desk_learn import learn, learnt_row
from acreage.flow.desk_outcome import simulated
from acreage.flow.desk_quotes import choices
from acreage.flow.desk_tables import protection_frame
from acreage.ledger.claims import claims
from acreage.ledger.desk_log import Logged, QuoteState, look, quotes
from acreage.report.desk_page import DeskStory, render_desk
from acreage.units.errors import InputError, Place
from acreage.units.instants import SECONDS_PER_DAY, SECONDS_PER_HOUR, Instant, iso, iso_date
from acreage.units.money import MICRO_PER_USD, usd_text


def write_report(room: Room, viewer: Viewer, out: Path, *, replications: int, seed: int, force: bool) -> Path:
    """Write the page; `replications` simulated years of other policies beside it, none with 0.

    For the desk and the auditor. Raises `InputError` where the file is there already and `force` is not given.
    """
    viewer.must_be("desk", "auditor")
    if out.exists() and not force:
        raise InputError("it is there already", fix="name another file, or --force", place=Place(file=str(out)))
    look(room.ledger, str(viewer), "report", ())
    found = None
    if replications:
        now = room.ledger.clock()
        found = simulated(room.desk, now, seed=seed, replications=replications, warm_days=90)
    html = render_desk(story_of(room, found), __version__)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(html, encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", place=Place(file=str(out))) from None
    return out


def story_of(room: Room, found: YearOutcome | None) -> DeskStory:
    """Everything the page tells, from the books as they stand."""
    desk, now, asks = room.desk, room.ledger.clock(), asks_known(room)
    log = [_as_known(one, now) for one in quotes(room.ledger) if one.quote.given_at <= now]
    days = protection_frame(asks).with_columns(pl.from_epoch("day_at", time_unit="s"))
    leased, booked = _leased(room)
    return DeskStory(
        name=desk.name,
        lessor=desk.lessor,
        day=iso_date(now),
        tables=asks.tables.version,
        anchor=desk.anchor.name,
        short_max_frac=desk.rules.anchor_short_max_frac,
        days=days,
        leased=leased,
        log=[_log_row(one) for one in reversed(log)],
        learnt=[_learnt_row(learnt_row(room, one)) for one in learn(room)],
        booked_usd=booked,
        accepted=sum(one.state is QuoteState.ADMITTED for one in log),
        outcomes=_outcomes(found) if found else None,
        margin=_margin(found) if found else "",
    )


def _leased(room: Room) -> tuple[pl.DataFrame, float]:
    """What is leased to others by pool, day and tier, and the USD it brings from today on."""
    horizon, booked, frames = room.horizon(), 0.0, []
    starts = pl.from_epoch(pl.Series(horizon.starts()), time_unit="s")
    for pool in room.desk.pools:
        let = claims(room.ledger, pool.id, room.ledger.clock()).filter(
            pl.col("lease").is_not_null() & (pl.col("accelerators") > 0)
        )
        for tier in Tier:
            mine = let.filter(pl.col("tier") == tier.value)
            columns = (mine[name].to_numpy() for name in ("accelerators", "from_at", "until_at"))
            accelerators = daily(horizon, *columns)
            if np.any(accelerators):
                frames.append(
                    pl.DataFrame({"day_at": starts, "accelerators": accelerators}).with_columns(
                        pool=pl.lit(str(pool.id)), tier=pl.lit(tier.value)
                    )
                )
        seconds = (pl.col("until_at") - pl.max_horizontal("from_at", pl.lit(horizon.from_at))).clip(0)
        worth = let.select((seconds * pl.col("accelerators") * pl.col("micro_usd").cast(pl.Float64)).sum()).item()
        booked += float(worth) / SECONDS_PER_HOUR / MICRO_PER_USD
    nothing = pl.DataFrame(
        schema={"day_at": pl.Datetime("us"), "accelerators": pl.Int64(), "pool": pl.String(), "tier": pl.String()}
    )
    return pl.concat(frames) if frames else nothing, booked


def _as_known(logged: Logged, now: Instant) -> Logged:
    """A quote as it stood at an instant."""
    if logged.settled_at is None or logged.settled_at <= now:
        return logged
    return Logged(quote=logged.quote, state=QuoteState.GIVEN)


def _log_row(logged: Logged) -> tuple[str, ...]:
    """One request as texts, in the order of the page's columns."""
    quote, request = logged.quote, logged.quote.request
    offered = [terms_text(one) for one in choices(logged) if one is not None]
    why = in_full(request, quote.answer)
    became = f"lease {', '.join(logged.leases)}" if logged.leases else logged.state.value
    return (
        iso(quote.given_at),
        request.lessee,
        request.tier.value,
        _asked(request),
        "asked the price" if request.bid_micro_usd is None else usd_text(request.bid_micro_usd),
        quote.answer.verdict.value + (f": {'; or '.join(offered)}" if offered else ""),
        became,
        f"{why}; then {logged.why}" if logged.state is QuoteState.LOST else why,
        quote.id[:8],
    )


def _asked(request: LeaseRequest) -> str:
    """What a request asks for, on one line."""
    if request.parts:
        return " and ".join(part_text(part) for part in request.parts)
    days = (request.until_at - request.from_at) / SECONDS_PER_DAY
    return (
        f"{request.accelerators:,} in {' or '.join(request.pools)} from {iso_date(request.from_at)} for {days:g} days"
    )


def _learnt_row(row: Row) -> tuple[str, ...]:
    """One tier and pool as texts, in the order of the page's columns."""
    prices = ("middle_usd", "best_usd", "best_low_usd", "best_high_usd", "list_usd")
    texts = ["" if row[name] is None else f"{row[name]:.2f}" for name in prices]
    if row["best_usd"] is not None and row["best_high_usd"] is None:
        texts[3] = "no limit"
    return row["tier"], row["pool"], f"{row['offers']:,}", f"{row['taken']:,}", *texts, row["finding"]


def _outcomes(found: YearOutcome) -> pl.DataFrame:
    rows = [(one.policy, one.revenue_usd) for one in found.policies] + [(CLAIRVOYANT, found.clairvoyant_usd)]
    return pl.DataFrame(
        [(name, one.mean / 1e6, one.low / 1e6, one.high / 1e6) for name, one in rows],
        schema={"policy": pl.String, "musd": pl.Float64, "low": pl.Float64, "high": pl.Float64},
        orient="row",
    ).fill_nan(None)


def _margin(found: YearOutcome) -> str:
    parts = {
        policy: ", ".join(
            f"{one.frac.mean:+.1%} against {one.against} ({one.frac.low:+.1%} to {one.frac.high:+.1%})"
            for one in found.margins
            if one.policy == policy
        )
        for policy in dict.fromkeys(one.policy for one in found.margins)
    }
    desk = found.policies[0]
    priced = f" Where nobody bids, best prices: {parts[Policy.BEST_PRICES]}." if Policy.BEST_PRICES in parts else ""
    return (
        f"The desk over {found.replications} years, seed {found.seed}: {parts[Policy.DESK]}. The anchor was promised "
        f"to be short on at most {desk.short_promised_frac:.3%} of days and was on {desk.short_met.mean:.3%}.{priced}"
    )
