"""Renting by the hour or committing, without knowing for how long: ski rental with a discount.

Renting costs the full rate; for a fee, from then on only `discounted_frac` = a of it. Foresight pays
min(T, fee + a T) for a need that would cost T at the full rate: it commits from the break-even T = fee / (1 - a)
on. Committing when the rent paid reaches the break-even never costs more than 2 - a times that (R. Fleischer, On
the Bahncard problem, Theoretical Computer Science 268, 2001); at a random time, e / (e - 1 + a) on average (A.
Karlin, C. Kenyon and D. Randall, Dynamic TCP acknowledgement and other stories about e/(e - 1), Algorithmica 36,
2003). No policy of either sort is sure of less.
"""

import math
from dataclasses import dataclass

from acreage.units.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Commitment:
    """A fee after which only `discounted_frac` of the full rate is paid."""

    fee_usd: float
    discounted_frac: float

    def __post_init__(self) -> None:
        if not (0.0 < self.fee_usd < math.inf and 0.0 <= self.discounted_frac < 1.0):
            what = f"a fee of {self.fee_usd} USD for {self.discounted_frac} of the rate"
            raise InputError(what, fix="give a positive fee and a share from 0 to below 1")

    @property
    def break_even_usd(self) -> float:
        """The need, at the full rate, from which committing at once is the cheaper: fee / (1 - a)."""
        return self.fee_usd / (1.0 - self.discounted_frac)

    def foresight_usd(self, need_usd: float) -> float:
        """The least that a need can cost; it is given by what it costs at the full rate."""
        return min(need_usd, self.fee_usd + self.discounted_frac * need_usd)

    def cost_usd(self, need_usd: float, commit_at_usd: float) -> float:
        """What a need costs who commits when the rent paid has reached an amount, if it does."""
        if need_usd <= commit_at_usd:
            return need_usd
        return commit_at_usd + self.fee_usd + self.discounted_frac * (need_usd - commit_at_usd)


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitAt:
    """Commit once `rent_usd` has been paid in rent; never more than `ratio` times what foresight pays."""

    rent_usd: float
    ratio: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitAtRandom:
    """Commit once the rent paid reaches an amount drawn beforehand; on average at most `ratio` times foresight.

    The amount s has density w exp(s / b) / b up to the break-even b, w = 1 / (e - 1 + a); with probability a w it
    is infinite: never commit.
    """

    commitment: Commitment
    ratio: float

    @property
    def weight(self) -> float:
        """w: the density at 0 in break-evens."""
        return 1.0 / (math.e - 1.0 + self.commitment.discounted_frac)

    def chance_frac(self, rent_usd: float) -> float:
        """The probability of having committed by the time that much rent has been paid."""
        return self.weight * math.expm1(min(1.0, max(0.0, rent_usd / self.commitment.break_even_usd)))

    def rent_usd(self, rank: float) -> float:
        """The amount at a rank drawn evenly from [0, 1); infinite for never."""
        if not 0.0 <= rank < 1.0:
            raise InputError(f"a rank of {rank}", fix="give a number from 0 to below 1")
        if rank >= self.chance_frac(math.inf):
            return math.inf
        return self.commitment.break_even_usd * math.log1p(rank / self.weight)

    def expected_usd(self, need_usd: float) -> float:
        """What a need costs on average: ratio times itself up to the break-even b, then ratio times (fee + a need)."""
        return self.ratio * self.commitment.foresight_usd(need_usd)


def commit_at(commitment: Commitment) -> CommitAt:
    """The deterministic policy: at the break-even, 2 - a."""
    return CommitAt(rent_usd=commitment.break_even_usd, ratio=2.0 - commitment.discounted_frac)


def commit_at_random(commitment: Commitment) -> CommitAtRandom:
    """The randomized policy, e / (e - 1 + a), against needs that do not depend on the draw."""
    return CommitAtRandom(commitment=commitment, ratio=math.e / (math.e - 1.0 + commitment.discounted_frac))
