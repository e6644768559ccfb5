"""Charges the books computed themselves, as FOCUS rows: what a lessor sends with the invoice of a lease.

A lease is a commitment discount on usage: its fee is `Usage` priced `Committed`. What is paid ahead is a
`Purchase` whose effective cost is nothing, and so are its setting-off and its refund, for the effective cost
stands in the fees that it covers; over a lease that is settled, billed and effective cost are equal. What
has no price by the accelerator-hour is one piece at its amount, so that price times quantity is the cost.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType

import polars as pl

from acreage.ledger.focus.cells import decimal_of
from acreage.ledger.focus.columns import PLACES, columns_of, schema_of
from acreage.ledger.focus.source import ROW
from acreage.units.errors import InputError, Place
from acreage.units.instants import SECONDS_PER_HOUR, moment
from acreage.units.money import MICRO_PER_USD

ACCELERATOR_HOURS = "Accelerator-Hours"
"""The unit of everything leased."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComputedCharge:
    """One posted amount of a lease or a spend commitment, as the books computed it.

    `kind` is "fee", "prepayment", "prepayment_credit", "late_credit", "sla_credit", "termination_fee",
    "refund" or "shortfall". `lease` is the id of the lease (of a shortfall: of the spend commitment) and
    `vendor_id` the name the provider bills it under, empty where that is the same. Instants are UTC epoch
    seconds: service over [from_at, until_at), billed in the period [billing_from_at, billing_until_at).
    `billed_micro_usd` is in millionths of one unit of `currency`; negative is in favor of the lessee.
    `unit_micro_usd_per_accelerator_hour` is None where the charge has no such price.
    """

    id: str
    lease: str
    provider: str
    invoice_issuer: str
    billing_account: str
    kind: str
    description: str
    accelerator: str
    region: str
    from_at: int
    until_at: int
    billing_from_at: int
    billing_until_at: int
    accelerator_seconds: int
    billed_micro_usd: int
    unit_micro_usd_per_accelerator_hour: Fraction | None
    currency: str = "USD"
    vendor_id: str = ""


@dataclass(frozen=True, slots=True)
class _Mapping:
    """How FOCUS names a kind of charge; `piece` is what its quantity counts where there are no hours."""

    category: str
    frequency: str
    piece: str = ""
    pricing: str | None = None
    status: str | None = None
    effective: bool = True
    meter: str | None = None


_MAPPINGS: Mapping[str, _Mapping] = MappingProxyType(
    {
        "fee": _Mapping("Usage", "Recurring", "Fees", "Committed", "Used", meter="Accelerator Time"),
        "prepayment": _Mapping(
            "Purchase", "One-Time", "Prepayments", "Standard", effective=False, meter="Lease Prepayment"
        ),
        "prepayment_credit": _Mapping("Credit", "Recurring", effective=False),
        "late_credit": _Mapping("Credit", "One-Time"),
        "sla_credit": _Mapping("Credit", "One-Time"),
        "termination_fee": _Mapping("Adjustment", "One-Time"),
        "refund": _Mapping("Adjustment", "One-Time", effective=False),
        "shortfall": _Mapping("Usage", "One-Time", "Shortfalls", "Committed", "Unused", meter="Unused Commitment"),
    }
)


def charge_rows(charges: Sequence[ComputedCharge]) -> pl.DataFrame:
    """FOCUS rows of charges, one each, in their order: all columns of FOCUS 1.2 and `Row`, as `read_focus` has them.

    Raises `InputError` for a kind that is not known and for a period that does not end after its start.
    """
    schema = schema_of(columns_of())
    rows = [_row(charge) for charge in charges]
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    return frame.with_columns(pl.int_range(2, pl.len() + 2, dtype=pl.Int64).alias(ROW))


def _row(charge: ComputedCharge) -> dict[str, object]:
    mapping = _checked(charge)
    return {
        **_who(charge),
        **_when(charge),
        **_what(charge, mapping),
        **_money(charge, mapping),
        **_quantities(charge, mapping),
        **_commitment(charge, mapping),
    }


def _checked(charge: ComputedCharge) -> _Mapping:
    place = Place(file="charges", field=charge.id)
    mapping = _MAPPINGS.get(charge.kind)
    if mapping is None:
        raise InputError(f"{charge.kind!r} is no kind of charge", fix=f"use {', '.join(_MAPPINGS)}", place=place)
    if charge.until_at <= charge.from_at or charge.billing_until_at <= charge.billing_from_at:
        raise InputError("a period does not end after its start", fix="give both periods", place=place)
    if charge.accelerator_seconds < 0:
        raise InputError("a negative time of accelerators", fix="give credits as negative amounts", place=place)
    return mapping


def _who(charge: ComputedCharge) -> dict[str, object]:
    return {
        "BillingAccountId": charge.billing_account,
        "BillingAccountName": charge.billing_account,
        "InvoiceIssuerName": charge.invoice_issuer,
        "ProviderName": charge.provider,
        "PublisherName": charge.provider,
    }


def _when(charge: ComputedCharge) -> dict[str, object]:
    return {
        "BillingPeriodStart": moment(charge.billing_from_at),
        "BillingPeriodEnd": moment(charge.billing_until_at),
        "ChargePeriodStart": moment(charge.from_at),
        "ChargePeriodEnd": moment(charge.until_at),
    }


def _what(charge: ComputedCharge, mapping: _Mapping) -> dict[str, object]:
    of_lease = not _is_spend(charge)
    sku = (f"lease/{charge.accelerator}" if of_lease else "spend-commitment") if mapping.pricing else None
    corrects = charge.kind == "refund" and charge.from_at < charge.billing_from_at
    tags = {"acreage_charge": charge.id, "acreage_kind": str(charge.kind)}
    return {
        "ChargeCategory": mapping.category,
        "ChargeClass": "Correction" if corrects else None,
        "ChargeDescription": charge.description or None,
        "ChargeFrequency": mapping.frequency,
        "RegionId": charge.region or None,
        "RegionName": charge.region or None,
        "ResourceId": charge.lease if of_lease else None,
        "ResourceName": charge.lease if of_lease else None,
        "ResourceType": "Lease" if of_lease else None,
        "ServiceCategory": "Compute",
        "ServiceName": "Accelerator Lease" if of_lease else "Spend Commitment",
        "ServiceSubcategory": "Other (Compute)",
        "SkuId": sku,
        "SkuMeter": mapping.meter,
        "SkuPriceId": sku,
        "Tags": json.dumps(({"acreage_lease": charge.lease} if of_lease else {}) | tags),
    }


def _money(charge: ComputedCharge, mapping: _Mapping) -> dict[str, object]:
    billed = _billed(charge)
    price, quantity = _priced(charge, mapping)
    cost = billed if price is None else decimal_of(price * quantity, PLACES)
    return {
        "BillingCurrency": charge.currency,
        "BilledCost": billed,
        "EffectiveCost": billed if mapping.effective else Decimal(0),
        # There is no public price list: what FOCUS says for a missing list price.
        "ListCost": billed,
        "ContractedCost": cost,
        "ContractedUnitPrice": None if price is None else decimal_of(price, PLACES),
    }


def _quantities(charge: ComputedCharge, mapping: _Mapping) -> dict[str, object]:
    price, quantity = _priced(charge, mapping)
    unit = ACCELERATOR_HOURS if _by_the_hour(charge, mapping) else mapping.piece
    used = mapping.status == "Used" and charge.accelerator_seconds > 0
    return {
        "PricingCategory": mapping.pricing,
        "PricingQuantity": None if price is None else decimal_of(quantity, PLACES),
        "PricingUnit": None if price is None else unit,
        "ConsumedQuantity": decimal_of(_hours(charge), PLACES) if used else None,
        "ConsumedUnit": ACCELERATOR_HOURS if used else None,
    }


def _commitment(charge: ComputedCharge, mapping: _Mapping) -> dict[str, object]:
    spend = _is_spend(charge)
    amount = abs(Fraction(_billed(charge))) if spend else _hours(charge)
    counts = mapping.category in ("Usage", "Purchase") and amount > 0
    return {
        "CommitmentDiscountCategory": "Spend" if spend else "Usage",
        "CommitmentDiscountId": charge.vendor_id or charge.lease,
        "CommitmentDiscountName": charge.lease,
        "CommitmentDiscountQuantity": decimal_of(amount, PLACES) if counts else None,
        # A fee for no time of accelerators at all is for what was promised and not used.
        "CommitmentDiscountStatus": mapping.status if spend or not mapping.status or amount else "Unused",
        "CommitmentDiscountType": "Spend Commitment" if spend else "Lease",
        "CommitmentDiscountUnit": charge.currency if spend else ACCELERATOR_HOURS,
    }


def _priced(charge: ComputedCharge, mapping: _Mapping) -> tuple[Fraction | None, Fraction]:
    """Unit price and quantity: by the accelerator-hour, else one piece at its amount, else no price."""
    if mapping.pricing is None:
        return None, Fraction(0)
    unit = charge.unit_micro_usd_per_accelerator_hour
    if unit is not None and _by_the_hour(charge, mapping):
        return unit / MICRO_PER_USD, _hours(charge)
    # A price is never negative; a piece given back is minus one piece.
    return abs(Fraction(_billed(charge))), Fraction(-1 if charge.billed_micro_usd < 0 else 1)


def _by_the_hour(charge: ComputedCharge, mapping: _Mapping) -> bool:
    priced = charge.unit_micro_usd_per_accelerator_hour is not None and charge.accelerator_seconds > 0
    return priced and mapping.status == "Used"


def _is_spend(charge: ComputedCharge) -> bool:
    return charge.kind == "shortfall"


def _hours(charge: ComputedCharge) -> Fraction:
    return Fraction(charge.accelerator_seconds, SECONDS_PER_HOUR)


def _billed(charge: ComputedCharge) -> Decimal:
    return Decimal(f"{charge.billed_micro_usd}E-6")
