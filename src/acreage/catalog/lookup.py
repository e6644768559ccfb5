"""One price for one question: the contract's where one is in force, else the list's."""

import polars as pl

from acreage.catalog.accelerators import resolve
from acreage.catalog.book import PriceBook
from acreage.catalog.table import PRICE
from acreage.domain.price import Price, PriceBasis, PriceKind, Provenance
from acreage.units.instants import Instant, instant
from acreage.units.money import MicroUsd, scaled

_LISTED = (PriceKind.ON_DEMAND, PriceKind.CAPACITY_BLOCK)


def list_price(
    book: PriceBook, *, provider: str, region: str, accelerator: str, kind: PriceKind, today: Instant
) -> Price | None:
    """The price of one accelerator-hour, or None where the book knows none.

    A contract in force on `today` (of the region, else of all regions) wins over list
    prices on demand and of capacity blocks. Of several list prices the cheapest per
    accelerator counts, in the region, else in the provider's list that holds everywhere.
    Raises `InputError` for an unknown accelerator.
    """
    name = resolve(accelerator)
    rows = book.offers.filter(
        (pl.col("status") == PRICE)
        & (pl.col("provider") == provider.lower())
        & (pl.col("accelerator") == name)
        & (pl.col("region").str.to_lowercase().is_in([region.lower(), "global"]))
        & (pl.col("age_days").is_null() | (pl.col("age_days") >= 0))
    )
    if kind in (*_LISTED, PriceKind.CONTRACT):
        contract = _best(_in_force(rows.filter(pl.col("price_kind") == PriceKind.CONTRACT.value), today))
        if contract is not None:
            return contract
    return _best(rows.filter(pl.col("price_kind") == kind.value))


def _in_force(contracts: pl.DataFrame, today: Instant) -> pl.DataFrame:
    day = pl.lit(today).cast(pl.Int64).mul(1000).cast(pl.Datetime("ms")).dt.date()
    return contracts.filter(
        (pl.col("as_of") <= day) & (pl.col("valid_until").is_null() | (pl.col("valid_until") > day))
    )


def _best(rows: pl.DataFrame) -> Price | None:
    if rows.is_empty():
        return None
    wide = pl.col("region") == "global"
    row = rows.sort(wide, "usd_per_accelerator_hour", "instance_type").row(0, named=True)
    amount = scaled(row["price_micro_usd_per_unit_hour"], 1, row["accelerators_per_unit"])
    as_of = row["as_of"]
    thing = row["instance_type"] or row["accelerator"]
    return Price(
        basis=PriceBasis.ACCELERATOR_HOUR,
        amount_micro_usd=MicroUsd(amount),
        kind=PriceKind(row["price_kind"]),
        provenance=Provenance(
            source=f"{row['source']} ({row['provider']} {row['region']} {thing})",
            as_of_at=None if as_of is None else instant(as_of),
        ),
    )
