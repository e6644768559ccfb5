"""The hub-and-spoke test problems of Topaloglu (2009), made afresh from a seed.

Source: H. Topaloglu, "Using Lagrangian relaxation to compute capacity-dependent bid prices in network revenue
management", Operations Research 57(3), 2009, section on computational experiments, and the instances published
with it (rm_T_N_load_ratio, T in 200, 600; N in 4, 5, 6, 8; load in 1.0, 1.2, 1.6; ratio in 4, 8). One hub and N
spokes; a flight each way between the hub and every spoke, so 2N flights; a low-fare and a high-fare itinerary for
every ordered pair of places, so 2N(N+1) itineraries, those between spokes on two flights; the high fare is `ratio`
times the low one; low-fare requests become less likely over time and high-fare ones more; `load` is the expected
demand for seats over the seats.

What this leaves open was read off the published instances (the four-spoke ones of both horizons and one of eight
spokes were looked at). Their probabilities and seats follow exactly from these rules, and their fares agree with them:
- every pair of places has a weight drawn uniformly from (0, 1); its share of the requests is its weight over the sum;
- requests for a pair of places are equally likely in all periods: 1 in all for T = 200, one half for T = 600;
- within a pair of places the low and the high fare share by the odds (T - t)/T to max(0, t - s)/(T - s), where s
  is the pair's own start of high-fare demand; the starts looked at lie between .506 T and .667 T, taken here as uniform
  from T/2 to 2T/3;
- the low fare is the distance of the two places, cut to a whole number: 36 published fares embed in the
  plane to within the rounding. A square of side 100 and places uniform in it (the hub too) are our guess;
- seats of a flight are its expected demand over the load, rounded to the nearest whole number.
"""

import math

import numpy as np

from acreage.desk.network.problem import Network, Product, Vector, network_of
from acreage.units.errors import InputError

SIDE = 100.0
REQUEST_PROB = {200: 1.0, 600: 0.5}
"""The chance of any request in a period, as published; other horizons take 1."""
EARLIEST_FRAC, LATEST_FRAC = 1 / 2, 2 / 3


def hub_network(*, spokes: int, load: float, ratio: float, seed: int, periods: int = 200) -> Network:
    """One test problem; the same seed gives the same places and demand at every load and ratio.

    Raises `InputError` for fewer than one spoke, and for a load, ratio or number of periods that is not positive.
    """
    if spokes < 1 or periods < 1 or not load > 0 or not ratio > 0:
        raise InputError(
            f"no hub problem with {spokes} spokes, load {load}, ratio {ratio}, {periods} periods",
            fix="give at least one spoke and one period, and a positive load and ratio",
        )
    rng = np.random.default_rng([seed, spokes, periods])
    routes = [(a, b) for a in range(spokes + 1) for b in range(spokes + 1) if a != b]
    places = rng.uniform(0.0, SIDE, size=(spokes + 1, 2))
    share = rng.uniform(0.0, 1.0, size=len(routes))
    start = rng.uniform(EARLIEST_FRAC * periods, LATEST_FRAC * periods, size=len(routes))
    fares = [max(1, math.floor(math.dist(places[a], places[b]))) for a, b in routes]
    prob = share / share.sum() * REQUEST_PROB.get(periods, 1.0)
    return published_network(routes, fares, prob, start, load=load, ratio=ratio, periods=periods)


def published_network(
    routes: list[tuple[int, int]],
    low_fares_usd: list[int],
    route_prob: Vector,
    high_start: Vector,
    *,
    load: float,
    ratio: float,
    periods: int,
) -> Network:
    """The problem from its drawn numbers: per pair of places (0 is the hub) low fare, chance a period, start."""
    t = np.arange(periods)[:, None]
    low = (periods - t) / periods
    high = np.maximum(0.0, t - high_start) / (periods - high_start)
    prob = np.stack([route_prob * low / (low + high), route_prob * high / (low + high)], axis=2)
    demand: dict[str, float] = {}
    products = []
    for (a, b), fare, chance in zip(routes, low_fares_usd, route_prob, strict=True):
        flights = [f"{a}-{b}"] if 0 in (a, b) else [f"{a}-0", f"0-{b}"]
        for flight in flights:
            demand[flight] = demand.get(flight, 0.0) + float(chance) * periods
        for kind, factor in (("low", 1.0), ("high", ratio)):
            products.append(Product(name=f"{a}-{b} {kind}", fare_usd=fare * factor, units=dict.fromkeys(flights, 1)))
    capacity = {flight: max(1, round(wanted / load)) for flight, wanted in sorted(demand.items())}
    return network_of(capacity, products, prob.reshape(periods, -1))
