"""A small FOCUS bill to change one cell of, and charges of every kind, for the tests of this room."""

import csv
import io
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path

from acreage.ledger.focus.writing import ComputedCharge
from acreage.units.instants import instant

CELLS: Mapping[str, str] = {
    "BilledCost": "12.5",
    "BillingAccountId": "acct-1",
    "BillingAccountName": "Example",
    "BillingCurrency": "USD",
    "BillingPeriodEnd": "2026-02-01T00:00:00Z",
    "BillingPeriodStart": "2026-01-01T00:00:00Z",
    "ChargeCategory": "Usage",
    "ChargeClass": "",
    "ChargeDescription": "8 accelerators",
    "ChargeFrequency": "Usage-Based",
    "ChargePeriodEnd": "2026-01-02T00:00:00Z",
    "ChargePeriodStart": "2026-01-01T00:00:00Z",
    "ContractedCost": "12.5",
    "ContractedUnitPrice": "2.5",
    "EffectiveCost": "12.5",
    "InvoiceIssuerName": "Example Cloud",
    "ListCost": "20",
    "PricingQuantity": "5",
    "PricingUnit": "Accelerator-Hours",
    "ProviderName": "Example Cloud",
    "PublisherName": "Example Cloud",
    "ServiceCategory": "Compute",
    "ServiceName": "Accelerators",
    "Tags": '{"team": "a, b"}',
}
"""One row with the mandatory columns and a few more."""


def csv_text(rows: Sequence[Mapping[str, str]], columns: Sequence[str] = tuple(CELLS)) -> str:
    """A CSV file of rows that differ from `CELLS` as given."""
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([{**CELLS, **row}[name] for name in columns] for row in rows)
    return file.getvalue()


def write_bill(folder: Path, *rows: Mapping[str, str]) -> Path:
    """A CSV file in a folder; its columns are those of `CELLS` and any others that a row names."""
    path = folder / "bill.csv"
    others = dict.fromkeys(name for row in rows for name in row if name not in CELLS)
    empty = dict.fromkeys(others, "")
    path.write_text(csv_text([empty | dict(row) for row in rows], (*CELLS, *others)), encoding="utf-8")
    return path


def charge(kind: str, billed_usd: int, /, **changes: object) -> ComputedCharge:
    """A charge of January 2026 for lease L-1."""
    fields: dict[str, object] = {
        "id": f"c-{kind}",
        "lease": "L-1",
        "provider": "nebius",
        "invoice_issuer": "Lessor Inc",
        "billing_account": "lessee-1",
        "kind": kind,
        "description": f"{kind} of January",
        "accelerator": "H100",
        "region": "eu-north1",
        "from_at": instant("2026-01-01"),
        "until_at": instant("2026-02-01"),
        "billing_from_at": instant("2026-01-01"),
        "billing_until_at": instant("2026-02-01"),
        "accelerator_seconds": 0,
        "billed_micro_usd": billed_usd * 1_000_000,
        "unit_micro_usd_per_accelerator_hour": None,
        "currency": "USD",
        "vendor_id": "",
    }
    return ComputedCharge(**(fields | changes))  # type: ignore[arg-type]


def every_kind() -> list[ComputedCharge]:
    """A charge of every kind and variety; the prepayment of 1000 is used up by credits and the refund."""
    hours = {"accelerator_seconds": 8 * 744 * 3600, "unit_micro_usd_per_accelerator_hour": Fraction(2_500_000)}
    march = {"from_at": instant("2026-03-01"), "until_at": instant("2026-04-01")}
    billed_in_march = {"billing_from_at": instant("2026-03-01"), "billing_until_at": instant("2026-04-01")}
    return [
        charge("prepayment", 1000),
        charge("fee", 14_880, **hours, vendor_id="res-77"),
        charge("fee", 100, id="c-odd", accelerator_seconds=1001, unit_micro_usd_per_accelerator_hour=Fraction(7, 3)),
        charge("fee", 300, id="c-lump", accelerator_seconds=7200),
        charge("fee", 50, id="c-idle"),
        charge("fee", 700, id="c-march", **march, **billed_in_march),
        charge("prepayment_credit", -600),
        charge("prepayment_credit", -150, id="c-second", **march, **billed_in_march),
        charge("late_credit", -40),
        charge("sla_credit", -60),
        charge("termination_fee", 500),
        charge("refund", -250, **billed_in_march),
        charge("shortfall", 2000, lease="C-9", accelerator="", region=""),
        charge("fee", 1, id="c-tiny", billed_micro_usd=1, description=""),
    ]
