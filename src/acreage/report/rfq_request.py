"""What one vendor is sent: a page to read and a workbook to fill in.

Everything here is made from what concerns that vendor alone: its name, its pools, its own offers.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass

import xlsxwriter

from acreage.domain.rfq import Asked, Counter, Need, Rfq, Round
from acreage.report.renderers.page import Card, Page, Section, TextTable
from acreage.report.words import count
from acreage.units.instants import iso, iso_date

ROWS_TO_FILL = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorPool:
    """A pool the vendor may offer from, as the buyer calls it."""

    id: str
    region: str
    accelerator: str
    fabric: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorOffer:
    """An earlier offer of the vendor's, by its own name, and where it stands."""

    vendor_id: str
    state: str
    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What goes to one vendor. `best_usd` is disclosed in open requests: the best comparable price, not whose."""

    rfq: Rfq
    vendor: Asked
    round: Round
    pools: tuple[VendorPool, ...]
    offers: tuple[VendorOffer, ...]
    counter: Counter | None
    best_usd: float | None = None


def request_page(request: Request) -> Page:
    """The page that a vendor reads."""
    rfq, round_ = request.rfq, request.round
    final = ", best and final" if round_.best_and_final else ""
    sections = [_wanted(request), _lots(rfq), _pools(request)]
    if request.counter is not None:
        sections.append(_counter(request))
    if request.offers:
        sections.append(_offers(request.offers))
    sections.append(_how(request))
    return Page(
        title=rfq.title,
        subtitle=f"A request for quotes from {rfq.buyer}",
        cards=(
            Card(label="Your reference", value=request.vendor.reference, note="write it into your answer"),
            Card(label="Round", value=f"{round_.number}{final}", note="write it into your answer"),
            Card(
                label="Answers until",
                value=iso_date(round_.answers_until_at),
                note=f"{iso(round_.answers_until_at)}; later answers may be refused",
            ),
            Card(label="Lots", value=str(len(rfq.needs)), note="answer any of them, in part or in full"),
        ),
        sections=tuple(sections),
    )


def _wanted(request: Request) -> Section:
    wanted = request.rfq.wanted
    lines = ["Offer what you can; other chips, quantities, dates and terms than asked are compared on their merits."]
    if wanted.term_min or wanted.term_max:
        span = " to ".join(str(term) for term in (wanted.term_min, wanted.term_max) if term)
        lines.append(f"Terms wanted: {span}.")
    if wanted.prepayment_max_frac is not None:
        lines.append(f"Prepayment wanted: at most {wanted.prepayment_max_frac:.0%} of all fees.")
    if not wanted.recall_allowed:
        lines.append("No right to take capacity back is wanted.")
    lines += [wanted.notes] if wanted.notes else []
    if request.best_usd is not None:
        lines.append(
            f"This request is open: the best comparable price so far is {request.best_usd:.2f} USD an effective "
            "accelerator-hour of the reference chip, everything included."
        )
    return Section(id="wanted", title="What is wanted", paragraphs=tuple(lines))


def _lots(rfq: Rfq) -> Section:
    return Section(
        id="lots",
        title="Lots",
        table=TextTable(
            columns=("Lot", "How much", "Chips that would do, the reference first", "From", "Until"),
            rows=tuple(
                (need.id, how_much(need), ", ".join(need.accelerators), iso_date(need.from_at), iso_date(need.until_at))
                for need in rfq.needs
            ),
            numbers=frozenset({"How much"}),
        ),
    )


def how_much(need: Need) -> str:
    """The quantity of a lot in words."""
    if need.quantity is not None:
        return f"{count(need.quantity)} {need.accelerators[0]}"
    return f"{need.effective_pflops:,.0f} PFLOP/s effective"


def _pools(request: Request) -> Section:
    return Section(
        id="pools",
        title="Your pools, as named in answers",
        table=TextTable(
            columns=("Pool", "Region", "Chip", "Fabric"),
            rows=tuple((p.id, p.region, p.accelerator, p.fabric) for p in request.pools),
        ),
    )


def _counter(request: Request) -> Section:
    assert request.counter is not None
    rows = tuple((ask.vendor_id, "; ".join(ask.words)) for ask in request.counter.asks)
    message = (request.counter.message,) if request.counter.message else ()
    return Section(
        id="counter",
        title="Our counter-offer",
        paragraphs=("We could take these offers on these terms:", *message),
        table=TextTable(columns=("Your offer", "What we ask for"), rows=rows),
    )


def _offers(offers: Sequence[VendorOffer]) -> Section:
    rows = tuple((offer.vendor_id, offer.state, offer.summary) for offer in offers)
    lines = ("An offer of the same name in your answer takes the place of the earlier one; others stay as they are.",)
    table = TextTable(columns=("Your offer", "State", "As we have it"), rows=rows)
    return Section(id="offers", title="Your offers so far", paragraphs=lines, table=table)


def _how(request: Request) -> Section:
    lines = (
        "Fill in answer.xlsx or answer.csv (one offer a row), or send answer.json in the shape of "
        "rfq-answer.schema.json. One file is one answer; all amounts are in US dollars.",
        "All-or-nothing lots have equal least and most blocks; quantity discounts are tiers; offers in a bundle are "
        "taken together; of an either-or group at most one is taken. An offer lapses on its own expiry date, if any.",
        "This request binds nobody. Nothing of it is shown to anybody else, and nobody else's to you.",
    )
    return Section(id="how", title="How to answer", paragraphs=lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetColumn:
    """A column of the workbook: its heading, what it means, whether it must be filled in."""

    name: str
    meaning: str
    required: bool


def answer_workbook(columns: Sequence[SheetColumn], head: Sequence[str], sheet: str) -> bytes:
    """The workbook to fill in: `head` is what the first columns say in every row; a second sheet explains columns."""
    data = io.BytesIO()
    with xlsxwriter.Workbook(data, {"in_memory": True}) as book:
        bold, must = book.add_format({"bold": True}), book.add_format({"bold": True, "bg_color": "#fff2cc"})
        page = book.add_worksheet(sheet)
        page.freeze_panes(1, len(head))
        for i, column in enumerate(columns):
            page.write_string(0, i, column.name, must if column.required else bold)
            page.write_comment(0, i, column.meaning)
            page.set_column(i, i, max(12, len(column.name) + 2))
        for row in range(1, ROWS_TO_FILL + 1):
            for i, text in enumerate(head):
                page.write_string(row, i, text)
        guide = book.add_worksheet("Guide")
        guide.set_column(0, 0, 34)
        guide.set_column(1, 1, 100)
        guide.write_row(0, 0, ("column", "meaning"), bold)
        for i, column in enumerate(columns, 1):
            guide.write_string(i, 0, column.name, must if column.required else None)
            guide.write_string(i, 1, column.meaning)
    return data.getvalue()


def answer_csv(columns: Sequence[SheetColumn], head: Sequence[str]) -> str:
    """The CSV to fill in: its header, and one row begun."""
    blanks = [""] * (len(columns) - len(head))
    return ",".join(column.name for column in columns) + "\n" + ",".join([*head, *blanks]) + "\n"
