"""What the planning commands of requests for quotes do: progress, figures shown, counters and awards agreed to."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from acreage.cli.books import change, key_of, opened, say
from acreage.cli.planning import EXIT_DEFECT, progress
from acreage.domain.auction import PaymentRule
from acreage.flow import rfq_awarding, rfq_books, rfq_countering
from acreage.flow.books_leases import of_ids
from acreage.flow.planning import check_writable
from acreage.flow.rfq_planning import check_open, ground_of
from acreage.ledger.ledger import Ledger
from acreage.market.rfq.standing import Stage

COUNTER_PAGE, AWARDS = Path("counter.html"), Path("awards")


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


def run_award(rfq: str, rule: str, out: Path | None, options: dict[str, Any]) -> None:
    """Plan, show the winners, keep the trail, and write the award and its leases once agreed to."""
    ledger = opened(options, make=False)
    ground = ground_of(ledger, rfq, options["portfolio"], held=options["held"])
    check_open(ground.now)
    if ground.now.round is not None and ground.now.stage is Stage.ASKING:
        click.echo(f"note: round {ground.now.round.number} is still open", err=True)
    folder = out or AWARDS / rfq
    if not options["dry_run"]:
        check_writable(folder)
    with progress() as tell:
        found = rfq_awarding.awarding(ground, PaymentRule(rule), options, tell)
    award = found.award
    if not options["dry_run"]:
        award, findings = rfq_awarding.keep(ground, found, folder)
        if findings:
            click.echo("error: the plan did not pass its audit; this is a defect of Acreage", err=True)
            sys.exit(EXIT_DEFECT)
    if options["output"] == "text":
        say(options, rfq_awarding.listing(award))
        for line in (*found.why, *(f"tied: {tie}" for tie in award.ties)):
            click.echo(line)
    works = rfq_awarding.award_works(ledger, ground, found, award, key_of(options, ledger))
    leases = [win.lease for win in award.winners]
    told = (rfq_awarding.listing(award),) if options["output"] == "json" else ()
    change(ledger, options, works, lambda: (*told, *of_ids(ledger, leases)))
    if options["output"] == "text" and not options["dry_run"]:
        click.echo(f"page: {folder / rfq_awarding.AWARD_PAGE}; sign with `acreage lease sign`")
