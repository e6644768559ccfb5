"""Double entry in money: what a transaction moves between accounts, always summing to nothing."""

from dataclasses import dataclass

from acreage.units.instants import Instant
from acreage.units.money import MicroUsd


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """An amount put on an account; positive is debit. Account parts are joined with colons: 'Expenses:Compute:aws'."""

    account: str
    micro_usd: MicroUsd


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """Postings that sum to zero, made by one fact.

    `fact` is the id of the fact, `lease` the contract it belongs to ("" where it matches none).
    """

    fact: str
    at: Instant
    payee: str
    narration: str
    lease: str
    postings: tuple[Posting, ...]

    def __post_init__(self) -> None:
        assert sum(posting.micro_usd for posting in self.postings) == 0, self
