"""Turns quotes into offers: names the accelerators, applies every rule, and says what became of each row.

Nothing is added or removed: every quote comes out as one offer with one status, so that
rows read = prices + unknowns + rejected + out of scope.
"""

from dataclasses import dataclass
from datetime import date

import polars as pl

from acreage.catalog.accelerators import find, load_accelerators
from acreage.catalog.names import split_slice
from acreage.catalog.rules.amounts import reference_of
from acreage.catalog.rules.registry import RULES
from acreage.catalog.rules.rule import Context
from acreage.catalog.shapes import accelerator_by_name, count_by_name, known_shapes
from acreage.catalog.table import DOUBTS, OFFERS, OUT_OF_SCOPE, PRICE, UNKNOWN, sentence, with_micro_usd
from acreage.domain.price import PriceKind

_CONTRACT = PriceKind.CONTRACT.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Offers (schema OFFERS) and doubts about them (schema DOUBTS)."""

    offers: pl.DataFrame
    doubts: pl.DataFrame


def judge(quotes: pl.DataFrame, *, today: date, stale_after_days: int, reference: pl.DataFrame) -> Judged:
    """Judge quotes (schema QUOTES) as of a day.

    `reference` are offers by which outliers are told besides the quotes themselves.
    """
    if quotes.is_empty():
        return Judged(offers=pl.DataFrame(schema=OFFERS), doubts=pl.DataFrame(schema=DOUBTS))
    offers = identified(quotes).with_row_index("index")
    offers = offers.with_columns(age_days=(pl.lit(today) - pl.col("as_of")).dt.total_days())
    middle = reference_of(pl.concat([offers, reference], how="diagonal"))
    context = Context(today=today, stale_after_days=stale_after_days, reference=middle)
    found = [_first_doubts(offers)]
    for rule in RULES:
        doubts = rule(offers, context)
        if not doubts.is_empty():
            found.append(doubts)
            offers = _with_verdicts(offers, doubts)
    doubts = _described(pl.concat(found), offers)
    offers = with_micro_usd(_with_contracts(offers))
    return Judged(offers=offers.select([pl.col(name).cast(kind) for name, kind in OFFERS.items()]), doubts=doubts)


def identified(quotes: pl.DataFrame) -> pl.DataFrame:
    """Add the accelerator's canonical name and count, from the machine where known, else as stated."""
    offers = quotes.join(_spellings(quotes), on="accelerator_text", how="left", maintain_order="left")
    keys = ["provider", "instance_type"]
    offers = offers.join(known_shapes(), on=keys, how="left", maintain_order="left")
    offers = offers.join(_machine_names(quotes), on=keys, how="left", maintain_order="left")
    text = pl.col("stated_accelerator")
    offers = offers.with_columns(
        accelerator=pl.coalesce("shape_accelerator", "named_accelerator", text),
        accelerators=pl.col("accelerators") * pl.col("slice_chips"),
    )
    domains = {name: facts.scale_up_domain_accelerators for name, facts in load_accelerators().items()}
    stated = pl.col("accelerators").round(0).cast(pl.Int64, strict=False)
    offers = offers.with_columns(
        accelerators_per_unit=pl.coalesce(stated, "shape_accelerators", "name_accelerators"),
        domain=pl.col("accelerator").replace_strict(domains, default=None, return_dtype=pl.Int64),
    )
    return _scoped(offers)


def _scoped(offers: pl.DataFrame) -> pl.DataFrame:
    """Rows without an accelerator of ours are out of scope, whatever their price."""
    none = pl.col("accelerator").is_null() & pl.col("status").is_in([PRICE, UNKNOWN])
    unnamed = pl.col("accelerator_text") == ""
    return offers.with_columns(
        status=pl.when(none).then(pl.lit(OUT_OF_SCOPE)).otherwise("status"),
        rule=pl.when(none & unnamed)
        .then(pl.lit("no_accelerator"))
        .when(none)
        .then(pl.lit("other_chip"))
        .otherwise("rule"),
        reason=pl.when(none & unnamed)
        .then(pl.lit("no accelerator, or none that the machine's name says"))
        .when(none)
        .then(sentence("{} is not in the accelerator table", "accelerator_text"))
        .otherwise("reason"),
    )


def _spellings(quotes: pl.DataFrame) -> pl.DataFrame:
    texts = quotes["accelerator_text"].unique().to_list()
    slices = [split_slice(text) for text in texts]
    return pl.DataFrame(
        {
            "accelerator_text": pl.Series(texts, dtype=pl.String),
            "stated_accelerator": pl.Series([find(name) if name else None for name, _ in slices], dtype=pl.String),
            "slice_chips": pl.Series([chips for _, chips in slices], dtype=pl.Float64),
        }
    )


def _machine_names(quotes: pl.DataFrame) -> pl.DataFrame:
    pairs = quotes.select("provider", "instance_type").unique()
    chips = [accelerator_by_name(provider, machine) or None for provider, machine in pairs.iter_rows()]
    counts = [count_by_name(machine) for machine in pairs["instance_type"]]
    return pairs.with_columns(
        named_accelerator=pl.Series(chips, dtype=pl.String),
        name_accelerators=pl.Series(counts, dtype=pl.Int64),
    )


_FEED_SEVERITIES = {"missing_price": "warning", "no_accelerator": "note", "other_chip": "note"}


def _first_doubts(offers: pl.DataFrame) -> pl.DataFrame:
    """What the feeds themselves said: an absent price is a doubt, a row rejected an error."""
    rows = offers.filter(pl.col("status").is_in(["rejected", UNKNOWN]))
    spot = (pl.col("rule") == "missing_price") & (pl.col("price_kind") == PriceKind.SPOT.value)
    return rows.select(
        pl.col("index").cast(pl.UInt32),
        severity=pl.when(spot)
        .then(pl.lit("note"))
        .otherwise(pl.col("rule").replace_strict(_FEED_SEVERITIES, default="error", return_dtype=pl.String)),
        rule=pl.col("rule"),
        message=pl.col("reason"),
        verdict=pl.lit(None, dtype=pl.String),
    )


def _with_verdicts(offers: pl.DataFrame, doubts: pl.DataFrame) -> pl.DataFrame:
    verdicts = doubts.filter(pl.col("verdict").is_not_null()).unique("index", keep="first", maintain_order=True)
    if verdicts.is_empty():
        return offers
    said = verdicts.select("index", "verdict", said_rule="rule", said="message")
    offers = offers.join(said, on="index", how="left", maintain_order="left")
    new = pl.col("verdict").is_not_null()
    return offers.with_columns(
        status=pl.coalesce("verdict", "status"),
        rule=pl.when(new).then("said_rule").otherwise("rule"),
        reason=pl.when(new).then("said").otherwise("reason"),
    ).drop("verdict", "said_rule", "said")


def _described(doubts: pl.DataFrame, offers: pl.DataFrame) -> pl.DataFrame:
    chip = pl.coalesce("accelerator", "accelerator_text")
    subject = pl.concat_str("provider", "region", "instance_type", chip, "price_kind", separator=" ")
    about = offers.select(pl.col("index").cast(pl.UInt32), "row", source="file", subject=subject)
    described = doubts.join(about, on="index", how="left", maintain_order="left")
    return described.select([pl.col(name).cast(kind) for name, kind in DOUBTS.items()])


def _with_contracts(offers: pl.DataFrame) -> pl.DataFrame:
    """Mark list prices that a contract in force covers: its provider and accelerator, where it holds."""
    contracts = offers.filter((pl.col("price_kind") == _CONTRACT) & (pl.col("status") == PRICE))
    listed = pl.col("price_kind").is_in([PriceKind.ON_DEMAND.value, PriceKind.CAPACITY_BLOCK.value])
    if contracts.is_empty():
        return offers.with_columns(covered_by_contract=pl.lit(False))
    here = contracts.select("provider", "accelerator", "region").unique().with_columns(here=pl.lit(True))
    wide = contracts.filter(pl.col("region") == "global").select("provider", "accelerator").unique()
    offers = offers.join(here, on=["provider", "accelerator", "region"], how="left", maintain_order="left")
    offers = offers.join(
        wide.with_columns(wide=pl.lit(True)),
        on=["provider", "accelerator"],
        how="left",
        maintain_order="left",
    )
    covered = listed & (pl.col("here").fill_null(False) | pl.col("wide").fill_null(False))
    return offers.with_columns(covered_by_contract=covered).drop("here", "wide")
