"""Decisions played in many futures: a batch of futures at a time, all decisions in each batch.

Every decision meets the very same futures, which is what makes differences sharp. In each the second
stage is solved once more and priced by the pricing rules, as for a plan's own futures.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np

from acreage.domain.future import Future
from acreage.domain.plan import Decision
from acreage.domain.portfolio import Portfolio
from acreage.plan.account import account_of
from acreage.plan.bills import Biller
from acreage.plan.decide import first_stage_of
from acreage.plan.formulate.formulate import formulate
from acreage.plan.planner import Step, Tell
from acreage.plan.play import Play, play, responder_of
from acreage.plan.problem import Vector
from acreage.plan.service import all_lacks
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

    def fates(self, decisions: Sequence[Decision], futures: Sequence[Future], tell: Tell, stage: str) -> list[Fates]:
        """How each decision fares in each future; raises `KeyError` for a decision the portfolio does not offer."""
        batches = [tuple(futures[i : i + BATCH_MAX]) for i in range(0, len(futures), BATCH_MAX)]
        found: list[list[Fates]] = [[] for _ in decisions]
        for number, batch in enumerate(batches):
            formulation = formulate(self.portfolio, (self.base, *batch), self.demand)
            responder = responder_of(formulation)
            for k, decision in enumerate(decisions):
                done = number * len(decisions) + k
                tell(Step(stage=stage, done=done, total=len(batches) * len(decisions)))
                first = first_stage_of(formulation, decision)
                found[k].append(fates_of(play(formulation, first, responder)))
        return [joined(parts) for parts in found]


def fates_of(played: Play) -> Fates:
    """What a play costs and lacks in each of its futures but the base, which is its first."""
    biller = Biller(played)
    accounts = [account_of(act, biller) for act in played.acts()]
    lacks = all_lacks([account.lacks for account in accounts])
    return Fates(
        cost_usd=np.concatenate([account.cost_usd for account in accounts])[1:],
        wanted_hours=lacks.wanted_hours[1:],
        unmet_hours=lacks.unmet_hours[1:],
        work_hours=lacks.work_hours[1:],
        late_hours=lacks.late_hours[1:],
    )
