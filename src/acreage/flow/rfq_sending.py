"""Sending: a round is opened, and every vendor gets a folder of documents that tell of nobody else."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from acreage import __version__
from acreage.domain.portfolio import Portfolio
from acreage.domain.rfq import Asked, Counter, Disclosure, Happened, Quote, Round
from acreage.flow import planning
from acreage.flow.books import Work
from acreage.flow.books_columns import Listing
from acreage.flow.rfq_asking import with_portfolio
from acreage.flow.rfq_books import after, event_work, standing_of
from acreage.flow.rfq_comparing import best_usd, write_file
from acreage.ledger.ledger import Ledger
from acreage.ledger.rfqs import rfq_events
from acreage.market.rfq.standing import Stage, Standing
from acreage.portfolio.fields import DURATION
from acreage.portfolio.quantities import duration
from acreage.portfolio.rfq_answer import answer_json
from acreage.portfolio.rfq_sheet import COLUMNS, HEAD, SHEET
from acreage.report.renderers.page import render_page
from acreage.report.rfq_request import (
    Request,
    SheetColumn,
    VendorOffer,
    VendorPool,
    answer_csv,
    answer_workbook,
    request_page,
)
from acreage.units.errors import InputError
from acreage.units.instants import Duration, Instant, instant, iso_date
from acreage.units.money import usd_text


def to_open(ledger: Ledger, rfq: str, options: Mapping[str, Any], key: str) -> tuple[Round | None, list[Work]]:
    """The round that sending opens, and the work of it; none where the current round's documents are written again."""
    now = standing_of(ledger, rfq)
    round_ = next_round(
        ledger,
        now,
        again=options["next_round"],
        until=options["answers_until"],
        within=options["answers_within"],
        final=options["best_and_final"],
    )
    return round_, [event_work(ledger, now.rfq.id, round_, key)] if round_ is not None else []


def sent(ledger: Ledger, rfq: str, folder: Path, portfolio: Path | None, *, opened: bool) -> tuple[Listing, ...]:
    """Write every vendor's documents of the current round; returns the request and the files."""
    now = standing_of(ledger, rfq)
    read = planning.portfolio_at(with_portfolio(now.rfq, portfolio)).portfolio
    best = best_usd(now, read) if now.rfq.disclosure is Disclosure.OPEN else None
    files = write_documents(now, read, told_counters(rfq_events(ledger, now.rfq.id)), folder, best)
    return (after(ledger, rfq)[0], files)


def told_counters(events: Sequence[Happened]) -> tuple[Counter, ...]:
    """The counters that the current round tells: those made since the round before was opened."""
    rounds: list[list[Counter]] = [[]]
    for happened in events:
        if isinstance(happened.event, Round):
            rounds.append([])
        elif isinstance(happened.event, Counter):
            rounds[-1].append(happened.event)
    latest = {counter.provider: counter for counter in rounds[-2]} if len(rounds) > 1 else {}
    return tuple(latest.values())


def next_round(
    ledger: Ledger, now: Standing, *, again: bool, until: str | None, within: str | None, final: bool
) -> Round | None:
    """The round to open: the first, or with `again` another; None where the current one goes on."""
    if now.round is not None and not again:
        if now.stage is Stage.CLOSED:
            fix = "open another with --next-round, or award it"
            raise InputError(f"round {now.round.number} of {now.rfq.id} is closed", fix=fix)
        return None
    return Round(
        number=len(now.rounds) + 1,
        answers_until_at=_deadline(ledger, now, until, within),
        best_and_final=final,
    )


def _deadline(ledger: Ledger, now: Standing, until: str | None, within: str | None) -> Instant:
    if until is not None:
        return instant(until)
    if within is not None:
        return span(within).after(ledger.clock())
    if now.round is None and now.rfq.answers_until_at is not None:
        return now.rfq.answers_until_at
    return now.rfq.answers_within.after(ledger.clock())


def span(text: str) -> Duration:
    """A duration as people write it; raises `InputError` for anything else."""
    if re.fullmatch(DURATION, text) is None:
        raise InputError(f"{text!r} is not a duration", fix="write for example 14 days or 3 weeks")
    return duration(text)


def write_documents(
    now: Standing, portfolio: Portfolio, counters: Sequence[Counter], folder: Path, best: float | None
) -> Listing:
    """A folder for each vendor with its page, workbook, CSV, answer file and schema; returns what was written.

    `counters` are those to be told in this round. Raises `InputError` where the folder cannot be written.
    """
    rows = []
    schema = resources.files("acreage.portfolio").joinpath("rfq-answer.schema.json").read_bytes()
    for vendor in now.rfq.vendors:
        there = folder / vendor.provider
        for name, data in _documents(now, vendor, portfolio, counters, best).items():
            write_file(there / name, data)
            digest = hashlib.sha256(data).hexdigest()
            rows.append({"provider": vendor.provider, "file": str(there / name), "sha256": digest})
        write_file(there / "rfq-answer.schema.json", schema)
    return Listing(kind="rfq_files", rows=rows, shown=("provider", "file"))


def _documents(
    now: Standing, vendor: Asked, portfolio: Portfolio, counters: Sequence[Counter], best: float | None
) -> dict[str, bytes]:
    """The documents of one vendor, made from what concerns it alone."""
    assert now.round is not None
    request = Request(
        rfq=now.rfq,
        vendor=vendor,
        round=now.round,
        pools=tuple(
            VendorPool(id=pool.id, region=pool.region, accelerator=pool.accelerator, fabric=pool.fabric)
            for pool in (portfolio.pools[id_] for id_ in vendor.pools)
        ),
        offers=_own_offers(now, vendor),
        counter=next((c for c in counters if c.provider == vendor.provider), None),
        best_usd=best,
    )
    head = (vendor.reference, str(now.round.number), "USD")
    columns = [SheetColumn(name=c.name, meaning=c.meaning, required=c.required) for c in COLUMNS]
    assert len(head) == len(HEAD)
    return {
        "request.html": render_page(request_page(request), __version__).encode(),
        "answer.xlsx": answer_workbook(columns, head, SHEET),
        "answer.csv": answer_csv(columns, head).encode(),
        "answer.json": answer_json((), vendor.reference, now.round.number),
    }


def _own_offers(now: Standing, vendor: Asked) -> tuple[VendorOffer, ...]:
    latest = {o.quote.vendor_id: o for o in now.offers if o.provider == vendor.provider}
    return tuple(
        VendorOffer(
            vendor_id=name,
            state=offer.state.value,
            summary=_summary(offer.quote),
        )
        for name, offer in latest.items()
    )


def _summary(quote: Quote) -> str:
    offer = quote.offer
    price = offer.terms.price
    energy = ", energy included" if quote.energy_micro_usd_per_accelerator_hour else ""
    return (
        f"{offer.blocks_min} to {offer.blocks_max} blocks of {offer.accelerators_per_block:,} in {offer.pool} "
        f"for {offer.term} from {iso_date(offer.start_from_at)}, "
        f"{usd_text(price.amount_micro_usd)} USD per {price.basis.replace('_', ' ')}{energy}"
    )
