"""Two exact optimisers over surpluses of winners: the greatest sum under caps on sums, and the nearest point to one.

Both reckon in fractions, so that what is tight is tight and payments do not depend on a tolerance. Sizes are tens of
winners and constraints.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

Members = frozenset[int]
Point = tuple[Fraction, ...]
_ZERO, _ONE = Fraction(0), Fraction(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class SumCap:
    """The sum of the coordinates in `members` is at most `most`, which is not negative."""

    members: Members
    most: Fraction


def greatest_sum(count: int, caps: Sequence[SumCap]) -> Fraction:
    """The greatest sum of `count` numbers, none negative, under caps that bound each of them.

    The simplex method on the condensed tableau, by the smallest index (Bland 1977, "New finite pivoting rules for
    the simplex method", Mathematics of Operations Research 2(2)), which cannot cycle. Zero is feasible.
    """
    rows = [[_ONE if j in cap.members else _ZERO for j in range(count)] + [cap.most] for cap in caps]
    rows.append([-_ONE] * count + [_ZERO])
    inside, basis = list(range(count)), list(range(count, count + len(caps)))
    while True:
        entering = [j for j in range(count) if rows[-1][j] < 0]
        if not entering:
            return rows[-1][-1]
        j = min(entering, key=lambda column: inside[column])
        ratios = [(row[-1] / row[j], basis[i], i) for i, row in enumerate(rows[:-1]) if row[j] > 0]
        assert ratios, "a coordinate without a cap"
        i = min(ratios)[2]
        _pivot(rows, i, j)
        inside[j], basis[i] = basis[i], inside[j]


def _pivot(rows: list[list[Fraction]], i: int, j: int) -> None:
    """Exchange the basic variable of row i with the one of column j."""
    pivot = rows[i][j]
    own = [value / pivot for value in rows[i]]
    own[j] = _ONE / pivot
    for k, row in enumerate(rows):
        factor = row[j]
        if k != i and factor:
            rows[k] = [value - factor * ours for value, ours in zip(row, own, strict=True)]
            rows[k][j] = -factor / pivot
    rows[i] = own


def nearest(target: Point, caps: Sequence[SumCap], total: Fraction) -> Point:
    """The point nearest to `target` (least squares) with this total, no negative coordinate, and every cap kept.

    The dual active-set method of Goldfarb and Idnani 1983, "A numerically stable dual method for solving strictly
    convex quadratic programs", Mathematical Programming 27, which is finite and has a single answer.
    """
    count = len(target)
    normals = [tuple(_ONE if j in cap.members else _ZERO for j in range(count)) for cap in caps]
    limits = [cap.most for cap in caps]
    normals += [tuple(-_ONE if j == i else _ZERO for j in range(count)) for i in range(count)]
    limits += [_ZERO] * count
    shift = (total - sum(target, _ZERO)) / count
    point = tuple(value + shift for value in target)
    search = _Search(point=point, active=[], weights=[], normals=normals, limits=limits)
    while (worst := search.most_violated()) is not None:
        search.add(worst)
    return search.point


@dataclass(slots=True, kw_only=True)
class _Search:
    """A point that is nearest under the active constraints, with their weights; the total always holds."""

    point: Point
    active: list[int]
    weights: list[Fraction]
    normals: list[Point]
    limits: list[Fraction]

    def excess(self, k: int) -> Fraction:
        return _dot(self.normals[k], self.point) - self.limits[k]

    def most_violated(self) -> int | None:
        worst = max(range(len(self.limits)), key=self.excess)
        return worst if self.excess(worst) > 0 else None

    def add(self, k: int) -> None:
        """Move to the nearest point that keeps constraint k too, dropping those that no longer push."""
        weight = _ZERO
        while True:
            direction, rates = self._direction(k)
            length = _dot(direction, direction)
            blocking = [(w / r, i) for i, (w, r) in enumerate(zip(self.weights, rates, strict=True)) if r > 0]
            limit = min(blocking) if blocking else None
            full = self.excess(k) / length if length else None
            assert full is not None or limit is not None, "the caps contradict each other"
            step = min(value for value in (full, limit[0] if limit else None) if value is not None)
            self.point = tuple(x - step * d for x, d in zip(self.point, direction, strict=True))
            self.weights = [w - step * r for w, r in zip(self.weights, rates, strict=True)]
            weight += step
            if step == full:
                self.active.append(k)
                self.weights.append(weight)
                return
            assert limit is not None
            del self.active[limit[1]], self.weights[limit[1]]

    def _direction(self, k: int) -> tuple[Point, list[Fraction]]:
        """The part of a normal that no active one spans, and how much of each active one it takes to span the rest."""
        count = len(self.point)
        spanning = [(_ONE,) * count, *(self.normals[i] for i in self.active)]
        normal = self.normals[k]
        gram = [[_dot(a, b) for b in spanning] + [_dot(a, normal)] for a in spanning]
        rates = _solved(gram)
        rest = tuple(
            normal[j] - sum((r * a[j] for r, a in zip(rates, spanning, strict=True)), _ZERO) for j in range(count)
        )
        return rest, rates[1:]


def _dot(a: Sequence[Fraction], b: Sequence[Fraction]) -> Fraction:
    return sum((x * y for x, y in zip(a, b, strict=True)), _ZERO)


def _solved(rows: list[list[Fraction]]) -> list[Fraction]:
    """The solution of a regular system whose last column is its right-hand side, by elimination."""
    size = len(rows)
    for i in range(size):
        pivot = next(k for k in range(i, size) if rows[k][i])
        rows[i], rows[pivot] = rows[pivot], rows[i]
        rows[i] = [value / rows[i][i] for value in rows[i]]
        for k in range(size):
            if k != i and rows[k][i]:
                factor = rows[k][i]
                rows[k] = [value - factor * own for value, own in zip(rows[k], rows[i], strict=True)]
    return [row[-1] for row in rows]
