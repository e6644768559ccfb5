"""The page behind a counter-offer, for the buyer's eyes only: walk-away prices, what would help, who is pivotal."""

from acreage.domain.countering import Countering, Pivot, Standpoint
from acreage.domain.plan import Range
from acreage.domain.rfq import Rfq
from acreage.report.renderers.page import Card, Page, Section, TextTable
from acreage.report.words import count, money, price, signed_money


def countering_page(rfq: Rfq, found: Countering) -> Page:
    """The page; nothing of it may be shown to a vendor."""
    signed = [one for one in found.standpoints if one.verdict.signed]
    pivotal = [pivot for pivot in found.pivots if pivot.pivotal]
    cards = (
        Card(label="In the plan as they stand", value=count(len(signed)), note=f"of {len(found.standpoints)} offers"),
        Card(
            label="Would enter with one change",
            value=count(sum(one.cheapest is not None for one in found.standpoints)),
            note="the cheapest one is named below",
        ),
        Card(
            label="Pivotal vendors",
            value=count(len(pivotal)),
            note=", ".join(pivot.provider for pivot in pivotal) or "each could be replaced at no extra cost",
        ),
        Card(label="Known to", value=money(found.gap_frac * found.objective_usd), note="the gap of one plan"),
    )
    return Page(
        title=f"{rfq.title}: what to counter",
        subtitle="Confidential: walk-away prices and what would change the plan. Not for vendors",
        cards=cards,
        sections=(_offers(found), _changes(found), _pivots(found)),
    )


def _offers(found: Countering) -> Section:
    columns = ("Offer", "In the plan", "Accelerators", "Asked $/h", "Walk-away $/h", "Lost if it expires tonight")
    return Section(
        id="offers",
        title="Where each offer stands",
        paragraphs=(
            "The walk-away price is the price at which an offer leaves or enters the best plan. An offer that is not "
            "in the plan is no loss at its present terms.",
        ),
        table=TextTable(
            columns=(*columns, "The cheapest change that brings it in"),
            rows=tuple(_offer(one) for one in found.standpoints),
            numbers=frozenset(columns[2:]),
            strong=frozenset(i for i, one in enumerate(found.standpoints) if one.verdict.signed),
        ),
    )


def _offer(one: Standpoint) -> tuple[str, ...]:
    verdict, cheapest = one.verdict, one.cheapest
    walk = verdict.walk_away_usd_per_accelerator_hour
    lost = "none" if not verdict.signed else _range(verdict.worth_usd) if verdict.worth_usd else "no plan without it"
    return (
        str(one.offer),
        "yes" if verdict.signed else "no",
        count(verdict.at_accelerators) if verdict.at_accelerators else "",
        price(verdict.asked_usd_per_accelerator_hour),
        price(walk.found) if walk is not None else verdict.reason,
        lost,
        cheapest.words if cheapest is not None else "" if verdict.signed else "none that was tried",
    )


def _range(worth: Range) -> str:
    return f"{money(worth.found)} ({money(worth.low)} to {money(worth.high)})"


def _changes(found: Countering) -> Section:
    columns = ("Offer", "Change", "Enters", "The plan gains", "The vendor forgoes")
    return Section(
        id="changes",
        title="What each change would do",
        paragraphs=(
            "Each change alone, all else equal. What the vendor forgoes is the present value of payments that it can "
            "count on; what a change costs it besides is its own to say.",
        ),
        table=TextTable(
            columns=columns,
            rows=tuple(
                (
                    str(one.offer),
                    change.words,
                    change.verdict,
                    signed_money(change.gain_usd.found) if change.gain_usd is not None else "cannot be in a plan",
                    money(change.forgone_usd),
                )
                for one in found.standpoints
                for change in one.changes
            ),
            numbers=frozenset(columns[3:]),
        ),
    )


def _pivots(found: Countering) -> Section:
    return Section(
        id="pivotal",
        title="Who is pivotal",
        paragraphs=("What the best plan costs more with none of a vendor's offers in it; held leases stay.",),
        table=TextTable(
            columns=("Vendor", "Extra cost", "Pivotal"),
            rows=tuple((str(p.provider), _extra(p), "yes" if p.pivotal else "no") for p in found.pivots),
            numbers=frozenset({"Extra cost"}),
        ),
    )


def _extra(pivot: Pivot) -> str:
    if pivot.extra_usd is None:
        return "no plan without it"
    extra = pivot.extra_usd
    return f"{signed_money(extra.found)} ({signed_money(extra.low)} to {signed_money(extra.high)})"
