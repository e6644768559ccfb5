"""The page that compares the offers of a request: one picture, one table, and what every term is worth."""

from collections.abc import Sequence

from acreage.domain.comparison import Compared
from acreage.domain.rfq import Rfq
from acreage.report.charts.rfq import comparison_chart, waterfall_chart
from acreage.report.renderers.page import Card, Page, Section, TextTable
from acreage.report.words import count, money, price, signed_money
from acreage.units.ids import AcceleratorName


def comparison_page(rfq: Rfq, offers: Sequence[Compared], reference: AcceleratorName, replacement_usd: float) -> Page:
    """The page; `offers` come cheapest first, `replacement_usd` is what a missing hour costs elsewhere."""
    best = offers[0]
    hour = f"an effective {reference}-hour"
    cards = [
        Card(
            label=f"Cheapest, per {reference}-hour had",
            value=price(best.micro_usd_per_hour / 1e6),
            note=f"{best.offer}, quoted at {price(best.quoted_micro_usd_per_accelerator_hour / 1e6)} a chip",
        ),
        Card(label="Offers", value=count(len(offers)), note=f"from {len({o.provider for o in offers})} vendors"),
        Card(label="A missing hour costs", value=price(replacement_usd), note="bought elsewhere by the hour"),
    ]
    if len(offers) > 1:
        apart = offers[1].micro_usd_per_hour - best.micro_usd_per_hour
        cards.insert(1, Card(label="The next one costs more", value=price(apart / 1e6), note=str(offers[1].offer)))
    return Page(
        title=f"{rfq.title}: the offers compared",
        subtitle=f"What {hour} costs with every term and risk counted in; hours not had are bought elsewhere",
        cards=tuple(cards),
        sections=(
            Section(
                id="comparison",
                title=f"{best.offer} is cheapest at {price(best.micro_usd_per_hour / 1e6)} {hour}",
                paragraphs=("Bars are stacked from what makes the price; the black mark is the whole.",),
                chart=comparison_chart(offers),
                table=_table(offers),
            ),
            Section(
                id="steps",
                title="From the quoted to the comparable price",
                paragraphs=("Each step counts one more term in; the steps add up exactly.",),
                chart=waterfall_chart(offers),
                table=_steps(offers),
            ),
            _worths(offers),
        ),
    )


def _table(offers: Sequence[Compared]) -> TextTable:
    columns = ("Offer", "Vendor", "Accelerators", "Quoted $/h", "Comparable $/h", "Discounted cost")
    return TextTable(
        columns=columns,
        rows=tuple(
            (
                str(o.offer),
                str(o.provider),
                count(o.accelerators),
                price(o.quoted_micro_usd_per_accelerator_hour / 1e6),
                price(o.micro_usd_per_hour / 1e6),
                money(o.total_usd),
            )
            for o in offers
        ),
        numbers=frozenset(columns[2:]),
        strong=frozenset({0}),
    )


def _steps(offers: Sequence[Compared]) -> TextTable:
    return TextTable(
        columns=("Offer", "Step", "Adds $/h", "Why"),
        rows=tuple(
            (str(o.offer), c.kind.value, f"{c.micro_usd_per_hour / 1e6:+.4f}", c.note)
            for o in offers
            for c in o.components
        ),
        numbers=frozenset({"Adds $/h"}),
    )


def _worths(offers: Sequence[Compared]) -> Section:
    found = [(worth.micro_usd, o, worth) for o in offers for worth in o.worths]
    top = max(found, key=lambda one: one[0], default=None)
    lines = ["What each change would be worth to us, all else equal; negative: the worth of a right that we have."]
    if top is not None and top[0] > 0:
        lines.append(f"{top[1].offer}: {top[2].term} would be worth {money(top[0] / 1e6)}.")
    return Section(
        id="worths",
        title="What terms are worth",
        paragraphs=tuple(lines),
        table=TextTable(
            columns=("Offer", "Change", "Worth", "$/h"),
            rows=tuple(
                (str(o.offer), w.term, signed_money(w.micro_usd / 1e6), f"{w.micro_usd_per_hour / 1e6:+.4f}")
                for _, o, w in found
            ),
            numbers=frozenset({"Worth", "$/h"}),
        ),
    )
