"""Every response falls with price, and its best price beats every other."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from acreage.desk.prices.responses import (
    ExponentialResponse,
    IsoelasticResponse,
    LinearResponse,
    LogitResponse,
    MenuResponse,
    Response,
)
from acreage.units.errors import InputError

RESPONSES: list[Response] = [
    ExponentialResponse(scale_usd=2.0),
    LinearResponse(most_usd=9.0),
    LogitResponse(middle_usd=3.0, slope_per_usd=1.5),
    LogitResponse(middle_usd=3.0, slope_per_usd=900.0),
    IsoelasticResponse(least_usd=1.0, elasticity=2.5),
    MenuResponse(prices_usd=(1.0, 2.5, 4.0, 7.0), take_ups_frac=(0.9, 0.6, 0.4, 0.05)),
]


@pytest.mark.parametrize("response", RESPONSES, ids=repr)
@given(displaced=st.floats(-2.0, 8.0), floor=st.floats(0.0, 4.0), wide=st.floats(0.1, 10.0))
def test_no_price_within_the_limits_earns_more(response: Response, displaced: float, floor: float, wide: float) -> None:
    """F(p) (p - d) on a fine grid from floor to cap, where the best price is worth asking at all."""
    cap = floor + wide
    prices = np.linspace(floor, cap, 2001)
    if isinstance(response, MenuResponse):
        prices = np.array([p for p in response.prices_usd if floor <= p <= cap])
        if not prices.size:
            with pytest.raises(InputError):
                response.best_price_usd(displaced, floor, cap)
            return
    best = float(response.best_price_usd(displaced, floor, cap))
    assert floor <= best <= cap
    earned = float(response.take_up_frac(best)) * (best - displaced)
    others = response.take_up_frac(prices) * (prices - displaced)
    if others.max() > 0.0:
        assert earned >= others.max() - 1e-9


@pytest.mark.parametrize("response", RESPONSES, ids=repr)
def test_take_up_is_a_share_that_never_rises(response: Response) -> None:
    """From 0 to 50 USD, by arrays."""
    shares = response.take_up_frac(np.linspace(0.0, 50.0, 501))
    assert np.all((shares >= 0.0) & (shares <= 1.0))
    assert np.all(np.diff(shares) <= 0.0)


def test_prices_by_hand() -> None:
    """Exponential: d + scale. Linear: halfway. Isoelastic: d e / (e - 1). Logit: slope (p - d) (1 - F) = 1."""
    assert float(RESPONSES[0].best_price_usd(1.0, 0.0, 99.0)) == 3.0
    assert float(RESPONSES[1].best_price_usd(1.0, 0.0, 99.0)) == 5.0
    assert float(RESPONSES[4].best_price_usd(3.0, 0.0, 99.0)) == pytest.approx(5.0)
    for d in (-1000.0, 0.0, 2.0, 50.0):
        price = float(RESPONSES[2].best_price_usd(d, -2000.0, 2000.0))
        refused = 1.0 - float(RESPONSES[2].take_up_frac(price))
        assert 1.5 * (price - d) * refused == pytest.approx(1.0, rel=1e-6)


@pytest.mark.parametrize(
    "make",
    [
        lambda: ExponentialResponse(scale_usd=0.0),
        lambda: LinearResponse(most_usd=-1.0),
        lambda: LogitResponse(middle_usd=1.0, slope_per_usd=0.0),
        lambda: IsoelasticResponse(least_usd=1.0, elasticity=1.0),
        lambda: MenuResponse(prices_usd=(), take_ups_frac=()),
        lambda: MenuResponse(prices_usd=(2.0, 1.0), take_ups_frac=(0.5, 0.4)),
        lambda: MenuResponse(prices_usd=(1.0, 2.0), take_ups_frac=(0.4, 0.5)),
        lambda: MenuResponse(prices_usd=(1.0,), take_ups_frac=(1.4,)),
    ],
)
def test_mistakes_are_named(make) -> None:  # type: ignore[no-untyped-def]
    """What does not fall with price has no best price."""
    with pytest.raises(InputError, match="give"):
        make()
