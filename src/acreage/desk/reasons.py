"""Answers in words: in full for the desk, and for the lessee only what concerns it.

A lessee hears that its dates, quantity or price do not fit and what would; never who else is there, what
is leased, protected or free, nor which rule was in the way beyond its own terms.
"""

from acreage.domain.desk import Answer, Because, LeaseRequest, Part, Reason, Terms, Verdict
from acreage.units.instants import SECONDS_PER_DAY, SECONDS_PER_HOUR, iso, iso_date
from acreage.units.money import MICRO_PER_USD, MicroUsd, scaled, usd, usd_text

_ROOM = (Because.CAPACITY, Because.ANCHOR, Because.RECALL)


def in_full(request: LeaseRequest, answer: Answer) -> str:
    """Why the answer is what it is, for the desk."""
    reason = answer.reason
    day = iso_date(reason.tightest_at)
    match reason.because:
        case Because.CAPACITY:
            left = reason.capacity - reason.firm
            return (
                f"on {day} {left:,} of {reason.capacity:,} in {reason.pool} are not leased firm and "
                f"{reason.recallable:,} are leased recallable: {_there(request, reason):,} are not there"
            )
        case Because.ANCHOR:
            return (
                f"on {day} {reason.protected:,} of {reason.capacity:,} are kept for the anchor, which has a right to "
                f"{reason.contracted:,}; {_free(reason)}. Leasing {_there(request, reason):,} would leave it short "
                f"with probability {_share(reason.short_after_frac)}, against a limit of "
                f"{_share(reason.short_max_frac)}"
            )
        case Because.RECALL:
            return (
                f"on {day} the anchor would recall it with probability {_share(reason.recall_frac)}, more than "
                f"recallable leases are quoted with; {_free(reason)}"
            )
        case Because.FLOOR:
            return f"the bid is below the floor of {request.tier}, {usd(reason.floor_micro_usd):.2f} USD an hour"
        case Because.PRICE:
            return (
                f"it would displace {reason.displacement_usd:,.0f} USD of later business "
                f"({_hourly(reason.displacement_usd, request):.2f} USD an accelerator-hour) and brings "
                f"{reason.revenue_usd:,.0f} USD"
            )
    return (
        f"it displaces {reason.displacement_usd:,.0f} USD of later business "
        f"({_hourly(reason.displacement_usd, request):.2f} USD an accelerator-hour); the anchor is short with "
        f"probability {_share(reason.short_after_frac)} at most, the limit is {_share(reason.short_max_frac)}"
    )


def for_lessee(answer: Answer) -> str:
    """What the lessee is told beside the terms offered."""
    if answer.verdict is Verdict.ACCEPT:
        return "offered as asked"
    if answer.reason.because in _ROOM:
        return "this quantity cannot be offered on these dates"
    return "this price cannot be accepted"


def terms_text(terms: Terms) -> str:
    """Terms on one line."""
    parts = " and ".join(part_text(part) for part in terms.each())
    amount = amount_of(terms) / MICRO_PER_USD
    return f"{parts} at {_price(terms.micro_usd)} USD/accelerator_hour, {amount:,.2f} USD in all"


def part_text(part: Part) -> str:
    """How many, where and when."""
    dates = f"from {_day(part.from_at)} until {_day(part.until_at)}"
    return f"{part.accelerators:,} accelerators in {part.pool} {dates}"


def amount_of(terms: Terms) -> MicroUsd:
    """What terms come to in all."""
    return scaled(terms.micro_usd, sum(part.accelerator_seconds for part in terms.each()), SECONDS_PER_HOUR)


def _price(micro: int) -> str:
    """A price in cents, or as exactly as it is."""
    return f"{micro / MICRO_PER_USD:.2f}" if micro % (MICRO_PER_USD // 100) == 0 else usd_text(micro)


def _day(at: int) -> str:
    return iso_date(at) if at % SECONDS_PER_DAY == 0 else iso(at)


def _free(reason: Reason) -> str:
    return f"{max(reason.free, 0):,} are free under the rules"


def _hourly(amount_usd: float, request: LeaseRequest) -> float:
    return amount_usd * SECONDS_PER_HOUR / request.accelerator_seconds


def _there(request: LeaseRequest, reason: Reason) -> int:
    """What was asked for in the reason's pool on its day."""
    end = reason.tightest_at + SECONDS_PER_DAY
    here = [one for one in request.parts if one.pool == reason.pool and one.from_at < end]
    asked = [one.accelerators for one in here if one.until_at > reason.tightest_at]
    return max(asked, default=request.accelerators)


def _share(frac: float) -> str:
    return f"{frac:.2%}" if frac >= 0.0001 or frac == 0.0 else "below 0.01%"
