"""Planning from file to file: reads a portfolio, draws futures, plans, audits and keeps the result.

The imperative shell of `acreage plan` and its companions; everything it calls is pure.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from acreage import __version__
from acreage.catalog.accelerators import load_accelerators
from acreage.catalog.book import PriceBook, load_book
from acreage.catalog.lookup import list_price
from acreage.demand.futures import sample_futures
from acreage.demand.levels import base_demand
from acreage.domain.against import Against
from acreage.domain.conflict import Conflict
from acreage.domain.evaluation import Evaluation
from acreage.domain.finding import Finding
from acreage.domain.lease import Offer
from acreage.domain.plan import Plan
from acreage.domain.portfolio import Portfolio
from acreage.domain.price import Price, PriceKind
from acreage.domain.workload import ResearchShare, ServingFleet
from acreage.flow.closing import with_held
from acreage.ledger.held import Held, decoded, encoded, held_at
from acreage.ledger.ledger import Ledger
from acreage.ledger.rfqs import decoded_offers, encoded_offers
from acreage.plan.audit import AuditReport, audit_report
from acreage.plan.out_of_sample.own_sample import own_sample
from acreage.plan.planner import Tell, Wishes, make_plan
from acreage.portfolio.convert import portfolio_shape
from acreage.portfolio.document import load_document
from acreage.portfolio.quantities import ListPrice
from acreage.portfolio.read import price_sheets_of, read_portfolio
from acreage.report.plan_json import plan_document
from acreage.report.plan_store import check_free, load_plan, save_plan
from acreage.report.renderers.html import render_report
from acreage.report.tables import export_tables
from acreage.report.thinning import thinned
from acreage.units.errors import InputError, Place
from acreage.units.ids import AcceleratorName, WorkloadId
from acreage.units.instants import Instant, instant

PORTFOLIO = "portfolio.yaml"
REPORT = "report.html"
HELD = "held.json"
"""What the books held, where a plan was made with them."""
OFFERS = "offers.json"
"""The offers on the table, where a plan was made on a request for quotes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A portfolio as read, with the doubts about it and the files it was read from."""

    portfolio: Portfolio
    findings: tuple[Finding, ...]
    files: Mapping[str, bytes]


def portfolio_at(path: Path, held: Held | None = None, offers: tuple[Offer, ...] | None = None) -> Read:
    """Read a portfolio file, prices and chips from the catalog.

    What is held comes from the books where they are given, and so do the offers of a request for quotes.
    """
    sheets = price_sheets_of(path)
    book = load_book(today=_planning_day(path), contracts=[str(sheet) for sheet in sheets])
    portfolio, findings = read_portfolio(path, accelerators=load_accelerators(), list_price=_lookup(book))
    files = {PORTFOLIO: path.read_bytes()}
    files |= {str(sheet.relative_to(path.parent)): sheet.read_bytes() for sheet in sheets}
    if held is not None:
        portfolio, odd = with_held(portfolio, held)
        findings = (*findings, *odd)
        files[HELD] = encoded(held)
    if offers is not None:
        portfolio = replace(portfolio, offers=offers)
        files[OFFERS] = encoded_offers(offers)
    return Read(portfolio=portfolio, findings=findings, files=files)


def portfolio_with_books(path: Path, ledger: Ledger) -> Read:
    """Read a portfolio file, with what the books say is held on its planning day."""
    return portfolio_at(path, held_at(ledger, _planning_day(path)))


def _planning_day(path: Path) -> Instant:
    """The day that prices age from: the portfolio's own planning day."""
    return instant(portfolio_shape(load_document(path)).as_of)


def _lookup(book: PriceBook) -> ListPrice:
    def look(provider: str, region: str, accelerator: AcceleratorName, kind: PriceKind) -> Price | None:
        return list_price(book, provider=provider, region=region, accelerator=accelerator, kind=kind, today=book.today)

    return look


def base_demands(portfolio: Portfolio) -> dict[WorkloadId, np.ndarray]:
    """Base demand (T,) of every serving fleet and research share."""
    return {
        w.id: base_demand(w, portfolio.periods)
        for w in portfolio.workloads
        if isinstance(w, ServingFleet | ResearchShare)
    }


def plan_portfolio(
    portfolio: Portfolio, wishes: Wishes, tell: Tell, *, futures: int | None = None, seed: int | None = None
) -> Plan | Conflict:
    """Plan a portfolio over its sampled futures, perhaps with another number of them or another seed."""
    uncertainty = portfolio.uncertainty
    if futures is not None:
        uncertainty = replace(uncertainty, futures=futures)
    if seed is not None:
        uncertainty = replace(uncertainty, seed=seed)
    portfolio = replace(portfolio, uncertainty=uncertainty)
    return make_plan(portfolio, sample_futures(portfolio), base_demands(portfolio), wishes, tell)


def check_writable(folder: Path) -> None:
    """Refuse a folder that no plan can be written to before any work is done; raises `InputError`."""
    check_free(folder)
    above = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.exists())
    if not above.is_dir() or not os.access(above, os.W_OK):
        raise InputError(
            f"cannot write to {above}", fix="choose another folder with --out", place=Place(file=str(folder))
        )


def keep_plan(
    folder: Path,
    plan: Plan,
    read: Read,
    formats: tuple[str, ...],
    evaluation: Evaluation | None = None,
    against: Against | None = None,
) -> tuple[Finding, ...]:
    """Audit a plan, then write its folder: documents, tables and the report; returns the audit's findings."""
    findings = audited(plan, read.portfolio)
    sure = own_sample(plan, read.portfolio)
    report = render_report(plan, read.portfolio, findings, __version__, evaluation, sure, against)
    files = {**read.files, REPORT: report.encode()}
    kept = thinned(plan, read.portfolio)
    save_plan(folder, kept, plan_document(plan, read.portfolio, evaluation), files)
    export_tables(kept, read.portfolio, folder / "export", formats)
    return findings


UNKEPT = ("share_cap", "survive_loss", "must", "min_suppliers")
"""Rules that the best plan without any new lease is free to break: only new leases might keep them."""


def audited(plan: Plan, portfolio: Portfolio) -> tuple[Finding, ...]:
    """What the auditor finds wrong with a plan, and with the cost of the best one without any new lease."""
    return audit_reports(plan, portfolio).findings


def audit_reports(plan: Plan, portfolio: Portfolio) -> AuditReport:
    """The audit of a plan, with the doubts about the best one without any new lease."""
    report, none = (audit_report(portfolio, outcome, plan.futures) for outcome in (plan.best, plan.without_new))
    return replace(report, findings=(*report.findings, *(f for f in none.findings if f.rule not in UNKEPT)))


def audit_stored(folder: Path) -> AuditReport:
    """Audit a plan on disk anew, from its own portfolio and futures."""
    plan, read = stored(folder)
    return audit_reports(plan, read.portfolio)


def stored(folder: Path) -> tuple[Plan, Read]:
    """A stored plan and the portfolio it was made from."""
    plan = load_plan(folder)
    if not (folder / PORTFOLIO).is_file():
        raise InputError(
            "the plan has lost its portfolio", fix="make it again with `acreage plan`", place=Place(file=str(folder))
        )
    held, offers = folder / HELD, folder / OFFERS
    return plan, portfolio_at(
        folder / PORTFOLIO,
        decoded(held.read_bytes()) if held.is_file() else None,
        decoded_offers(offers.read_bytes()) if offers.is_file() else None,
    )
