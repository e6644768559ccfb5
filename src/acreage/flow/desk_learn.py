"""What the desk learns from its own log; it is shown and never written into the document."""

import math

from acreage.desk.learning import Learnt, Offered, learnt
from acreage.desk.prices.answers import Unidentified
from acreage.domain.desk import Tier
from acreage.flow.books_columns import Listing, Row
from acreage.flow.desk import Room, Viewer
from acreage.ledger.desk_log import Logged, QuoteState, look, quotes
from acreage.units.ids import PoolId
from acreage.units.instants import SECONDS_PER_DAY, SECONDS_PER_HOUR, Instant
from acreage.units.money import usd

CONFIDENCE_FRAC = 0.95
LEARNT_SHOWN = ("tier", "pool", "offers", "taken", "middle_usd", "slope_per_usd", "best_usd", "list_usd", "finding")


def lessons(room: Room, viewer: Viewer, confidence_frac: float) -> Listing:
    """Take-up by tier and pool as a listing; for the desk and the auditor. The look is recorded."""
    viewer.must_be("desk", "auditor")
    rows = [learnt_row(room, one) for one in learn(room, confidence_frac)]
    look(room.ledger, str(viewer), "learn", ())
    return Listing(kind="take_up", rows=rows, shown=LEARNT_SHOWN)


def learn(room: Room, confidence_frac: float = CONFIDENCE_FRAC) -> list[Learnt]:
    """What was learnt by now of every tier in every pool that it is sold in or was asked for in."""
    now = room.ledger.clock()
    offered = offers_answered([one for one in quotes(room.ledger) if one.quote.given_at <= now], now)
    places = [(terms.tier, pool.id) for terms in room.desk.tiers for pool in room.desk.pools]
    return [learnt(tier, pool, offered.get((tier, pool), []), confidence_frac) for tier, pool in places]


def offers_answered(log: list[Logged], now: Instant) -> dict[tuple[Tier, PoolId], list[Offered]]:
    """Prices that were asked for and answered, by tier and pool.

    An offer is taken where its admission was asked for, whether or not there was still room; it is not where it
    lapsed. Counter-offers answer another question and are left out, as are requests of parts, whose price is of
    several pools or times, and quotes that still stand.
    """
    found: dict[tuple[Tier, PoolId], list[Offered]] = {}
    for one in log:
        quote, request, offer = one.quote, one.quote.request, one.quote.answer.offer
        open_still = one.state is QuoteState.GIVEN and now < quote.valid_until_at
        if offer is None or offer.parts or request.bid_micro_usd is not None or open_still:
            continue
        seconds = offer.until_at - offer.from_at
        hours = offer.accelerators * seconds / SECONDS_PER_HOUR
        found.setdefault((request.tier, offer.pool), []).append(
            Offered(
                price_usd=usd(offer.micro_usd),
                taken=one.state is not QuoteState.GIVEN,
                accelerators=offer.accelerators,
                days=seconds / SECONDS_PER_DAY,
                lead_days=(offer.from_at - quote.given_at) / SECONDS_PER_DAY,
                displaced_usd=quote.answer.reason.displacement_usd / hours,
            )
        )
    return found


def learnt_row(room: Room, one: Learnt) -> Row:
    """One tier and pool as a row; ends of intervals without limit are null."""
    terms = next(terms for terms in room.desk.tiers if terms.tier is one.tier)
    row: Row = dict.fromkeys(
        ("slope_per_usd", "slope_low_per_usd", "slope_high_per_usd", "best_usd", "best_low_usd", "best_high_usd")
    )
    finding = ""
    if isinstance(one.curve, Unidentified):
        finding = one.curve.what
    else:
        slope = one.curve.slope_per_usd
        row |= {"slope_per_usd": slope.found, "slope_low_per_usd": slope.low, "slope_high_per_usd": slope.high}
    if isinstance(one.best, Unidentified):
        finding = finding or one.best.what
    else:
        row |= {"best_usd": one.best.found, "best_low_usd": one.best.low, "best_high_usd": one.best.high}
    return {
        "tier": one.tier.value,
        "pool": one.pool,
        "offers": one.offers,
        "taken": one.taken,
        "beside": ", ".join(one.beside),
        "middle_usd": one.middle_usd,
        **{name: value if value is not None and math.isfinite(value) else None for name, value in row.items()},
        "displacement_usd": one.displaced_usd,
        "floor_usd": usd(terms.floor_micro_usd),
        "list_usd": usd(terms.list_micro_usd),
        "finding": finding,
    }
