"""Groups hold every future with weight once, alike futures together."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from acreage.plan.bulk.groups import by_chance, by_lateness, clusters, thirds

values = st.lists(st.integers(0, 5), min_size=2, max_size=30)


@given(values)
def test_thirds_hold_every_future_once_in_order(found: list[int]) -> None:
    """Futures of equal value are never apart, and groups are in the order of values."""
    series = np.array(found, dtype=float)
    probability = np.full(len(series), 1.0 / len(series))
    groups = thirds(series, probability)
    assert sorted(int(s) for g in groups for s in g) == list(range(len(series)))
    for low, high in pairwise(groups):
        assert series[low].max() < series[high].min()


@given(values)
def test_lateness_sets_what_is_on_time_apart(found: list[int]) -> None:
    """On time, late and very late; three groups at most, futures without probability in none."""
    days = np.array(found, dtype=float)
    probability = np.where(np.arange(len(days)) % 4 == 3, 0.0, 1.0)
    groups = by_lateness(days, probability)
    assert len(groups) <= 3
    assert sorted(int(s) for g in groups for s in g.futures) == [s for s in range(len(days)) if probability[s]]
    assert all((days[g.futures] == 0).all() == (g.name == "on time") for g in groups)


def test_distinct_thirds_have_equal_probability() -> None:
    """Nine different values make three groups of three."""
    groups = thirds(np.array([4.0, 8.0, 1.0, 7.0, 2.0, 9.0, 3.0, 6.0, 5.0]), np.full(9, 1 / 9))
    assert [len(g) for g in groups] == [3, 3, 3]


def test_clusters_find_what_lies_together() -> None:
    """Three heaps are three clusters, in order; futures that look the same are one."""
    rng = np.random.default_rng(0)
    heaps = np.concatenate([rng.normal(center, 0.05, size=(10, 2)) for center in (0.0, 3.0, 9.0)])
    kept = np.arange(30)
    found = clusters(heaps, kept, 3)
    assert [sorted(g.tolist()) for g in found] == [list(range(i, i + 10)) for i in (0, 10, 20)]
    assert [g.tolist() for g in clusters(np.zeros((30, 2)), kept, 3)] == [kept.tolist()]


def test_chance_deals_the_same_hands_again() -> None:
    """The same seed, the same groups."""
    probability = np.full(12, 1 / 12)
    once, again = (by_chance(probability, 5) for _ in range(2))
    assert [g.futures.tolist() for g in once] == [g.futures.tolist() for g in again]
    assert [len(g.futures) for g in once] == [4, 4, 4]
