"""What the planning commands of requests for quotes do: progress, figures shown, counters and awards agreed to."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from acreage.cli.books import change, key_of, opened, say
from acreage.cli.planning import progress
from acreage.flow import rfq_books, rfq_countering
from acreage.flow.rfq_planning import ground_of
from acreage.ledger.ledger import Ledger

COUNTER_PAGE = Path("counter.html")


def run_counter(rfq: str, offers: tuple[str, ...], out: Path | None, options: dict[str, Any]) -> None:
    """Show the figures, or write counters."""
    ledger = opened(options, make=False)
    if options["asks"]:
        counters = rfq_countering.explicit(ledger, rfq, options["asks"], options["message"])
        return _write_counters(ledger, rfq, counters, options)
    ground = ground_of(ledger, rfq, options["portfolio"], held=options["held"])
    with progress() as tell:
        found = rfq_countering.countering(ground, {**options, "offers": offers}, tell)
    page = out or COUNTER_PAGE
    rfq_countering.write_page(ground, found, page)
    if not options["vendors"] or options["output"] == "text":
        say(options, rfq_countering.listings(found))
    if options["output"] == "text":
        click.echo(f"page: {page}")
    if options["vendors"]:
        counters = rfq_countering.drafts(
            ledger, rfq, found, options["vendors"], options["margin_frac"], options["message"]
        )
        _write_counters(ledger, rfq, counters, options)


def _write_counters(ledger: Ledger, rfq: str, counters: list[Any], options: Mapping[str, Any]) -> None:
    works = rfq_countering.counter_works(ledger, rfq, counters, key_of(dict(options), ledger))
    change(ledger, dict(options), works, lambda: rfq_books.shown(ledger, rfq)[2::2])
