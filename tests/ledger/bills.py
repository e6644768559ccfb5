"""FOCUS rows as a provider would send them, right or with planted errors."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import polars as pl

from acreage.ledger.grid import CapacityGrid
from acreage.ledger.leases import LeaseView
from acreage.ledger.segments import Stretch, stretches_of
from acreage.units.instants import SECONDS_PER_HOUR

COLUMNS = {
    "ProviderName": pl.String,
    "ChargeCategory": pl.String,
    "ChargeDescription": pl.String,
    "CommitmentDiscountId": pl.String,
    "ChargePeriodStart": pl.Datetime("us", "UTC"),
    "ChargePeriodEnd": pl.Datetime("us", "UTC"),
    "BillingCurrency": pl.String,
    "BilledCost": pl.Decimal(38, 12),
    "PricingQuantity": pl.Decimal(38, 12),
    "PricingUnit": pl.String,
    "ConsumedQuantity": pl.Decimal(38, 12),
    "ConsumedUnit": pl.String,
    "Tags": pl.String,
    "Row": pl.Int64,
}


def row(lease: str, from_at: int, until_at: int, hours: Decimal | None, usd: Decimal, **changes: Any) -> dict[str, Any]:
    """One charge."""
    made = {
        "ProviderName": "basalt",
        "ChargeCategory": "Usage",
        "ChargeDescription": "H100 hours",
        "CommitmentDiscountId": lease,
        "ChargePeriodStart": datetime.fromtimestamp(from_at, UTC),
        "ChargePeriodEnd": datetime.fromtimestamp(until_at, UTC),
        "BillingCurrency": "USD",
        "BilledCost": usd,
        "PricingQuantity": hours,
        "PricingUnit": None if hours is None else "Accelerator-Hours",
    }
    return made | changes


def frame(rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Rows as `read_focus` would give them."""
    numbered = [{**r, "Row": i + 2} for i, r in enumerate(rows)]
    return pl.DataFrame(numbered, schema=COLUMNS)


def right_bill(view: LeaseView, delivered: CapacityGrid, until_at: int, step_s: int) -> list[dict[str, Any]]:
    """What is due for what was delivered, in rows of at most `step_s` that no price change or month end cuts."""
    rows = []
    for stretch in stretches_of(view, until_at):
        at = int(stretch.from_at)
        while at < stretch.until_at:
            end = min(delivered.next_change(at), at + step_s, stretch.until_at)
            if delivered.free_at(at):
                rows.append(_right_row(view.id, stretch, delivered.free_at(at) * (end - at), at, end))
            at = end
    return rows


def _right_row(lease: str, stretch: Stretch, seconds: int, from_at: int, until_at: int) -> dict[str, Any]:
    micro = round(stretch.rate * seconds)
    return row(lease, from_at, until_at, Decimal(seconds) / SECONDS_PER_HOUR, Decimal(micro) / 1_000_000)
