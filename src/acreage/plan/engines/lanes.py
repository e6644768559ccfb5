"""Interior point kernels: eight futures at a time, one to a lane of the processor's vectors.

Arrays are flat blocks of `LANES` futures, padded to whole tiles, so that each step of the sparse algebra, whose
pattern the futures share (`symbolic.Pattern`), is one vector instruction. Compiled by numba; nothing here knows
what a column means. Infeasible primal-dual predictor-corrector method (Mehrotra, 1992) for

    minimize c x   subject to  A x + sign s = b,  x + v = u,  x, v, s >= 0,

with duals z of x, w of v, q of s and y of the rows; `sign` is +1 for <= rows, -1 for >= rows, 0 for equations.
A column whose bound is zero is left out: its reciprocals are zero.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from acreage.plan.engines.vectors import LANES, give, take

TILE = 64 * LANES
"""Elementwise loops run over whole tiles: long enough to be compiled to vectors, with lane figures repeated in each."""

BACK = 0.995
"""How far towards the boundary a step goes."""
FIXED = 1e-9
"""A column that may not exceed this is held at zero."""
VANISHED = 1e-13
"""A pivot that shrinks to this share of its diagonal belongs to a row that depends on others: it is dropped."""
SMALL = 1e-12

OPTIONS = {"cache": True, "nogil": True, "error_model": "numpy", "fastmath": {"contract", "reassoc", "nsz", "arcp"}}


class Matrix(NamedTuple):
    """A by column, entries the same in every future, and the columns apart, whose entries have a block each."""

    start: np.ndarray
    row: np.ndarray
    value: np.ndarray
    apart: np.ndarray
    apart_start: np.ndarray
    apart_row: np.ndarray
    apart_value: np.ndarray


class System(NamedTuple):
    """The normal matrix and its factors; see `symbolic.Pattern`. `unknown` is the place of each unknown."""

    unknown: np.ndarray
    start: np.ndarray
    row: np.ndarray
    reach_start: np.ndarray
    reach_column: np.ndarray
    reach_entry: np.ndarray
    pair_place: np.ndarray
    pair_column: np.ndarray
    pair_value: np.ndarray
    apart_place: np.ndarray


class Point(NamedTuple):
    """Columns x, v, z, w and rows s, q, y, as values or as directions."""

    x: np.ndarray
    v: np.ndarray
    z: np.ndarray
    w: np.ndarray
    s: np.ndarray
    q: np.ndarray
    y: np.ndarray


@njit(**OPTIONS)
def factorize(system, value, pivot, inverse, work):
    """L D L' in place: blocks `value` of entries and `pivot` of diagonals hold the matrix, then L and D.

    Left-looking by columns; `work` is zero before and after.
    """
    start, row = system.start, system.row
    reach_start, reach_column, reach_entry = system.reach_start, system.reach_column, system.reach_entry
    scale, was = np.empty(LANES), np.empty(LANES)
    for j in range(len(start) - 1):
        for e in range(start[j], start[j + 1]):
            give(work, row[e], 1.0, value, e)
        for lane in range(LANES):
            was[lane] = pivot[j * LANES + lane]
        for r in range(reach_start[j], reach_start[j + 1]):
            k, at = reach_column[r], reach_entry[r]
            for lane in range(LANES):
                scale[lane] = value[at * LANES + lane] * pivot[k * LANES + lane]
            take(pivot, j, value, at, scale, 0)
            for e in range(at + 1, start[k + 1]):
                take(work, row[e], value, e, scale, 0)
        for lane in range(LANES):
            now = pivot[j * LANES + lane]
            now = now if abs(now) > VANISHED * abs(was[lane]) else 1e64
            scale[lane] = 1.0 / now
            pivot[j * LANES + lane] = now
            inverse[j * LANES + lane] = scale[lane]
        for e in range(start[j], start[j + 1]):
            at, i = e * LANES, row[e] * LANES
            for lane in range(LANES):
                value[at + lane] = work[i + lane] * scale[lane]
            for lane in range(LANES):
                work[i + lane] = 0.0


@njit(**OPTIONS)
def solve(system, value, inverse, rhs):
    """Solve L D L' x = rhs in place, by place."""
    size = len(system.start) - 1
    for j in range(size):
        for e in range(system.start[j], system.start[j + 1]):
            take(rhs, system.row[e], value, e, rhs, j)
    for k in range(len(rhs)):
        rhs[k] *= inverse[k]
    for j in range(size - 1, -1, -1):
        for e in range(system.start[j], system.start[j + 1]):
            take(rhs, j, value, e, rhs, system.row[e])


@njit(**OPTIONS)
def add_times(a, x, out, negative):
    """out += A x, or -= with `negative`."""
    sign = -1.0 if negative else 1.0
    for j in range(len(a.start) - 1):
        for e in range(a.start[j], a.start[j + 1]):
            give(out, a.row[e], sign * a.value[e], x, j)
    for d in range(len(a.apart)):
        for e in range(a.apart_start[d], a.apart_start[d + 1]):
            i, j = a.apart_row[e] * LANES, a.apart[d] * LANES
            for lane in range(LANES):
                out[i + lane] += sign * a.apart_value[e * LANES + lane] * x[j + lane]


@njit(**OPTIONS)
def transposed_times(a, y, out):
    """out = A' y."""
    out[:] = 0.0
    for j in range(len(a.start) - 1):
        for e in range(a.start[j], a.start[j + 1]):
            give(out, j, a.value[e], y, a.row[e])
    for d in range(len(a.apart)):
        for e in range(a.apart_start[d], a.apart_start[d + 1]):
            i, j = a.apart_row[e] * LANES, a.apart[d] * LANES
            for lane in range(LANES):
                out[j + lane] += a.apart_value[e * LANES + lane] * y[i + lane]


@njit(**OPTIONS)
def assemble(a, system, theta, theta_rows, value, pivot):
    """The normal matrix A theta A' + theta_rows with the columns apart as rows of their own."""
    value[:] = 0.0
    rows = len(system.unknown) - len(a.apart)
    for i in range(len(system.unknown)):
        at = system.unknown[i] * LANES
        for lane in range(LANES):
            if i < rows:
                pivot[at + lane] = theta_rows[i * LANES + lane]
            else:
                pivot[at + lane] = -1.0 / max(theta[a.apart[i - rows] * LANES + lane], 1e-30)
    entries = len(system.row)
    for p in range(len(system.pair_place)):
        at = system.pair_place[p]
        if at < entries:
            give(value, at, system.pair_value[p], theta, system.pair_column[p])
        else:
            give(pivot, at - entries, system.pair_value[p], theta, system.pair_column[p])
    for e in range(len(system.apart_place)):
        give(value, system.apart_place[e], 1.0, a.apart_value, e)


@njit(**OPTIONS)
def lane_sums(tile):
    """Sums by lane (W,) of a tile."""
    found = np.zeros(LANES)
    for k in range(TILE):
        found[k % LANES] += tile[k]
    return found


@njit(**OPTIONS)
def spread(figures, tile):
    """Repeat lane figures (W,) over a tile."""
    for k in range(TILE):
        tile[k] = figures[k % LANES]


@njit(**OPTIONS)
def step_limits(value, direction, limit):
    """The longest steps (W,) that keep a positive vector positive, at most `limit`; overwrites it."""
    tile = np.ones(TILE)
    for o in range(0, len(value), TILE):
        for k in range(TILE):
            d = direction[o + k]
            tile[k] = min(tile[k], -value[o + k] / d if d < 0.0 else 1.0)
    for k in range(TILE):
        limit[k % LANES] = min(limit[k % LANES], tile[k])


@njit(**OPTIONS)
def start_point(a, sign, c, u, b, at, alive):
    """Columns a quarter into their bounds, rows slack where they can be, duals of the usual size of a cost."""
    price = np.zeros(LANES)
    many = np.zeros(LANES)
    for k in range(len(c)):
        alive[k] = 1.0 if u[k] > FIXED else 0.0
        if alive[k] > 0.0 and c[k] != 0.0:
            price[k % LANES] += abs(c[k])
            many[k % LANES] += 1.0
    for lane in range(LANES):
        price[lane] = max(price[lane] / max(many[lane], 1.0), 1e-6)
    for k in range(len(c)):
        at.x[k] = 0.25 * u[k] * alive[k]
        at.v[k] = u[k] - at.x[k]
    use = np.zeros(len(b))
    add_times(a, at.x, use, False)
    for k in range(len(b)):
        side = sign[k]
        at.s[k] = max(side * (b[k] - use[k]), 0.05 * (1.0 + abs(b[k]))) if side != 0.0 else 0.0
        at.q[k] = 0.5 * price[k % LANES] if side != 0.0 else 0.0
        at.y[k] = -side * at.q[k]
    worth = np.empty(len(c))
    transposed_times(a, at.y, worth)
    for k in range(len(c)):
        d = c[k] - worth[k]
        at.z[k] = (max(d, 0.0) + 0.2 * price[k % LANES]) * alive[k]
        at.w[k] = (max(-d, 0.0) + 0.2 * price[k % LANES]) * alive[k]


@njit(**OPTIONS)
def residuals(a, sign, c, u, b, at, r, h, objective, dual, error, mu):
    """Row residuals r, dual residuals h; by lane the objective, its dual value, the worst row and the sum of products."""
    r[:] = b
    add_times(a, at.x, r, True)
    worth = np.empty(len(c))
    transposed_times(a, at.y, worth)
    cost, below, products = np.zeros(TILE), np.zeros(TILE), np.zeros(TILE)
    for o in range(0, len(c), TILE):
        for k in range(TILE):
            i = o + k
            d = c[i] - worth[i]
            h[i] = d - at.z[i] + at.w[i]
            cost[k] += c[i] * at.x[i]
            below[k] += u[i] * min(d, 0.0)
            products[k] += at.x[i] * at.z[i] + at.v[i] * at.w[i]
    worst = np.zeros(TILE)
    for o in range(0, len(b), TILE):
        for k in range(TILE):
            i = o + k
            r[i] -= sign[i] * at.s[i]
            products[k] += at.s[i] * at.q[i]
            below[k] += b[i] * at.y[i]
            worst[k] = max(worst[k], abs(r[i]))
    objective[:] = lane_sums(cost)
    dual[:] = lane_sums(below)
    mu[:] = lane_sums(products)
    error[:] = 0.0
    for k in range(TILE):
        error[k % LANES] = max(error[k % LANES], worst[k])


@njit(**OPTIONS)
def direct(a, system, sign, u, b, at, r, h, go, theta, theta_rows, ix, iv, isq, value, inverse, rhs, t, center, second):
    """The direction `go` towards products of `center` (W,); `second` corrects for the one it holds already."""
    aim = np.empty(TILE)
    spread(center, aim)
    for o in range(0, len(u), TILE):
        for k in range(TILE):
            i = o + k
            xz = aim[k] - at.x[i] * at.z[i] - second * go.x[i] * go.z[i]
            vw = aim[k] - at.v[i] * at.w[i] - second * go.v[i] * go.w[i]
            ru = u[i] - at.x[i] - at.v[i]
            go.z[i] = xz
            go.w[i] = vw
            t[i] = theta[i] * (h[i] - xz * ix[i] + (vw - at.w[i] * ru) * iv[i])
    rows = len(system.unknown) - len(a.apart)
    for o in range(0, len(b), TILE):
        for k in range(TILE):
            i = o + k
            sq = aim[k] - at.s[i] * at.q[i] - second * go.s[i] * go.q[i]
            go.q[i] = sq
            hs = -sign[i] * at.y[i] - at.q[i] - sq * isq[i]
            go.s[i] = hs
            go.y[i] = r[i] + sign[i] * theta_rows[i] * hs
    add_times(a, t, go.y, False)
    for i in range(len(system.unknown)):
        p = system.unknown[i] * LANES
        for lane in range(LANES):
            if i < rows:
                rhs[p + lane] = go.y[i * LANES + lane]
            else:
                j = a.apart[i - rows] * LANES + lane
                # This unknown is theta (a y - h) itself; `go.y` has counted theta h, which is taken back below.
                rhs[p + lane] = t[j] / max(theta[j], 1e-30)
    for d in range(len(a.apart)):
        for e in range(a.apart_start[d], a.apart_start[d + 1]):
            p = system.unknown[a.apart_row[e]] * LANES
            for lane in range(LANES):
                rhs[p + lane] -= a.apart_value[e * LANES + lane] * t[a.apart[d] * LANES + lane]
    solve(system, value, inverse, rhs)
    for i in range(rows):
        p = system.unknown[i] * LANES
        for lane in range(LANES):
            go.y[i * LANES + lane] = rhs[p + lane]
    transposed_times(a, go.y, go.x)
    for o in range(0, len(u), TILE):
        for k in range(TILE):
            i = o + k
            dx = theta[i] * go.x[i] - t[i]
            dv = u[i] - at.x[i] - at.v[i] - dx
            go.x[i] = dx
            go.v[i] = dv
            go.z[i] = (go.z[i] - at.z[i] * dx) * ix[i]
            go.w[i] = (go.w[i] - at.w[i] * dv) * iv[i]
    for o in range(0, len(b), TILE):
        for k in range(TILE):
            i = o + k
            ds = abs(sign[i]) * theta_rows[i] * (sign[i] * go.y[i] - go.s[i])
            go.s[i] = ds
            go.q[i] = (go.q[i] - at.q[i] * ds) * isq[i]


@njit(**OPTIONS)
def limits(at, go, primal, dual):
    """The longest primal and dual steps (W,) that stay positive."""
    primal[:] = 1.0
    dual[:] = 1.0
    step_limits(at.x, go.x, primal)
    step_limits(at.v, go.v, primal)
    step_limits(at.s, go.s, primal)
    step_limits(at.z, go.z, dual)
    step_limits(at.w, go.w, dual)
    step_limits(at.q, go.q, dual)


@njit(**OPTIONS)
def products_after(at, go, primal, dual):
    """The sum of products (W,) after steps of those lengths."""
    p, d, total = np.empty(TILE), np.empty(TILE), np.zeros(TILE)
    spread(primal, p)
    spread(dual, d)
    for o in range(0, len(at.x), TILE):
        for k in range(TILE):
            i = o + k
            total[k] += (at.x[i] + p[k] * go.x[i]) * (at.z[i] + d[k] * go.z[i])
            total[k] += (at.v[i] + p[k] * go.v[i]) * (at.w[i] + d[k] * go.w[i])
    for o in range(0, len(at.s), TILE):
        for k in range(TILE):
            i = o + k
            total[k] += (at.s[i] + p[k] * go.s[i]) * (at.q[i] + d[k] * go.q[i])
    return lane_sums(total)


@njit(**OPTIONS)
def advance(value, direction, length):
    """value += length direction; lengths (W,)."""
    tile = np.empty(TILE)
    spread(length, tile)
    for o in range(0, len(value), TILE):
        for k in range(TILE):
            value[o + k] += tile[k] * direction[o + k]


@njit(**OPTIONS)
def interior(a, system, sign, c, u, b, close, rounds_max, at, objective, dual, error):
    """Solve a batch of futures: `at` and the figures (W,) are written; returns the number of rounds.

    `close` (W,) is how near the objective must come to its dual value. A lane that is there stays there.
    """
    columns, rows, size = len(c), len(b), len(system.unknown) * LANES
    alive, theta, h, t = np.empty(columns), np.empty(columns), np.empty(columns), np.empty(columns)
    ix, iv, isq, theta_rows, r = np.empty(columns), np.empty(columns), np.empty(rows), np.empty(rows), np.empty(rows)
    go = Point(
        np.zeros(columns), np.zeros(columns), np.zeros(columns), np.zeros(columns),
        np.zeros(rows), np.zeros(rows), np.zeros(rows),
    )
    value, pivot, inverse = np.empty(len(system.row) * LANES), np.empty(size), np.empty(size)
    work, rhs = np.zeros(size), np.empty(size)
    mu, center, primal, back, count = np.empty(LANES), np.empty(LANES), np.empty(LANES), np.empty(LANES), np.zeros(LANES)
    moves, size_b = np.ones(LANES), np.ones(LANES)
    start_point(a, sign, c, u, b, at, alive)
    for k in range(columns):
        count[k % LANES] += 2.0 * alive[k]
    for k in range(rows):
        count[k % LANES] += abs(sign[k])
        size_b[k % LANES] = max(size_b[k % LANES], abs(b[k]))
    rounds = 0
    while True:
        residuals(a, sign, c, u, b, at, r, h, objective, dual, error, mu)
        finished = True
        for lane in range(LANES):
            error[lane] /= size_b[lane]
            there = abs(objective[lane] - dual[lane]) <= close[lane] and error[lane] <= 1e-9
            moves[lane] = 0.0 if there else moves[lane]
            finished = finished and moves[lane] == 0.0
            mu[lane] /= count[lane]
        if finished or rounds == rounds_max:
            return rounds
        rounds += 1
        for k in range(columns):
            ix[k] = alive[k] / max(at.x[k], 1e-300)
            iv[k] = alive[k] / max(at.v[k], 1e-300)
            theta[k] = alive[k] / (at.z[k] * ix[k] + at.w[k] * iv[k] + SMALL)
        for k in range(rows):
            isq[k] = abs(sign[k]) / max(at.s[k], 1e-300)
            theta_rows[k] = at.s[k] / at.q[k] if sign[k] != 0.0 else SMALL
        assemble(a, system, theta, theta_rows, value, pivot)
        factorize(system, value, pivot, inverse, work)
        center[:] = 0.0
        direct(a, system, sign, u, b, at, r, h, go, theta, theta_rows, ix, iv, isq, value, inverse, rhs, t, center, 0.0)
        limits(at, go, primal, back)
        after = products_after(at, go, primal, back)
        for lane in range(LANES):
            ratio = after[lane] / count[lane] / mu[lane]
            center[lane] = mu[lane] * min(max(ratio * ratio * ratio, 1e-8), 1.0)
        direct(a, system, sign, u, b, at, r, h, go, theta, theta_rows, ix, iv, isq, value, inverse, rhs, t, center, 1.0)
        limits(at, go, primal, back)
        for lane in range(LANES):
            primal[lane] = min(1.0, BACK * primal[lane]) * moves[lane]
            back[lane] = min(1.0, BACK * back[lane]) * moves[lane]
        advance(at.x, go.x, primal)
        advance(at.v, go.v, primal)
        advance(at.s, go.s, primal)
        advance(at.z, go.z, back)
        advance(at.w, go.w, back)
        advance(at.q, go.q, back)
        advance(at.y, go.y, back)
