"""Contracts as people write them: a YAML file of leases and commitments to sign, and a lease as such a file."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from acreage.domain.accelerator import Accelerator
from acreage.domain.contract import Contract, DocumentReference, Renewal, Side, SlaStep, SpendContract
from acreage.domain.lease import Commitment, Lease
from acreage.domain.price import Price, PriceKind
from acreage.portfolio.contract_shape import ContractShape, ContractsShape, DocumentShape, SpendShape
from acreage.portfolio.convert import shaped
from acreage.portfolio.document import At, Document, load_document, parse_document
from acreage.portfolio.limits import check_limits
from acreage.portfolio.names import Names
from acreage.portfolio.quantities import date_at, duration
from acreage.portfolio.shape import PoolShape, PortfolioShape, PriceShape, ProviderShape
from acreage.portfolio.supply import SupplyReader
from acreage.units.errors import InputError
from acreage.units.ids import AcceleratorName, CommitmentId, OfferId
from acreage.units.instants import Duration, iso_date
from acreage.units.money import micro_usd, usd


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractFile:
    """What a file proposes, in its order."""

    leases: tuple[Contract, ...]
    commitments: tuple[SpendContract, ...]


def read_contracts(path: Path, *, accelerators: Mapping[AcceleratorName, Accelerator]) -> ContractFile:
    """Read a contract file; raises `InputError` with file, line and column for whatever is wrong."""
    return _contracts(load_document(path), accelerators)


def read_contracts_text(text: str, file: str, *, accelerators: Mapping[AcceleratorName, Accelerator]) -> ContractFile:
    """Read contracts from text; `file` is its name in errors."""
    return _contracts(parse_document(text, file), accelerators)


def contract_starter() -> str:
    """The commented file that `acreage lease template` prints."""
    return resources.files("acreage.portfolio").joinpath("contract.yaml").read_text(encoding="utf-8")


def _contracts(document: Document, accelerators: Mapping[AcceleratorName, Accelerator]) -> ContractFile:
    if not isinstance(document.value, dict):
        fix = "see `acreage lease template`"
        raise InputError("a contract file is a mapping of leases and commitments", fix=fix, place=document.place(()))
    shape = shaped(document, (), ContractsShape, check=None)
    if not shape.leases and not shape.commitments:
        fix = "see `acreage lease template`"
        raise InputError("there is no lease and no commitment", fix=fix, place=document.place(()))
    names = _names(document, shape, accelerators)
    check_limits(document, names)
    _check(names, shape)
    reader = SupplyReader(document=document, shape=names.shape, names=names, list_price=_no_list_price)
    leases, commitments = reader.leases(reader.pools()), reader.commitments()
    return ContractFile(
        leases=tuple(_contract(one, lease) for one, lease in zip(shape.leases, leases, strict=True)),
        commitments=tuple(_spend(one, found) for one, found in zip(shape.commitments, commitments, strict=True)),
    )


def _names(document: Document, shape: ContractsShape, accelerators: Mapping[AcceleratorName, Accelerator]) -> Names:
    """The names the file itself introduces: whoever is named as provider or pool is one."""
    providers = {lease.provider for lease in shape.leases} | {pledge.provider for pledge in shape.commitments}
    pools: dict[str, PoolShape] = {}
    for i, lease in enumerate(shape.leases):
        known = pools.get(lease.pool)
        if known is not None and (known.provider, known.accelerator) != (lease.provider, lease.accelerator):
            raise InputError(
                f"pool {lease.pool!r} has {known.accelerator} of {known.provider} in another lease",
                fix="a pool is of one provider and one accelerator",
                place=document.place(("leases", i, "pool")),
            )
        pools[lease.pool] = PoolShape(
            id=lease.pool, provider=lease.provider, region="as signed", accelerator=lease.accelerator
        )
    whole = PortfolioShape(
        name="contracts",
        as_of=date_of(0),
        grid=[],
        providers=[ProviderShape(id=name) for name in sorted(providers)],
        pools=list(pools.values()),
        leases=list(shape.leases),
        commitments=list(shape.commitments),
        workloads=[],
    )
    names = Names(document=document, shape=whole, accelerators=accelerators)
    for i, lease in enumerate(shape.leases):
        names.accelerator(lease.accelerator, ("leases", i, "accelerator"))
    return names


def _check(names: Names, shape: ContractsShape) -> None:
    """What only the books demand: US dollars, prices as agreed, deliveries within the lease, known commitments."""
    ids = [
        (one.id, (section, i)) for section in ("leases", "commitments") for i, one in enumerate(getattr(shape, section))
    ]
    names.distinct_across("contract", ids)
    pledges = {one.id: one.provider for one in shape.commitments}
    for i, lease in enumerate(shape.leases):
        at = ("leases", i)
        _check_currency(names, lease.currency, at)
        if isinstance(lease.price, str) and lease.price.split()[:1] == ["catalog"]:
            fix = "write the price that was agreed, for example 4.30 USD/accelerator_hour"
            names.wrong("a contract has a price of its own", fix, (*at, "price"))
        if pledges.get(lease.commitment, lease.provider) != lease.provider:
            what = f"commitment {lease.commitment!r} is with {pledges[lease.commitment]}, not with {lease.provider}"
            names.wrong(what, "name one of the same provider", (*at, "commitment"))
        _check_deliveries(names, lease, at)
    for i, pledge in enumerate(shape.commitments):
        _check_currency(names, pledge.currency, ("commitments", i))
        if pledge.expires < pledge.milestones[-1].due:
            what = f"it expires {pledge.expires}, before its last milestone {pledge.milestones[-1].due}"
            names.wrong(what, "let it expire on that day or later", ("commitments", i, "expires"))


def _check_currency(names: Names, currency: str, at: At) -> None:
    if currency != "USD":
        names.wrong(f"the currency is {currency}", "the books are kept in USD: convert it first", (*at, "currency"))


def _check_deliveries(names: Names, lease: ContractShape, at: At) -> None:
    level = 0
    for i, delivery in sorted(enumerate(lease.deliveries), key=lambda pair: pair[1].due):
        here = (*at, "deliveries", i)
        if delivery.due < lease.starts:
            names.wrong(
                f"a delivery due {delivery.due}, before the lease starts", f"{lease.starts} or later", (*here, "due")
            )
        level += delivery.accelerators
        if level < 0:
            what = f"{-delivery.accelerators:,} are taken back where {level - delivery.accelerators:,} are delivered"
            names.wrong(what, "take back at most as many", (*here, "accelerators"))


def _contract(shape: ContractShape, lease: Lease) -> Contract:
    return Contract(
        lease=lease,
        side=Side(shape.side),
        counterparty=shape.counterparty or shape.provider,
        accelerator=AcceleratorName(shape.accelerator),
        price_frac=shape.price_frac,
        upfront_micro_usd=micro_usd(shape.upfront_usd),
        offer=OfferId(shape.offer) if shape.offer else None,
        commitment=CommitmentId(shape.commitment) if shape.commitment else None,
        renewal=Renewal(
            duration=duration(shape.renewal.duration),
            notice_days=shape.renewal.notice_days,
            automatic=shape.renewal.automatic,
        )
        if shape.renewal
        else None,
        sla=tuple(SlaStep(below_frac=step.below_frac, credit_frac=step.credit_frac) for step in shape.sla),
        sublease_allowed=shape.sublease_allowed,
        vendor_ids=tuple(shape.vendor_ids),
        documents=_documents(shape.documents),
    )


def _spend(shape: SpendShape, held: Commitment) -> SpendContract:
    return SpendContract(
        id=held.id,
        spend=held.spend,
        expires_at=date_at(shape.expires),
        description=shape.description,
        documents=_documents(shape.documents),
    )


def _documents(shapes: Iterable[DocumentShape]) -> tuple[DocumentReference, ...]:
    return tuple(DocumentReference(title=s.title, reference=s.reference, sha256=s.sha256) for s in shapes)


def _no_list_price(provider: str, region: str, accelerator: AcceleratorName, kind: PriceKind) -> Price | None:
    return None


def contract_yaml(contract: Contract) -> str:
    """A lease as a contract file that reads back to the same; what is at its default is left out."""
    lease, terms = contract.lease, contract.lease.terms
    entry: dict[str, Any] = {
        "id": str(lease.id),
        "provider": str(lease.provider),
        "pool": str(lease.pool),
        "accelerator": str(contract.accelerator),
        "counterparty": contract.counterparty,
        "starts": date_of(lease.starts_at),
        "ends": date_of(lease.ends_at),
        "price": _price(terms.price),
        "deliveries": [_plain(delivery) | {"due": date_of(delivery.due_at)} for delivery in lease.deliveries],
    }
    skipped = {"lease", "accelerator", "counterparty", "upfront_micro_usd", "currency", "price"}
    rest = _plain(terms) | _plain(contract)
    entry |= {name: value for name, value in rest.items() if name not in skipped}
    if contract.upfront_micro_usd:
        entry["upfront_usd"] = usd(contract.upfront_micro_usd)
    return yaml.safe_dump({"leases": [entry]}, sort_keys=False, allow_unicode=True, width=100)


_RENAMED = {"most_favoured": "most_favored"}


def _plain(value: Any) -> Any:
    """A domain value as the document writes it, without what is at its default."""
    if isinstance(value, Duration):
        return _span(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, tuple | frozenset):
        return [_plain(one) for one in value]
    if not is_dataclass(value):
        return value
    found = {}
    for field in fields(value):
        one = getattr(value, field.name)
        if one is None or (one == field.default and field.name != "notice_days"):
            continue
        name = _RENAMED.get(field.name, field.name)
        found[name.removesuffix("_at")] = date_of(one) if name.endswith("_at") else _plain(one)
    return found


def _price(price: Price) -> dict[str, Any]:
    shape = PriceShape(usd=usd(price.amount_micro_usd), per=price.basis.value)
    found: dict[str, Any] = {"usd": shape.usd, "per": shape.per}
    if price.accelerators_per_unit != 1.0:
        found["accelerators_per_unit"] = price.accelerators_per_unit
    found |= {"kind": price.kind.value, "source": price.provenance.source}
    if price.provenance.as_of_at is not None:
        found["as_of"] = date_of(price.provenance.as_of_at)
    return found


def _span(length: Duration) -> str:
    if length.months and length.days:
        raise InputError(f"{length} is neither whole months nor days", fix="write it by hand")
    return f"{length.months} months" if length.months else f"{length.days} days"


def date_of(at: int) -> Any:
    """The date of an instant, which stands at midnight, as YAML has it."""
    return yaml.safe_load(iso_date(at))
