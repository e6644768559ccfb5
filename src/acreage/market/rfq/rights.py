"""What the right to extend and the right to leave are worth: options on the price of the day.

Black, The pricing of commodity contracts, Journal of Financial Economics 3 (1976), equations 16 and 17,
undiscounted: the price of the day is log-normal around today's, so the forward is the price as quoted.
"""

import math

from acreage.domain.lease import Offer
from acreage.market.rfq.levelised import Yardstick
from acreage.pricing.present_value import SECONDS_PER_YEAR
from acreage.pricing.rate import usd_per_accelerator_hour
from acreage.units.instants import Instant, add_days


def call_value(forward: float, strike: float, sd: float) -> float:
    """Expected gain of buying at `strike` what is then worth a log-normal of mean `forward`; `sd` of its log."""
    if sd <= 0.0 or strike <= 0.0 or forward <= 0.0:
        return max(forward - strike, 0.0)
    d1 = math.log(forward / strike) / sd + sd / 2.0
    return forward * _normal(d1) - strike * _normal(d1 - sd)


def put_value(forward: float, strike: float, sd: float) -> float:
    """Expected gain of selling at `strike`: put-call parity."""
    return call_value(forward, strike, sd) - forward + strike


def extension_usd(offer: Offer, accelerators: int, price_frac: float, starts_at: Instant, yard: Yardstick) -> float:
    """What the right to extend is worth today for all accelerators; 0 without one."""
    right = offer.terms.extension
    if right is None:
        return 0.0
    ends_at = offer.term.after(starts_at)
    years = _years(ends_at, yard)
    forward = usd_per_accelerator_hour(offer.terms.price) * price_frac
    last = forward * (1.0 + offer.terms.escalator_frac_per_year) ** int(_years(ends_at, yard, starts_at))
    hours = yard.hours_of(ends_at, right.duration.after(ends_at))
    return accelerators * hours * call_value(forward, last * right.price_frac, _sd(years, yard))


def exit_usd(offer: Offer, accelerators: int, price_frac: float, starts_at: Instant, yard: Yardstick) -> float:
    """What the right to leave at the end of the firm term is worth today; 0 without one."""
    right, firm = offer.terms.termination, offer.terms.firm_term
    if right is None or firm is None:
        return 0.0
    leaves_at, ends_at = add_days(firm.after(starts_at), right.notice_days), offer.term.after(starts_at)
    if leaves_at >= ends_at:
        return 0.0
    forward = usd_per_accelerator_hour(offer.terms.price) * price_frac
    hours = yard.hours_of(leaves_at, ends_at)
    return (
        accelerators * hours * put_value(forward, forward * (1.0 - right.fee_frac), _sd(_years(leaves_at, yard), yard))
    )


def _years(at: Instant, yard: Yardstick, since_at: Instant | None = None) -> float:
    return max(at - (yard.as_of_at if since_at is None else since_at), 0) / SECONDS_PER_YEAR


def _sd(years: float, yard: Yardstick) -> float:
    """Standard deviation of the logarithm of the price after some years."""
    return math.sqrt(math.log1p(yard.price_sd_frac_per_year**2) * years)


def _normal(x: float) -> float:
    return 0.5 * math.erfc(-x / math.sqrt(2.0))
