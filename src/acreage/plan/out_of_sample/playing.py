"""Decisions played in many futures: a batch of futures at a time, all decisions in each batch.

Every decision meets the very same futures, which is what makes differences sharp. In each the second
stage is solved once more and priced by the pricing rules, as for a plan's own futures.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np

from acreage.crew.crew import Crew
from acreage.crew.local import HERE
from acreage.domain.future import Future
from acreage.domain.plan import Decision
from acreage.domain.portfolio import Portfolio
from acreage.plan.decide import first_stage_of
from acreage.plan.evaluate import cost_frame, drawdown_frame, lacks_of, lease_charges
from acreage.plan.formulate.formulate import formulate
from acreage.plan.frames import market_frame, service_frame
from acreage.plan.planner import Step, Tell
from acreage.plan.play import Play, play, responder_of
from acreage.plan.problem import Vector
from acreage.units.ids import WorkloadId

BATCH_MAX = 25
"""Futures formulated at once: what may be given up of late tranches has columns in each, so that more cost memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fates:
    """What a decision costs and lacks in each future (S,); hours as in `Lacks`."""

    cost_usd: Vector
    wanted_hours: Vector
    unmet_hours: Vector
    work_hours: Vector
    late_hours: Vector

    def of(self, futures: Sequence[int]) -> "Fates":
        """The fates in some of the futures, by number."""
        return Fates(**{f.name: getattr(self, f.name)[list(futures)] for f in fields(self)})


def joined(parts: Sequence[Fates]) -> Fates:
    """Fates of one decision in one lot of futures after another."""
    return Fates(**{f.name: np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Fates)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Where decisions are played: a portfolio, its base future and its base demand (T,) by workload."""

    portfolio: Portfolio
    base: Future
    demand: Mapping[WorkloadId, Vector]

    def fates(
        self, decisions: Sequence[Decision], futures: Sequence[Future], tell: Tell, stage: str, crew: Crew = HERE
    ) -> list[Fates]:
        """How each decision fares in each future; raises `KeyError` for a decision the portfolio does not offer."""
        batches = [tuple(futures[i : i + BATCH_MAX]) for i in range(0, len(futures), BATCH_MAX)]
        tell(Step(stage=stage, done=0, total=len(batches)))
        found = crew.map(
            _batch_fates,
            crew.keep((self, tuple(decisions))),
            batches,
            tell=lambda done, total: tell(Step(stage=stage, done=done, total=total)),
        )
        return [joined(parts) for parts in zip(*found, strict=True)] if batches else []


def _batch_fates(kept: tuple[Stage, tuple[Decision, ...]], batch: tuple[Future, ...]) -> list[Fates]:
    """How each decision fares in each future of a batch."""
    stage, decisions = kept
    formulation = formulate(stage.portfolio, (stage.base, *batch), stage.demand)
    responder = responder_of(formulation)
    return [fates_of(play(formulation, first_stage_of(formulation, one), responder)) for one in decisions]


def fates_of(played: Play) -> Fates:
    """What a play costs and lacks in each of its futures but the base, which is its first."""
    frames = {"market": market_frame(played), "service": service_frame(played)}
    ledger = lease_charges(played)
    frames["drawdown"] = drawdown_frame(played, ledger, frames["market"])
    costs = cost_frame(played, ledger, frames)["usd"].to_numpy().reshape(len(played.second), -1).sum(axis=1)
    lacks = lacks_of(played, frames["service"])
    return Fates(
        cost_usd=costs[1:],
        wanted_hours=lacks.wanted_hours[1:],
        unmet_hours=lacks.unmet_hours[1:],
        work_hours=lacks.work_hours[1:],
        late_hours=lacks.late_hours[1:],
    )
