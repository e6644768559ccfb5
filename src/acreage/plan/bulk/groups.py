"""Futures put into groups by what somebody knows of them; every future with weight is in exactly one."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acreage.plan.problem import Vector

Index = NDArray[np.int64]
ROUNDS_MAX = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Some futures, by number, and what they have in common in words."""

    name: str
    futures: Index


def thirds(values: Vector, probability: Vector, parts: int = 3) -> list[Index]:
    """Futures in `parts` groups of about equal probability by their values (S,), low ones first.

    Equal values stay together, so that there may be fewer groups, or uneven ones.
    """
    kept = np.flatnonzero(probability > 0.0)
    order = kept[np.argsort(values[kept], kind="stable")]
    total, passed = float(probability[kept].sum()), 0.0
    number: dict[float, int] = {}
    for s in order:
        # A value belongs where the middle of all that share it lies.
        if values[s] not in number:
            same = float(probability[kept][values[kept] == values[s]].sum())
            number[values[s]] = min(int((passed + same / 2.0) / total * parts), parts - 1)
            passed += same
    found = [np.array([s for s in order if number[values[s]] == part], dtype=np.int64) for part in range(parts)]
    return [group for group in found if len(group)]


def by_lateness(days: Vector, probability: Vector) -> list[Group]:
    """On time, late and very late, as far as there are such futures; late ones are halved by probability."""
    kept = probability > 0.0
    on_time = np.flatnonzero(kept & (days <= 0.0))
    late = thirds(days, np.where(days > 0.0, probability, 0.0), parts=2 if len(on_time) else 3)
    groups = [Group(name="on time", futures=on_time)] if len(on_time) else []
    return groups + [Group(name=_days(days[futures]), futures=futures) for futures in late]


def _days(days: Vector) -> str:
    low, high = int(days.min()), int(days.max())
    return f"{low} days late" if low == high else f"{low} to {high} days late"


def by_chance(probability: Vector, seed: int) -> list[Group]:
    """Three groups that are dealt at random: nothing is known of the futures in them."""
    dealt = np.random.default_rng(seed).permutation(len(probability)).astype(float)
    return [
        Group(name=f"hand {number + 1}", futures=futures) for number, futures in enumerate(thirds(dealt, probability))
    ]


def clusters(features: Vector, kept: Index, count: int) -> list[Index]:
    """Futures `kept` in at most `count` clusters by their features (S, F), each of standard deviation 1 there.

    Lloyd's k-means (Lloyd, Least squares quantization in PCM, 1982), from centers picked far from each other in turn
    (Gonzalez, 1985): the same clusters every time, in the order of their first feature.
    """
    spread = features[kept].std(axis=0)
    points = features[kept][:, spread > 0.0] / spread[spread > 0.0]
    if not points.size:
        return [kept]
    centers = _far_apart(points, count)
    labels = np.zeros(len(points), dtype=np.int64)
    for _ in range(ROUNDS_MAX):
        distance = ((points[:, None, :] - centers[None, :, :]) ** 2).sum(axis=2)
        found = distance.argmin(axis=1)
        if (found == labels).all() and _ > 0:
            break
        labels = found
        centers = np.array([points[labels == k].mean(axis=0) for k in np.unique(labels)])
        labels = np.unique(labels, return_inverse=True)[1]
    order = sorted(np.unique(labels), key=lambda k: float(points[labels == k][:, 0].mean()))
    return [kept[labels == k] for k in order]


def _far_apart(points: Vector, count: int) -> Vector:
    """The point nearest to the middle, then always the point furthest from those picked; fewer if points coincide."""
    picked = [int(((points - points.mean(axis=0)) ** 2).sum(axis=1).argmin())]
    while len(picked) < count:
        distance = ((points[:, None, :] - points[picked][None, :, :]) ** 2).sum(axis=2).min(axis=1)
        if distance.max() <= 0.0:
            break
        picked.append(int(distance.argmax()))
    return points[picked]


def conditional(probability: Vector, futures: Index) -> tuple[float, Vector]:
    """The probability of a group of futures, and that of each future (S,) given the group."""
    within = np.zeros(len(probability))
    within[futures] = probability[futures]
    mass = float(within.sum())
    return mass, within / mass
