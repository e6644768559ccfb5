"""Proof that the books are what was written: every hash recomputed, every chain and anchor walked, holds swept.

The sweep is independent of the grid that decided on the holds: it adds up the windows of the facts
themselves, sorted by time, and looks for an instant at which more is held than delivered that no recorded
loss of capacity explains.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import msgspec
import numpy as np
import polars as pl

from acreage.ledger.facts import (
    ANCHOR_CHAIN,
    CAPACITY_SIGN,
    GENESIS,
    POOL,
    Draft,
    Fact,
    FactKind,
    Head,
    hash_of,
    head_of,
)
from acreage.ledger.grid import CapacityGrid
from acreage.ledger.ledger import Draw, Ledger
from acreage.units.instants import iso

Tell = Callable[[int, int], None]
"""Told of progress: facts checked, facts in all."""

_TELL_EVERY = 10_000
_LOSSES = (FactKind.DELIVERED.value, FactKind.DELIVERY_RETRACTED.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaw:
    """Something in the books that is not as it was written: the chain, the place in it, and what is wrong."""

    chain: str
    seq: int
    id: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The result of walking the books; `flaws` is empty where all is well, else the first one of each chain."""

    chains: int
    facts: int
    anchors: int
    flaws: tuple[Flaw, ...]


class _Anchored(msgspec.Struct, frozen=True):
    heads: dict[str, tuple[int, str]]


def anchor(ledger: Ledger) -> int:
    """Tie the heads of all chains that have grown into the global chain; returns how many had."""

    def decide(draw: Draw) -> int:
        known: dict[str, tuple[int, str]] = {}
        for fact in ledger.journal.read(ANCHOR_CHAIN):
            known.update(msgspec.json.decode(fact.body, type=_Anchored).heads)
        heads = {name: (head.seq, head.hash.hex()) for name, head in ledger.journal.chains().items()}
        grown = {name: head for name, head in heads.items() if name != ANCHOR_CHAIN and known.get(name) != head}
        if grown:
            body = msgspec.json.encode(_Anchored(grown), order="deterministic").decode()
            draw.add(
                Draft(
                    chain=ANCHOR_CHAIN,
                    id=ledger.new_id(),
                    kind=FactKind.ANCHORED.value,
                    subject="",
                    happened_at=draw.now,
                    body=body,
                )
            )
        return len(grown)

    return ledger.record([ANCHOR_CHAIN], decide)[0]


def verify(ledger: Ledger, tell: Tell = lambda _done, _total: None) -> Verdict:
    """Walk every chain and anchor of the books; reads every fact once, in memory that does not grow."""
    heads = ledger.journal.chains()
    total = sum(head.seq for head in heads.values())
    anchored, anchors = _anchors(ledger)
    flaws: list[Flaw] = []
    done = 0
    for chain in sorted({*heads, *anchored}):
        wanted = anchored.get(chain, {})
        flaw = _walk(_told(ledger.journal.read(chain), done, total, tell), chain, dict(wanted))
        flaw = flaw or (_sweep(ledger, chain) if chain.startswith(POOL) else None)
        if flaw is not None:
            flaws.append(flaw)
        done += heads[chain].seq if chain in heads else 0
    tell(total, total)
    return Verdict(chains=len(heads), facts=total, anchors=anchors, flaws=tuple(flaws))


def _told(facts: Iterator[Fact], done: int, total: int, tell: Tell) -> Iterator[Fact]:
    for i, fact in enumerate(facts):
        if i % _TELL_EVERY == 0:
            tell(done + i, total)
        yield fact


def _anchors(ledger: Ledger) -> tuple[dict[str, dict[int, str]], int]:
    """What anchors say each chain's hashes are, by chain and place."""
    found: dict[str, dict[int, str]] = {}
    count = 0
    for fact in ledger.journal.read(ANCHOR_CHAIN):
        count += 1
        for name, (seq, digest) in msgspec.json.decode(fact.body, type=_Anchored).heads.items():
            found.setdefault(name, {})[seq] = digest
    return found, count


def _walk(facts: Iterator[Fact], chain: str, anchored: dict[int, str]) -> Flaw | None:
    """The first fact of a chain that is not as it was written."""
    head: Head = GENESIS
    for fact in facts:
        what = _flaw_of(fact, head, anchored.pop(fact.seq, None))
        if what:
            return Flaw(chain=chain, seq=fact.seq, id=fact.id, what=what)
        head = head_of(fact)
    if anchored:
        seq = min(anchored)
        return Flaw(chain=chain, seq=seq, id="", what=f"an anchor names fact {seq}, the chain ends at {head.seq}")
    return None


def _flaw_of(fact: Fact, head: Head, anchored: str | None) -> str:
    if fact.seq != head.seq + 1:
        return f"fact {head.seq + 1} is missing"
    if fact.prev_hash != head.hash:
        return "it does not follow the fact before it"
    if hash_of(fact) != fact.hash:
        return "its content was altered"
    if anchored is not None and anchored != fact.hash.hex():
        return "an anchor has another hash for it: the chain was rewritten"
    if fact.recorded_at < head.recorded_at:
        return "it is recorded before the fact that precedes it"
    return ""


def _sweep(ledger: Ledger, chain: str) -> Flaw | None:
    """The first hold that was accepted while more was held than delivered, from the facts alone.

    Up to the first loss of capacity the windows are simply added up. After it holds may rightly exceed
    what is delivered, and every hold placed later is checked against what was free at its turn.
    """
    columns = ("seq", "id", "kind", "from_at", "until_at", "accelerators")
    kinds = [kind.value for kind in CAPACITY_SIGN]
    frames = list(ledger.journal.columns(columns, [chain], kinds=kinds))
    if not frames:
        return None
    facts = pl.concat(frames)
    signs = facts["kind"].replace_strict({k.value: s for k, s in CAPACITY_SIGN.items()}, return_dtype=pl.Int64)
    facts = facts.with_columns(free=facts["accelerators"] * signs)
    lost = facts.filter(pl.col("kind").is_in(list(_LOSSES)) & (pl.col("accelerators") < 0))["seq"].to_list()
    first_loss = lost[0] if lost else facts["seq"].to_list()[-1] + 1
    before, after = facts.filter(pl.col("seq") < first_loss), facts.filter(pl.col("seq") >= first_loss)
    return over_held(before, before["free"].to_numpy(), chain) or _replay(before, after, chain)


def _replay(before: pl.DataFrame, after: pl.DataFrame, chain: str) -> Flaw | None:
    grid = CapacityGrid()
    if len(after):
        grid.add_many(*(before[name].to_numpy() for name in ("free", "from_at", "until_at")))
    for seq, id_, kind, from_at, until_at, _, free in after.iter_rows():
        grid.add(free, from_at, until_at)
        if kind == FactKind.HOLD_PLACED and grid.free(from_at, until_at) < 0:
            return Flaw(chain=chain, seq=seq, id=id_, what="it was placed where less was free")
    return None


def over_held(facts: pl.DataFrame, free: np.ndarray, chain: str) -> Flaw | None:
    """Whether the windows of facts leave less than nothing free at any instant; `free` is what each adds.

    Valid because each fact only adds capacity or claims what was free then: the sum at the end is the
    tightest that these claims, together, ever were unless capacity came later.
    """
    times = np.concatenate((facts["from_at"].to_numpy(), facts["until_at"].to_numpy()))
    deltas = np.concatenate((free, -free))
    order = np.argsort(times, kind="stable")
    times, levels = times[order], np.cumsum(deltas[order])
    last_of_instant = np.append(times[1:] != times[:-1], True) if len(times) else np.zeros(0, dtype=bool)
    bad = np.flatnonzero(last_of_instant & (levels < 0))
    if not len(bad):
        return None
    at, short = int(times[bad[0]]), -int(levels[bad[0]])
    held = facts.filter(
        (pl.col("kind") == FactKind.HOLD_PLACED) & (pl.col("from_at") <= at) & (pl.col("until_at") > at)
    )
    seq, id_ = held.select("seq", "id").row(-1) if len(held) else (0, "")
    return Flaw(chain=chain, seq=seq, id=id_, what=f"{short:,} more held than delivered at {iso(at)}")
