"""A day's decision played along the path, and the contracts that are in force once what of it is done is done."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from acreage.domain.future import Future
from acreage.domain.lease import Lease
from acreage.domain.plan import Decision, Outcome
from acreage.domain.portfolio import Portfolio
from acreage.plan.backtest.signing import Done, as_signed, lease_of, variant_of
from acreage.plan.backtest.standing import Scene
from acreage.plan.backtest.worth import Contract, held_contract, signed_contract
from acreage.plan.decide import first_stage_of
from acreage.plan.evaluate import evaluate
from acreage.plan.formulate.formulate import formulate
from acreage.plan.play import Play, play
from acreage.units.instants import Instant, add_days

PATH = 1
"""Number of the path in the futures that a decision is played in: the base is first."""

GivenUp = Mapping[tuple[str, int], float]
"""Share of a part that is given up, by (lease or offer id, index)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """A decision along the path from a planning day to the horizon; `cost_usd` is of that day's money."""

    scene: Scene
    play: Play
    outcome: Outcome
    cost_usd: float


def played_out(scene: Scene, base: Future, decision: Decision) -> Played:
    """Play a decision along what really comes."""
    futures = (replace(base, probability=0.0), scene.comes)
    formulation = formulate(scene.portfolio, futures, scene.demand)
    found = play(formulation, first_stage_of(formulation, decision))
    outcome = evaluate(found, math.inf)
    return Played(scene=scene, play=found, outcome=outcome, cost_usd=outcome.figures.expected_usd)


def contracts_of(portfolio: Portfolio, done: Done, given_up: GivenUp) -> dict[str, Contract]:
    """The contracts in force once it is done, by the lease's id."""
    exits = {release.lease: release.ends_at for release in done.released}
    offers = {offer.id: offer for offer in portfolio.offers}
    found = {
        str(lease.id): held_contract(lease, exits.get(lease.id), kept_shares(given_up, lease.id, lease))
        for lease in portfolio.leases
    }
    for signing in done.signed:
        signed = as_signed(signing, offers[signing.offer])
        lease = lease_of(signed, offers[signing.offer], portfolio)
        found[lease.id] = signed_contract(
            variant_of(signed, offers[signing.offer]),
            signed.blocks,
            portfolio.as_of_at,
            kept_shares(given_up, signing.offer, lease),
        )
    return found


def kept_shares(given_up: GivenUp, key: str, lease: Lease) -> dict[int, float]:
    """Share of each delivery that is kept: whole accelerators are given up."""
    found = {}
    for i, delivery in enumerate(lease.deliveries):
        share = given_up.get((key, i), 0.0)
        if share and delivery.accelerators:
            found[i] = round(delivery.accelerators * (1.0 - share)) / delivery.accelerators
    return found


def given_up_by(played: Played, done: Done, next_at: Instant) -> dict[tuple[str, int], float]:
    """Late parts that the play gives up and whose right to be ended arises before the next planning day."""
    choices = played.play.formulation.choices
    sources = [source for number, source in choices.sources.items() if number in played.play.sources]
    mine = {s.offer for s in done.signed} | {lease.id for lease in played.scene.portfolio.leases}
    found = {}
    for (future, key, index), share in played.play.given_up.items():
        rights = [
            add_days(part.due_at, part.terminable_after_days)
            for source in sources
            for part in source.parts
            if source.key == key and part.index == index and part.terminable_after_days is not None
        ]
        if future == PATH and key in mine and max(rights) < next_at:
            found[key, index] = share
    return found
