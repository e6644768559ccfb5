"""Answers what an accelerator costs: by size, place, provider, kind and age, cheapest first."""

from dataclasses import dataclass

import polars as pl

from acreage.catalog.accelerators import DEFAULT_MFU_FRAC, accelerator_facts, peak_tflops, resolve
from acreage.catalog.regions import matching
from acreage.catalog.table import OUT_OF_SCOPE, PRICE, REJECTED, UNKNOWN
from acreage.domain.price import PriceKind
from acreage.units.errors import InputError

DEFAULT_KINDS = (PriceKind.ON_DEMAND, PriceKind.CAPACITY_BLOCK, PriceKind.CONTRACT)
_TFLOPS_PER_PFLOPS = 1000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What is asked for; None and empty mean any.

    `count` is exactly the accelerators of one instance, as SkyPilot understands `H100:8`;
    prices per accelerator-hour fit every count.
    """

    accelerator: str
    count: int | None = None
    region: str | None = None
    providers: tuple[str, ...] = ()
    kinds: tuple[PriceKind, ...] = DEFAULT_KINDS
    age_days_max: int | None = None
    mfu_frac: float = DEFAULT_MFU_FRAC


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The offers that answer, cheapest first, and how many rows of the same question are no answer.

    `precision` is that of the peak by which PFLOP-hours are counted; empty where no peak
    is known. `too_old` counts prices beyond the age asked for, and those without a date.
    """

    offers: pl.DataFrame
    precision: str
    unknown: int
    rejected: int
    superseded: int
    covered_by_contract: int
    too_old: int


def parse_request(text: str) -> tuple[str, int | None]:
    """'H100:8' gives the accelerator and exactly 8 of them, 'H100' any number."""
    name, sign, count = text.rpartition(":")
    if not sign:
        return text.strip(), None
    if not count.strip().isdigit() or int(count) < 1:
        raise InputError(f"{count!r} is not a number of accelerators", fix="write for example H100:8")
    return name.strip(), int(count)


def select(offers: pl.DataFrame, query: Query) -> Selection:
    """Pick and sort. Raises `InputError` for an unknown accelerator, region or provider."""
    name = resolve(query.accelerator)
    rows = _asked_for(offers, query, name)
    status = rows["status"]
    prices = rows.filter(pl.col("status") == PRICE)
    covered = prices.filter(pl.col("covered_by_contract"))
    prices = prices.filter(~pl.col("covered_by_contract"))
    fresh = prices
    if query.age_days_max is not None:
        contract = pl.col("price_kind") == PriceKind.CONTRACT.value
        fresh = prices.filter(contract | (pl.col("age_days") <= query.age_days_max).fill_null(False))
    priced, precision = _with_value(fresh, name, query)
    order = ["usd_per_accelerator_hour", "provider", "region", "zone", "instance_type", "terms"]
    return Selection(
        offers=priced.sort(order),
        precision=precision,
        unknown=int((status == UNKNOWN).sum()),
        rejected=int((status == REJECTED).sum()),
        superseded=int((status == OUT_OF_SCOPE).sum()),
        covered_by_contract=covered.height,
        too_old=prices.height - fresh.height,
    )


def _asked_for(offers: pl.DataFrame, query: Query, name: str) -> pl.DataFrame:
    rows = offers.filter((pl.col("accelerator") == name) & pl.col("price_kind").is_in([*map(str, query.kinds)]))
    if query.count is not None:
        any_count = pl.col("price_basis") == "accelerator_hour"
        rows = rows.filter(any_count | (pl.col("accelerators_per_unit") == query.count))
    if query.providers:
        rows = rows.filter(pl.col("provider").is_in(_providers(offers, query.providers)))
    if query.region is not None:
        regions = matching(offers["region"].unique().to_list(), query.region)
        rows = rows.filter(pl.col("region").is_in(regions))
    return rows


def _providers(offers: pl.DataFrame, wanted: tuple[str, ...]) -> list[str]:
    known = set(offers["provider"].unique())
    for provider in wanted:
        if provider.lower() not in known:
            names = ", ".join(sorted(known))
            raise InputError(f"no provider {provider!r} in the price book", fix=f"it has {names}")
    return [provider.lower() for provider in wanted]


def _with_value(prices: pl.DataFrame, name: str, query: Query) -> tuple[pl.DataFrame, str]:
    """Add `usd_per_effective_pflop_hour`: price over peak x MFU."""
    peak = peak_tflops(accelerator_facts(name))
    if peak is None:
        return prices.with_columns(usd_per_effective_pflop_hour=pl.lit(None, dtype=pl.Float64)), ""
    pflops = peak[0] * query.mfu_frac / _TFLOPS_PER_PFLOPS
    return prices.with_columns(usd_per_effective_pflop_hour=pl.col("usd_per_accelerator_hour") / pflops), peak[1]
