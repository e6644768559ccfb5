"""Whether a frame is FOCUS: its columns, types, nulls and values, and the rules between columns.

The rules are those of FOCUS 1.2 for charges computed here; other providers' bills break some of them, so that
reading does not ask for them. Everything the books write is held against them by tests.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from acreage.ledger.focus.columns import Column, allowed_values, columns_of, commitment_columns, schema_of

_COST_TOLERANCE = "0.000000001"
"""A unit price kept at 12 places times a large quantity is the cost but for rounding."""


@dataclass(frozen=True, slots=True)
class _Rule:
    """`broken` is true in the rows that break the rule; it is judged where all of `columns` are there."""

    says: str
    columns: tuple[str, ...]
    broken: pl.Expr


def faults(frame: pl.DataFrame, version: str) -> list[str]:
    """What keeps a frame from being Cost and Usage of a FOCUS version; empty where nothing does."""
    shape = [*_shape(frame, columns_of(version)), *_values(frame)]
    return shape or list(_broken(frame, _rules()))


def commitment_faults(frame: pl.DataFrame) -> list[str]:
    """What keeps a frame from being FOCUS 1.3 Contract Commitment; empty where nothing does."""
    return [*_shape(frame, commitment_columns())] or list(_broken(frame, _commitment_rules()))


def _shape(frame: pl.DataFrame, columns: Sequence[Column]) -> Iterator[str]:
    schema = schema_of(columns)
    if frame.columns != schema.names():
        yield f"columns are {', '.join(frame.columns)}, not {', '.join(schema.names())}"
        return
    yield from (f"{n} is {frame.schema[n]}, not {t}" for n, t in schema.items() if frame.schema[n] != t)
    for column in columns:
        if column.mandatory and not column.nullable and frame[column.id].null_count():
            yield f"{column.id} is empty in some rows"


def _values(frame: pl.DataFrame) -> Iterator[str]:
    for name, values in allowed_values().items():
        if name in frame.columns:
            other = frame[name].drop_nulls().unique().sort().to_list()
            yield from (f"{name} is {value!r}" for value in other if value not in values)


def _broken(frame: pl.DataFrame, rules: Sequence[_Rule]) -> Iterator[str]:
    for rule in rules:
        if set(rule.columns) <= set(frame.columns):
            rows = frame.select(rule.broken.fill_null(False)).to_series().arg_true().to_list()
            if rows:
                yield f"{rule.says}: row {rows[0] + 2} and {len(rows) - 1} more"


def _rules() -> list[_Rule]:
    category, correction = pl.col("ChargeCategory"), pl.col("ChargeClass").is_not_null()
    sold = category.is_in(["Usage", "Purchase"]) & ~correction
    return [
        *_period_rules("BillingPeriod"),
        *_period_rules("ChargePeriod"),
        *_needed("in usage and purchases", sold, _WHEN_SOLD),
        *(
            _Rule(
                f"{name} is empty in taxes", ("ChargeCategory", name), (category == "Tax") & pl.col(name).is_not_null()
            )
            for name in _WHEN_SOLD
        ),
        *_cost_rules("Contracted", correction),
        *_cost_rules("List", correction),
        _Rule(
            "purchases are not usage-based",
            ("ChargeCategory", "ChargeFrequency"),
            (category == "Purchase") & (pl.col("ChargeFrequency") == "Usage-Based"),
        ),
        *_commitment_discount_rules(),
    ]


_WHEN_SOLD = ("PricingQuantity", "PricingUnit", "PricingCategory", "ContractedUnitPrice", "SkuPriceId")


def _period_rules(name: str) -> list[_Rule]:
    start, end = f"{name}Start", f"{name}End"
    return [_Rule(f"{end} is after {start}", (start, end), pl.col(end) <= pl.col(start))]


def _needed(where: str, rows: pl.Expr, names: Sequence[str]) -> list[_Rule]:
    return [_Rule(f"{name} is given {where}", (name,), rows & pl.col(name).is_null()) for name in names]


def _cost_rules(name: str, correction: pl.Expr) -> list[_Rule]:
    price, cost = f"{name}UnitPrice", f"{name}Cost"
    # Only a ratio is compared, so that floats are good enough here.
    product = pl.col(price).cast(pl.Float64) * pl.col("PricingQuantity").cast(pl.Float64)
    off = (product - pl.col(cost).cast(pl.Float64)).abs() > float(_COST_TOLERANCE) * (1 + product.abs())
    unpriced = pl.col(price).is_null() & (pl.col("ChargeCategory") == "Credit")
    return [
        _Rule(f"{cost} is {price} times PricingQuantity", (price, cost, "PricingQuantity"), off & ~correction),
        _Rule(f"{price} is not negative", (price,), pl.col(price) < 0),
        _Rule(f"{cost} of a credit is what is billed", (cost,), unpriced & (pl.col(cost) != pl.col("BilledCost"))),
    ]


def _commitment_discount_rules() -> list[_Rule]:
    correction = pl.col("ChargeClass").is_not_null()
    committed = pl.col("CommitmentDiscountId").is_not_null()
    usage = pl.col("ChargeCategory") == "Usage"
    status = pl.col("CommitmentDiscountStatus")
    metered = committed & usage & (status == "Used") & ~correction
    quantity, unit = "CommitmentDiscountQuantity", "CommitmentDiscountUnit"
    counted = pl.col("ChargeCategory").is_in(["Usage", "Purchase"])
    return [
        *_needed("with a commitment discount", committed, ("CommitmentDiscountCategory", "CommitmentDiscountType")),
        *_needed("with a commitment discount", committed & ~correction, (unit,)),
        *_needed("in committed usage", committed & usage, ("CommitmentDiscountStatus",)),
        _Rule(f"{quantity} is positive", (quantity,), pl.col(quantity) <= 0),
        _Rule(f"{quantity} is empty elsewhere", (quantity,), pl.col(quantity).is_not_null() & ~(committed & counted)),
        _Rule("what is consumed is positive", ("ConsumedQuantity",), metered & (pl.col("ConsumedQuantity") <= 0)),
        _Rule(
            "what is unused is not consumed",
            ("ConsumedQuantity",),
            (status == "Unused") & pl.col("ConsumedQuantity").is_not_null(),
        ),
        _Rule(
            "a consumed quantity has its unit",
            ("ConsumedQuantity", "ConsumedUnit"),
            pl.col("ConsumedQuantity").is_null() != pl.col("ConsumedUnit").is_null(),
        ),
    ]


def _commitment_rules() -> list[_Rule]:
    category = pl.col("ContractCommitmentCategory")
    spend, usage = category == "Spend", category == "Usage"
    quantity, unit = pl.col("ContractCommitmentQuantity"), pl.col("ContractCommitmentUnit")
    return [
        *_period_rules("ContractCommitmentPeriod"),
        *_period_rules("ContractPeriod"),
        _Rule("the category is Spend or Usage", ("ContractCommitmentCategory",), ~(spend | usage)),
        *_needed("of spend", spend, ("ContractCommitmentCost", "BillingCurrency")),
        *_needed("of usage", usage, ("ContractCommitmentQuantity",)),
        _Rule("a quantity has its unit", ("ContractCommitmentUnit",), quantity.is_null() != unit.is_null()),
    ]
