"""Reads a request for quotes as its buyer writes it, and writes one that was made from a plan."""

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from acreage.catalog.accelerators import find
from acreage.domain.portfolio import Portfolio
from acreage.domain.rfq import Asked, Disclosure, Need, Rfq, WantedTerms
from acreage.portfolio.contract_file import date_of
from acreage.portfolio.convert import shaped
from acreage.portfolio.document import At, Document, load_document
from acreage.portfolio.quantities import date_at, duration
from acreage.portfolio.rfq_shape import NeedShape, RequestShape
from acreage.units.errors import InputError
from acreage.units.ids import AcceleratorName, ProviderId, RfqId


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestFile:
    """A request file: its document, its shape and the portfolio it names."""

    document: Document
    shape: RequestShape
    portfolio: Path


def load_request(path: Path) -> RequestFile:
    """Read a request file; raises `InputError` with its place for whatever is wrong in itself."""
    document = load_document(path)
    if not isinstance(document.value, dict):
        fix = "see `acreage schema rfq`"
        raise InputError("a request for quotes is a mapping of fields", fix=fix, place=document.place(()))
    shape = shaped(document, (), RequestShape, check=None)
    return RequestFile(document=document, shape=shape, portfolio=path.parent / shape.portfolio)


def request_of(file: RequestFile, portfolio: Portfolio, new_reference: Callable[[], str]) -> Rfq:
    """The request, its names checked against the portfolio; every vendor gets a reference of its own."""
    shape, document = file.shape, file.document
    _distinct(document, "need", "needs", [need.id for need in shape.needs])
    named = [vendor if isinstance(vendor, str) else vendor.provider for vendor in shape.vendors]
    given = ["" if isinstance(vendor, str) else vendor.reference for vendor in shape.vendors]
    references = [reference or new_reference() for reference in given]
    _distinct(document, "vendor", "vendors", named)
    _distinct(document, "reference", "vendors", references)
    needs = tuple(_need(document, need, ("needs", i), portfolio) for i, need in enumerate(shape.needs))
    vendors = tuple(
        asked(portfolio, _provider(document, name, ("vendors", i), portfolio), needs, references[i])
        for i, name in enumerate(named)
    )
    for i, vendor in enumerate(vendors):
        if not vendor.pools:
            fix = "ask somebody else, or add such a pool to the portfolio"
            what = f"{vendor.provider} has no pool with a chip that is asked for"
            raise InputError(what, fix=fix, place=document.place(("vendors", i)))
    terms = shape.terms
    return Rfq(
        id=RfqId(shape.rfq),
        title=shape.title or shape.rfq,
        buyer=shape.buyer,
        portfolio=str(file.portfolio),
        disclosure=Disclosure(shape.disclosure),
        needs=needs,
        wanted=WantedTerms(
            term_min=duration(terms.term_min) if terms.term_min else None,
            term_max=duration(terms.term_max) if terms.term_max else None,
            prepayment_max_frac=terms.prepayment_max_frac,
            recall_allowed=terms.recall_allowed,
            notes=terms.notes,
        ),
        vendors=vendors,
        answers_within=duration(shape.answers_within),
        answers_until_at=date_at(shape.answers_until) if shape.answers_until else None,
    )


def asked(portfolio: Portfolio, provider: ProviderId, needs: Sequence[Need], reference: str) -> Asked:
    """A vendor with the pools of the portfolio from which it could serve one of the needs."""
    chips = {chip for need in needs for chip in need.accelerators}
    return Asked(
        provider=provider,
        name=portfolio.providers[provider].name,
        reference=reference,
        pools=tuple(p.id for p in portfolio.pools.values() if p.provider == provider and p.accelerator in chips),
    )


def request_yaml(rfq: Rfq, portfolio: str) -> str:
    """A request as the file it could have come from; `portfolio` is the path to write into it."""
    value: dict[str, Any] = {
        "rfq": str(rfq.id),
        "title": rfq.title,
        "buyer": rfq.buyer,
        "portfolio": portfolio,
        "answers_within": str(rfq.answers_within),
        "disclosure": rfq.disclosure.value,
        "needs": [_need_entry(need) for need in rfq.needs],
        "terms": {"recall_allowed": rfq.wanted.recall_allowed},
        "vendors": [str(vendor.provider) for vendor in rfq.vendors],
    }
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=110)


def _need_entry(need: Need) -> dict[str, Any]:
    entry: dict[str, Any] = {"id": need.id, "accelerators": [str(chip) for chip in need.accelerators]}
    if need.quantity is not None:
        entry["quantity"] = need.quantity
    if need.effective_pflops is not None:
        entry["effective_pflops"] = need.effective_pflops
    return entry | {"from": date_of(need.from_at), "until": date_of(need.until_at)}


def _need(document: Document, shape: NeedShape, at: At, portfolio: Portfolio) -> Need:
    if (shape.quantity is None) == (shape.effective_pflops is None):
        fix = "write quantity or effective_pflops, one of them"
        raise InputError("how much is wanted is not clear", fix=fix, place=document.place(at))
    if shape.until <= shape.from_:
        what = f"until {shape.until} is not after from {shape.from_}"
        raise InputError(what, fix="put the dates in order", place=document.place((*at, "until")))
    if date_at(shape.until) <= portfolio.as_of_at:
        what = f"it ends {shape.until}, before the planning day of the portfolio"
        raise InputError(what, fix="ask for a time to come", place=document.place((*at, "until")))
    chips = tuple(
        _chip(document, chip, (*at, "accelerators", i), portfolio) for i, chip in enumerate(shape.accelerators)
    )
    return Need(
        id=shape.id,
        accelerators=chips,
        quantity=shape.quantity,
        effective_pflops=shape.effective_pflops,
        from_at=date_at(shape.from_),
        until_at=date_at(shape.until),
    )


def _chip(document: Document, name: str, at: At, portfolio: Portfolio) -> AcceleratorName:
    known = find(name) or AcceleratorName(name)
    if known not in portfolio.accelerators:
        raise _unknown(document, "accelerator", name, list(portfolio.accelerators), at)
    return known


def _provider(document: Document, name: str, at: At, portfolio: Portfolio) -> ProviderId:
    if name not in portfolio.providers:
        raise _unknown(document, "provider", name, list(portfolio.providers), at)
    return ProviderId(name)


def _unknown(document: Document, kind: str, name: str, known: Sequence[str], at: At) -> InputError:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
    fix = f"did you mean {near[0]!r}?" if near else f"the portfolio has {', '.join(sorted(known)[:12])}"
    return InputError(f"the portfolio has no {kind} {name!r}", fix=fix, place=document.place(at))


def _distinct(document: Document, kind: str, section: str, names: Sequence[str]) -> None:
    for i, name in enumerate(names):
        if name in names[:i]:
            raise InputError(f"{kind} {name!r} stands twice", fix="keep one", place=document.place((section, i)))
