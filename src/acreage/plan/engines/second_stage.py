"""Second stages answered by the method that suits: the simplex method while futures are few, else interior points.

Few futures stay warm with the simplex method, one solver each. Many are solved anew each time, eight at a time, as
accurately as the round needs; the few that an interior point does not get near enough go to the simplex method.
"""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from acreage.plan.engines.cuts import Duals, Lines, lines_under
from acreage.plan.engines.responses import Responder, shut_gates
from acreage.plan.problem import Recourse, Vector

if TYPE_CHECKING:
    from acreage.plan.engines.interior import Interior

WARM_MAX = 48
"""So many futures are kept warm; more are solved by interior points."""
LANES = 8
OPEN_USE = 1e-5
"""Less than a hundredth of an accelerator behind a shut gate is an interior point's distance from its bound."""
ANSWERS_KEPT = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """How F futures answer a first stage: what each costs (F,) with gates kept, and what was learned of them."""

    futures: NDArray[np.int64]
    cost: Vector
    lines: Lines
    duals: Duals


Asked = tuple[bytes, tuple[int, ...], bool]


@dataclass(slots=True)
class SecondStage:
    """Answers first stages; what was asked lately is not solved again."""

    recourse: Recourse
    responder: Responder
    stalled: int = 0
    _interior: "Interior | None" = None
    _known: dict[Asked, tuple[float, Answers]] = field(default_factory=dict)

    def use(self, recourse: Recourse) -> None:
        """Answer for another recourse whose matrix has entries in the same places."""
        if recourse is not self.recourse:
            self._known.clear()
            self.responder.use(recourse)
            self.recourse = recourse

    def fresh(self) -> "SecondStage":
        """One that knows the same patterns and has solvers of its own, for another thread."""
        return SecondStage(recourse=self.recourse, responder=Responder(self.recourse), _interior=self._interior)

    def answer(
        self, first: Vector, futures: NDArray[np.int64], *, gated: bool, close: float, go_on: Callable[[], None]
    ) -> Answers:
        """Answer a first stage (N,) in futures, each to within `close` of its optimum in the problem's units.

        `go_on` is called between batches and may raise to stop.
        """
        asked = (first.tobytes(), tuple(int(s) for s in futures), gated)
        known = self._known.pop(asked, None)
        if known is None or known[0] > close:
            exact = len(futures) <= WARM_MAX or not self._suits()
            found = self._simplex(first, futures, gated) if exact else self._inner(first, futures, gated, close, go_on)
            known = (0.0 if exact else close, found)
        self._known[asked] = known
        if len(self._known) > ANSWERS_KEPT:
            del self._known[next(iter(self._known))]
        return known[1]

    def _suits(self) -> bool:
        if self._interior is None:
            # Compiled code is loaded where it is needed: it takes longer to load than a small plan to make.
            self._interior = import_module("acreage.plan.engines.interior").Interior(self.recourse)
        return self._interior.suits

    def _simplex(self, first: Vector, futures: NDArray[np.int64], gated: bool) -> Answers:
        responses = self.responder.respond(first, [int(s) for s in futures], gated=gated)
        drawn = [self._line(int(s), r.row_dual) for s, r in zip(futures, responses, strict=True)]
        return _answers(futures, [r.cost for r in responses], drawn, [r.row_dual for r in responses])

    def _inner(
        self, first: Vector, futures: NDArray[np.int64], gated: bool, close: float, go_on: Callable[[], None]
    ) -> Answers:
        batches = [futures[i : i + LANES] for i in range(0, len(futures), LANES)]

        def work(batch: NDArray[np.int64]) -> "Part":
            return self._batch(first, batch, gated, close)

        parts = []
        with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
            waiting = [pool.submit(work, batch) for batch in batches]
            try:
                for task in waiting:
                    parts.append(task.result())
                    go_on()
            except BaseException:
                for task in waiting:
                    task.cancel()
                raise
        return _answers(
            futures,
            [cost for part in parts for cost in part.cost],
            [line for part in parts for line in part.drawn],
            [dual for part in parts for dual in part.row_dual],
        )

    def _batch(self, first: Vector, batch: NDArray[np.int64], gated: bool, close: float) -> "Part":
        """Solve one batch with gates open, for its lines, and again with those shut that are used and may not be."""
        assert self._interior is not None
        none = [np.zeros(0, dtype=np.int64)] * len(batch)
        found = self._interior.solve(self.recourse, first, [int(s) for s in batch], none, close)
        drawn = [self._line(int(s), row) for s, row in zip(batch, found.row_dual, strict=True)]
        cost, columns, is_close = found.cost.copy(), found.columns, found.is_close.copy()
        shut = list(none)
        again = np.flatnonzero(is_close) if gated else np.zeros(0, dtype=np.int64)
        while len(again):
            more = [self._used_but_shut(first, int(batch[k]), columns[k]) for k in again]
            again = np.array([k for k, gates in zip(again, more, strict=True) if len(gates)], dtype=np.int64)
            if not len(again):
                break
            for k, gates in zip(again, [gates for gates in more if len(gates)], strict=True):
                shut[k] = np.union1d(shut[k], self.recourse.gate_column[gates])
            anew = self._interior.solve(self.recourse, first, [int(batch[k]) for k in again], [shut[k] for k in again], close)
            cost[again], is_close[again] = anew.cost, anew.is_close
            columns = columns.copy()
            columns[again] = anew.columns
        for k in np.flatnonzero(~is_close):
            self.stalled += 1
            response = self.responder.respond(first, [int(batch[k])], gated=gated)[0]
            cost[k], drawn[k] = response.cost, self._line(int(batch[k]), response.row_dual)
        return Part(cost=list(cost), drawn=drawn, row_dual=list(found.row_dual))

    def _line(self, future: int, row_dual: Vector) -> tuple[float, Vector]:
        constant, slope = lines_under(self.recourse, future, row_dual[None, :])
        return float(constant[0]), slope[0]

    def _used_but_shut(self, first: Vector, future: int, columns: Vector) -> NDArray[np.int64]:
        """Gates of a future that are used though too little is there."""
        brought = self.recourse.gate_brought[future] @ first
        return shut_gates(self.recourse, future, brought, columns, OPEN_USE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What one batch came to."""

    cost: list[float]
    drawn: list[tuple[float, Vector]]
    row_dual: list[Vector]


def _answers(
    futures: NDArray[np.int64], cost: Sequence[float], drawn: Sequence[tuple[float, Vector]], row_dual: Sequence[Vector]
) -> Answers:
    return Answers(
        futures=futures,
        cost=np.array(cost),
        lines=Lines(
            futures=futures,
            constant=np.array([constant for constant, _ in drawn]),
            slope=np.array([slope for _, slope in drawn]),
        ),
        duals=Duals(futures=futures, rows=np.array(row_dual, dtype=np.float32)),
    )
