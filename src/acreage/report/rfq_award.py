"""The page of an award: who won what, what is paid and why, who lost and why, and the proof."""

from collections.abc import Sequence

from acreage.domain.rfq import Award, Rfq
from acreage.report.renderers.page import Card, Page, Section, TextTable
from acreage.report.words import count, date, gap_words, money


def award_page(rfq: Rfq, award: Award, why: Sequence[str]) -> Page:
    """The page; `why` says in words how payments came about."""
    bid, paid = sum(win.bid_usd for win in award.winners), sum(win.paid_usd for win in award.winners)
    vendors = ", ".join(sorted({win.provider for win in award.winners}))
    offers, gap = count(len({win.offer for win in award.winners})), gap_words(award.gap_frac)
    whole = money(award.objective_usd)
    return Page(
        title=f"{rfq.title}: the award",
        subtitle="Winners are what the best plan signs; no offer was scored by weights",
        cards=(
            Card(label="Winning offers", value=offers, note=vendors),
            Card(label="Accelerators", value=count(sum(win.accelerators for win in award.winners)), note="awarded"),
            Card(label="Paid", value=money(paid), note=f"{award.rule}; bid {money(bid)}; discounted, less salvage"),
            Card(label="Cost of the whole plan", value=whole, note=f"gap {gap}"),
        ),
        sections=(_winners(award), _payments(award, why), _losers(award), _trail(award)),
    )


def _winners(award: Award) -> Section:
    columns = ("Offer", "Vendor", "Accelerators", "From", "Until", "Bid", "Paid", "Lease proposed")
    return Section(
        id="winners",
        title="Winners",
        table=TextTable(
            columns=columns,
            rows=tuple(
                (
                    str(w.offer),
                    str(w.provider),
                    count(w.accelerators),
                    date(w.starts_at),
                    date(w.ends_at),
                    money(w.bid_usd),
                    money(w.paid_usd),
                    w.lease,
                )
                for w in award.winners
            ),
            numbers=frozenset({"Accelerators", "Bid", "Paid"}),
            strong=frozenset(range(len(award.winners))),
        ),
    )


def _payments(award: Award, why: Sequence[str]) -> Section:
    ties = [f"Tied: {tie}." for tie in award.ties] or [
        "No winner is tied: without any of them the plan costs more than its gap allows."
    ]
    return Section(id="payments", title="Why these payments", paragraphs=(*why, *ties))


def _losers(award: Award) -> Section:
    rows = tuple((str(lost.offer), str(lost.provider), lost.reason) for lost in award.losers)
    return Section(id="losers", title="Not awarded", table=TextTable(columns=("Offer", "Vendor", "Why"), rows=rows))


def _trail(award: Award) -> Section:
    rows = tuple((name, f"{usd:,.0f}") for name, usd in award.values_usd.items())
    return Section(
        id="trail",
        title="The trail",
        paragraphs=(
            f"award.json beside this page holds everything; its SHA-256, {award.sha256}, is in the books.",
            "The folder is a plan: `acreage audit` recomputes its cost and every rule without a solver.",
        ),
        table=TextTable(columns=("Best plan", "Cost, USD"), rows=rows, numbers=frozenset({"Cost, USD"})),
    )
