"""The price named to who names no bid: the list price or tariff, or what a take-up curve says earns most.

Never below the floor nor below what the request displaces. The best price maximizes
take-up(p) x (p - displaced), G. Gallego and G. van Ryzin, Management Science 40(8), 1994, with what an
accelerator-hour displaces in the place of the marginal value of the stock: it rises as the stock runs out.
"""

import math

from acreage.desk.prices.responses import LogitResponse
from acreage.desk.prices.tariff import Tariff
from acreage.domain.desk import TierTerms
from acreage.units.ids import PoolId
from acreage.units.instants import SECONDS_PER_HOUR, Instant
from acreage.units.money import MICRO_PER_USD, MicroUsd, usd


def named_price(
    terms: TierTerms, pool: PoolId, accelerators: int, window: tuple[Instant, Instant], displaced_usd: float, tick: int
) -> MicroUsd:
    """The price an accelerator-hour over a window; `displaced_usd` an accelerator-hour, `tick` in micro-dollars."""
    best = best_price_usd(terms, pool, displaced_usd)
    if best is not None:
        return ticked(best, tick)
    least = ticked(max(usd(terms.floor_micro_usd), displaced_usd), tick)
    return MicroUsd(max(least, listed_price(terms, accelerators, window)))


def best_price_usd(terms: TierTerms, pool: PoolId, displaced_usd: float) -> float | None:
    """What earns most over what is displaced, an accelerator-hour, at the floor or above; None without a curve."""
    for curve in terms.take_up:
        if curve.pool == pool:
            response = LogitResponse(middle_usd=curve.middle_usd, slope_per_usd=curve.slope_per_usd)
            least = max(usd(terms.floor_micro_usd), displaced_usd)
            return float(response.best_price_usd(displaced_usd, least, math.inf))
    return None


def listed_price(terms: TierTerms, accelerators: int, window: tuple[Instant, Instant]) -> MicroUsd:
    """The list price, or the tariff's amount for a window divided by its hours, up to the next micro-dollar.

    The amount is whole micro-dollars, so that over a short window its share of an hour may round below the floor.
    """
    if terms.factors is None:
        return terms.list_micro_usd
    start_at, end_at = window
    amount = tariff_of(terms).quote(start_at, end_at, accelerators)
    an_hour = -(-amount * SECONDS_PER_HOUR // (accelerators * (end_at - start_at)))
    return MicroUsd(max(an_hour, terms.floor_micro_usd))


def tariff_of(terms: TierTerms) -> Tariff:
    """A tier's list price, floor and factors as a tariff."""
    factors = terms.factors
    return Tariff(
        list_micro_usd_per_unit_hour=terms.list_micro_usd,
        floor_micro_usd_per_unit_hour=terms.floor_micro_usd,
        **({} if factors is None else {name: getattr(factors, name) for name in ("discounting", "steps", "times")}),
    )


def ticked(price_usd: float, tick: int) -> MicroUsd:
    """A price in whole ticks, never below what was given."""
    return MicroUsd(math.ceil(price_usd * MICRO_PER_USD / tick - 1e-9) * tick)
