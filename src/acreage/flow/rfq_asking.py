"""Asking: a request from a file or from a plan's gap, and answers taken in."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acreage.catalog.accelerators import load_accelerators
from acreage.domain.portfolio import Portfolio
from acreage.domain.rfq import Answer, Asked, Cancellation, Disclosure, Need, Rfq, WantedTerms, Withdrawal
from acreage.flow import planning
from acreage.flow.books import Work
from acreage.flow.rfq_books import event_work, standing_of
from acreage.ledger.ledger import Ledger
from acreage.ledger.rfqs import rfq_events
from acreage.market.rfq.gap import needs_of
from acreage.market.rfq.standing import Standing
from acreage.portfolio.rfq_answer import AnswerFile, Known, read_answer
from acreage.portfolio.rfq_request import asked, load_request, request_of, request_yaml
from acreage.portfolio.rfq_sheet import load_answer
from acreage.units.errors import InputError, Place
from acreage.units.ids import ProviderId, RfqId
from acreage.units.instants import Duration, Instant, instant, iso_date

WITHIN = Duration(days=14)


def new_reference() -> str:
    """A reference for one vendor: 16 hexadecimal digits at random, so that none tells of another."""
    return secrets.token_hex(8)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanWishes:
    """What a request made from a plan is to be: its id, who is asked, and which lots (none named: all)."""

    id: str
    vendors: tuple[str, ...]
    lots: tuple[str, ...] = ()
    title: str = ""
    disclosure: str = "sealed"


def request_from_file(path: Path) -> Rfq:
    """The request that a file describes."""
    file = load_request(path)
    return request_of(file, planning.portfolio_at(file.portfolio).portfolio, new_reference)


def requested(file: Path | None, folder: Path | None, options: Mapping[str, Any]) -> Rfq:
    """The request that a file describes, or that a stored plan's gap makes; raises `InputError` for neither."""
    if (file is None) == (folder is None):
        raise InputError("a request comes from a file or from a plan", fix="name FILE or --plan FOLDER, one of them")
    if file is not None:
        return request_from_file(file)
    assert folder is not None
    if not options["rfq_id"] or not options["vendors"]:
        raise InputError("who is asked under which id is missing", fix="add --id ID --vendor PROVIDER ...")
    wishes = PlanWishes(
        id=options["rfq_id"],
        vendors=options["vendors"],
        lots=options["lots"],
        title=options["title"],
        disclosure=options["disclosure"],
    )
    return request_from_plan(folder, wishes)


def request_from_plan(folder: Path, wishes: PlanWishes) -> Rfq:
    """A request for what a stored plan buys and misses."""
    plan, read = planning.stored(folder)
    needs = needs_of(plan, read.portfolio)
    if not needs:
        raise InputError("the plan signs nothing and misses nothing", fix="there is nothing to ask for")
    unknown = [lot for lot in wishes.lots if lot not in {need.id for need in needs}]
    if unknown:
        raise InputError(f"the plan has no lot {unknown[0]!r}", fix=f"it has {', '.join(n.id for n in needs)}")
    chosen = tuple(need for need in needs if not wishes.lots or need.id in wishes.lots)
    return Rfq(
        id=RfqId(wishes.id),
        title=wishes.title or "Request for quotes",
        buyer="The buyer",
        portfolio=str(folder / planning.PORTFOLIO),
        disclosure=Disclosure(wishes.disclosure),
        needs=chosen,
        wanted=WantedTerms(),
        vendors=tuple(_asked(read.portfolio, name, chosen) for name in wishes.vendors),
        answers_within=WITHIN,
    )


def _asked(portfolio: Portfolio, name: str, needs: Sequence[Need]) -> Asked:
    if name not in portfolio.providers:
        raise InputError(f"the portfolio has no provider {name!r}", fix=f"it has {', '.join(portfolio.providers)}")
    vendor = asked(portfolio, ProviderId(name), needs, new_reference())
    if not vendor.pools:
        raise InputError(f"{name} has no pool with a chip that is asked for", fix="ask somebody else")
    return vendor


def draft_text(rfq: Rfq) -> str:
    """A request as a file to edit and create it from."""
    return request_yaml(rfq, rfq.portfolio)


def withdraw(ledger: Ledger, rfq: str, offer: str, reason: str, key: str) -> Work:
    """The work of recording that an offer was taken back."""
    now = standing_of(ledger, rfq)
    return event_work(ledger, now.rfq.id, Withdrawal(offer=now.offer(offer).quote.offer.id, reason=reason), key)


def cancel(ledger: Ledger, rfq: str, reason: str, key: str) -> Work:
    """The work of calling a request off."""
    return event_work(ledger, standing_of(ledger, rfq).rfq.id, Cancellation(reason=reason), key)


def create(ledger: Ledger, rfq: Rfq, key: str) -> Work:
    """The work of writing a request into the books."""
    return event_work(ledger, rfq.id, rfq, key)


def import_answers(
    ledger: Ledger,
    rfq: str,
    files: Sequence[Path],
    *,
    received: str | None,
    accept_late: bool,
    portfolio: Path | None = None,
) -> list[Work]:
    """The work of taking answers in; one that was taken before is nothing to do.

    All files are read and checked before anything is written.
    """
    now = standing_of(ledger, rfq)
    received_at = ledger.clock() if received is None else instant(received)
    if received_at > ledger.clock():
        raise InputError(f"{iso_date(received_at)} is in the future", fix="say when it came, or leave it out")
    known = Known(
        rfq=now.rfq,
        portfolio=planning.portfolio_at(with_portfolio(now.rfq, portfolio)).portfolio,
        accelerators=load_accelerators(),
    )
    taken = {h.event.sha256 for h in rfq_events(ledger, now.rfq.id) if isinstance(h.event, Answer)}
    loaded = [load_answer(path) for path in files]
    _one_answer_each(loaded)
    return [
        _import(ledger, now, file, known, received_at, accept_late) if file.sha256 not in taken else _nothing
        for file in loaded
    ]


def _nothing() -> None:
    """What a file imported before changes."""


def _one_answer_each(files: Sequence[AnswerFile]) -> None:
    seen: dict[str, str] = {}
    for file in files:
        if isinstance(file.document.value, dict):
            name = str(file.document.value.get("reference", ""))
            if name and name in seen:
                what = f"it is of the same vendor as {seen[name]}"
                raise InputError(what, fix="import one after the other", place=Place(file=file.document.file))
            seen[name] = file.document.file


def _import(
    ledger: Ledger, now: Standing, file: AnswerFile, known: Known, received_at: Instant, accept_late: bool
) -> Work:
    late = accept_late and now.round is not None and received_at > now.round.answers_until_at
    answer = read_answer(file, known, received_at=received_at, late=late)
    key = f"rfq/{now.rfq.id}/answer/{file.sha256}"
    return event_work(ledger, now.rfq.id, answer, key, at=received_at)


def with_portfolio(rfq: Rfq, portfolio: Path | None) -> Path:
    """The file that a request is planned with; raises `InputError` if it has moved."""
    path = portfolio or Path(rfq.portfolio)
    if not path.is_file():
        what = f"the portfolio of {rfq.id} is not there"
        raise InputError(what, fix="name it with --portfolio", place=Place(file=str(path)))
    return path
