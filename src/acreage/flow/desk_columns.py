"""The columns of what the desk's commands list, with their meaning; lessees are shown `DESK_LESSEE` and no more."""

from collections.abc import Mapping

from acreage.flow.column_types import COUNT, NUMBER, TEXT

_QUOTE = (TEXT, "The quote's id.")
_POOL = (TEXT, "The pool.")
_USD = "USD an accelerator-hour, as a decimal string"

DESK_KINDS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "quotes": {
        "id": _QUOTE,
        "lessee": (TEXT, "Who asked."),
        "tier": (TEXT, "contracted, reserved, on_demand or spot."),
        "pools": (TEXT, "The pools asked for."),
        "accelerators": (COUNT, "How many were asked for."),
        "from_at": (TEXT, "From when."),
        "until_at": (TEXT, "Until when."),
        "bid_usd": (TEXT, f"What was bid, {_USD}; null: the price was asked."),
        "verdict": (TEXT, "accept, counter or refuse."),
        "state": (TEXT, "given, admitted or lost."),
        "lease": (TEXT, "The lease it became."),
        "valid_until_at": (TEXT, "Until when it stands."),
        "told": (TEXT, "What the lessee is told."),
    },
    "terms": {
        "quote": _QUOTE,
        "number": (COUNT, "0: as asked; 1, 2, …: counter-offers, admitted with --counter."),
        "pool": _POOL,
        "accelerators": (COUNT, "How many."),
        "from_at": (TEXT, "From when."),
        "until_at": (TEXT, "Until when."),
        "price_usd": (TEXT, f"The price, {_USD}."),
        "amount_usd": (TEXT, "What it comes to in all, USD as a decimal string."),
    },
    "reasons": {
        "quote": _QUOTE,
        "because": (TEXT, "The rule in the way: nothing, capacity, anchor, recall, price or floor."),
        "why": (TEXT, "In words."),
        "tables": (TEXT, "The version of the tables it was made on."),
        "pool": _POOL,
        "tightest_at": (TEXT, "The day with the least free."),
        "free": (COUNT, "Free under the rules on that day."),
        "capacity": (COUNT, "Capacity on that day."),
        "firm": (COUNT, "Leased firm on that day."),
        "recallable": (COUNT, "Leased recallable on that day."),
        "protected": (COUNT, "Kept for the anchor on that day."),
        "contracted": (COUNT, "What the anchor has a right to on that day."),
        "short_before_frac": (NUMBER, "Probability that the anchor is short as the books stand, on its worst day."),
        "short_after_frac": (NUMBER, "The same with this lease."),
        "short_max_frac": (NUMBER, "The limit."),
        "recall_frac": (NUMBER, "Probability that the anchor recalls it, on its worst day."),
        "displacement_usd": (NUMBER, "USD of later business it is expected to displace, damages included."),
        "revenue_usd": (NUMBER, "USD it brings at the bid."),
    },
    "sights": {
        "at": (TEXT, "When."),
        "actor": (TEXT, "Who."),
        "role": (TEXT, "In which role."),
        "act": (TEXT, "What was looked at or done."),
        "subjects": (TEXT, "Which quotes or leases."),
    },
    "protection": {
        "pool": _POOL,
        "day_at": (TEXT, "The day."),
        "capacity": (COUNT, "Capacity."),
        "contracted": (COUNT, "What the anchor has a right to."),
        "expected": (NUMBER, "What it is expected to need."),
        "protected": (COUNT, "What is kept for it from firm leases."),
        "firm": (COUNT, "Leased firm."),
        "recallable": (COUNT, "Leased recallable."),
        "free_firm": (COUNT, "Free for firm leases."),
        "free_recallable": (COUNT, "Free for recallable leases."),
        "bid_firm_usd": (NUMBER, "USD that one more accelerator-hour displaces, firm."),
        "bid_recallable_usd": (NUMBER, "The same, recallable."),
        "short_frac": (NUMBER, "Probability that the anchor is short."),
    },
    "outcomes": {
        "policy": (TEXT, "What decided: books, desk, protect-all, first-come, clairvoyant."),
        "revenue_usd": (NUMBER, "Revenue less compensation and damages."),
        "revenue_low_usd": (NUMBER, "Lower end of its 95 % confidence interval; null where it is no estimate."),
        "revenue_high_usd": (NUMBER, "Upper end."),
        "usd_per_accelerator_hour": (NUMBER, "Revenue an accelerator-hour leased to others."),
        "utilisation_frac": (NUMBER, "Share of capacity used, by the anchor and others."),
        "spill_frac": (NUMBER, "Share of the accelerator-hours asked for at the floor or above that was turned away."),
        "short_promised_frac": (NUMBER, "Probability that the anchor is short on a day, as promised by the books."),
        "short_met_frac": (NUMBER, "Share of days on which it was short."),
        "short_low_frac": (NUMBER, "Lower end of its 95 % confidence interval."),
        "short_high_frac": (NUMBER, "Upper end."),
        "admitted": (NUMBER, "Leases admitted."),
        "recalled": (NUMBER, "Leases recalled."),
    },
    "margins": {
        "against": (TEXT, "The policy the desk is compared with, on the same arrivals."),
        "margin_frac": (NUMBER, "Revenue of the desk over it, less 1."),
        "low_frac": (NUMBER, "Lower end of its 95 % confidence interval."),
        "high_frac": (NUMBER, "Upper end."),
    },
}

DESK_LESSEE = ("quotes", "terms")
"""The listings that a lessee may see, of its own quotes."""
