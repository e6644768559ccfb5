"""What the commands of requests for quotes list: the columns of each listing, their JSON types and meanings."""

from collections.abc import Mapping

from acreage.flow.column_types import COUNT, NUMBER, TEXT, YES

_USD_HOUR = "USD an effective accelerator-hour of the reference chip, as a decimal string"
_USD = "USD as a decimal string"

RFQ_KINDS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "rfqs": {
        "id": (TEXT, "Its id."),
        "title": (TEXT, "What it is called."),
        "stage": (TEXT, "created, asking, closed (the deadline has passed), awarded or canceled."),
        "disclosure": (TEXT, "sealed or open."),
        "round": (COUNT, "The current round; 0 before the first."),
        "answers_until_at": (TEXT, "Its deadline."),
        "vendors": (COUNT, "Vendors asked."),
        "answers": (COUNT, "Vendors that answered in the current round."),
        "offers": (COUNT, "Offers that can be accepted."),
    },
    "rfq_needs": {
        "id": (TEXT, "The lot."),
        "wanted": (TEXT, "How much of which chip."),
        "accelerators": (TEXT, "Chips that would do, the reference first."),
        "from_at": (TEXT, "From when."),
        "until_at": (TEXT, "Until when."),
    },
    "rfq_vendors": {
        "provider": (TEXT, "The vendor."),
        "reference": (TEXT, "Its own random reference."),
        "pools": (TEXT, "Pools it may offer from."),
        "rounds": (TEXT, "Rounds it answered."),
        "offers": (COUNT, "Its offers that can be accepted."),
        "countered": (YES, "Whether a counter waits to be sent or answered."),
    },
    "rfq_offers": {
        "id": (TEXT, "The offer's id in plans and books."),
        "provider": (TEXT, "The vendor."),
        "state": (TEXT, "Proposed, Superseded, Canceled or Expired."),
        "round": (COUNT, "The round it answers."),
        "pool": (TEXT, "The pool."),
        "accelerators": (COUNT, "The most that can be taken."),
        "price_usd": (TEXT, "USD for one unit of the basis, energy included."),
        "price_basis": (TEXT, "What one pays for."),
        "start_from_at": (TEXT, "First start."),
        "term": (TEXT, "Its term."),
        "expires_at": (TEXT, "When it lapses."),
        "late": (YES, "Whether it came after the deadline."),
        "source": (TEXT, "File, row and day it was received."),
    },
    "rfq_events": {
        "id": (TEXT, "The fact."),
        "at": (TEXT, "When, ISO-8601 with Z."),
        "actor": (TEXT, "Who recorded it."),
        "told": (TEXT, "In words."),
    },
    "rfq_files": {
        "provider": (TEXT, "The vendor."),
        "file": (TEXT, "A file written for it."),
        "sha256": (TEXT, "SHA-256 of the file, hexadecimal."),
    },
    "comparison": {
        "offer": (TEXT, "The offer."),
        "provider": (TEXT, "The vendor."),
        "accelerators": (COUNT, "The quantity compared."),
        "headline_usd": (TEXT, "USD an accelerator-hour as quoted, whatever the basis, as a decimal string."),
        "normalised_usd": (TEXT, f"Everything included: {_USD_HOUR}."),
        "hours": (NUMBER, "Effective accelerator-hours had, discounted."),
        "total_usd": (TEXT, f"Discounted cost, {_USD}."),
        "largest": (TEXT, "The component that moves it most."),
    },
    "components": {
        "offer": (TEXT, "The offer."),
        "component": (TEXT, "A step from the quoted to the comparable price."),
        "usd": (TEXT, f"What it adds, {_USD_HOUR}."),
        "note": (TEXT, "Why."),
    },
    "worths": {
        "offer": (TEXT, "The offer."),
        "term": (TEXT, "A change of its terms."),
        "usd": (TEXT, f"What it would be worth to the buyer, {_USD}."),
        "usd_per_hour": (TEXT, f"The same, {_USD_HOUR}."),
    },
    "counters": {
        "offer": (TEXT, "The offer."),
        "provider": (TEXT, "The vendor."),
        "in_plan": (YES, "Whether the best plan has it as it stands."),
        "accelerators": (COUNT, "At which quantity."),
        "asked_usd": (TEXT, "USD an accelerator-hour asked, as a decimal string."),
        "walk_away_usd": (TEXT, "The price at which it leaves or enters the plan; null: none does."),
        "expires_usd": (TEXT, f"What is lost if it expires tonight, {_USD}; null: not known."),
        "cheapest": (TEXT, "The cheapest change that brings it into the plan; empty: it is in it, or none does."),
        "reason": (TEXT, "Why."),
    },
    "changes": {
        "offer": (TEXT, "The offer."),
        "change": (TEXT, "One change of its terms."),
        "enters": (TEXT, "Whether the best plan has it then: yes, no, or unclear within the gap."),
        "gain_usd": (TEXT, f"What the best plan costs less then, {_USD}."),
        "forgone_usd": (TEXT, f"Payments that the vendor forgoes by it, {_USD}."),
    },
    "pivotal": {
        "provider": (TEXT, "The vendor."),
        "usd": (TEXT, f"What the best plan costs more without its offers, {_USD}; null: there is no plan then."),
        "pivotal": (YES, "Whether that is more than the gap of the plan."),
    },
    "awards": {
        "offer": (TEXT, "The offer."),
        "provider": (TEXT, "The vendor."),
        "accelerators": (COUNT, "Awarded; 0: none."),
        "starts_at": (TEXT, "First day."),
        "ends_at": (TEXT, "Last."),
        "bid_usd": (TEXT, f"Discounted payments as bid, {_USD}."),
        "paid_usd": (TEXT, f"Discounted payments by the rule, {_USD}."),
        "lease": (TEXT, "The lease proposed."),
        "reason": (TEXT, "Why it was not awarded."),
    },
}
"""Listings by name: column -> JSON type and meaning."""
