"""Many writers at once, killed without warning, on a server that crashes: nothing acknowledged may be lost.

    python benchmarks/ledger/soak.py --engine postgresql --clients 32 --seconds 600
    python benchmarks/ledger/soak.py --engine postgresql --clients 8 --seconds 120 --kill-every 3 --crash-every 20
    python benchmarks/ledger/soak.py --engine sqlite --clients 4 --seconds 60 --kill-every 2

Each writer is a process that places, posts, voids, releases, delivers and imports at random and notes what
was acknowledged. At the end every note must be in the books once, every chain must verify, and no hold may
exceed what is delivered. The seed is printed and repeats the writers' choices.
"""

import argparse
import os
import platform
import random
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import polars as pl

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from acreage.domain.contract import Contract  # noqa: E402
from acreage.domain.hold import HoldRequest, HoldState  # noqa: E402
from acreage.domain.lease import Delivery, Lease  # noqa: E402
from acreage.domain.price import Price, PriceBasis, Provenance  # noqa: E402
from acreage.domain.terms import Terms  # noqa: E402
from acreage.ledger.billing import record_payment  # noqa: E402
from acreage.ledger.contracts import propose_lease, sign_lease  # noqa: E402
from acreage.ledger.deliveries import record_delivery  # noqa: E402
from acreage.ledger.holds import place_holds, post_hold, release_hold, void_hold  # noqa: E402
from acreage.ledger.journals.registry import open_journal  # noqa: E402
from acreage.ledger.ledger import Ledger  # noqa: E402
from acreage.ledger.verify import anchor, verify  # noqa: E402
from acreage.units.errors import InputError, Permanent, Transient  # noqa: E402
from acreage.units.ids import AcceleratorName, LeaseId, PoolId, ProviderId  # noqa: E402
from acreage.units.instants import Instant, instant  # noqa: E402
from acreage.units.money import micro_usd  # noqa: E402
from benchmarks.ledger.server import PostgresqlServer  # noqa: E402

NOW, END = instant("2027-01-01"), instant("2030-01-01")
ACCELERATORS = 200
SPAN_S = 40 * 86_400
GRACE_S = 60


@dataclass(frozen=True)
class Soak:
    """How long, how many and how rough."""

    engine: str
    clients: int
    seconds: float
    seed: int
    pools: int = 8
    kill_every_s: float = 0.0
    crash_every_s: float = 0.0
    least: int = 0
    """Acknowledged facts without which it goes on, however slow the machine."""

    @property
    def options(self) -> str:
        """What repeats it from the command line."""
        return (
            f"--engine {self.engine} --clients {self.clients} --seconds {self.seconds} --pools {self.pools} "
            f"--kill-every {self.kill_every_s} --crash-every {self.crash_every_s} --seed {self.seed}"
        )


@dataclass(frozen=True)
class Outcome:
    """What was acknowledged and what the books say of it."""

    acknowledged: int
    lost: int
    facts: int
    kills: int
    crashes: int
    flaws: tuple[str, ...]
    seconds: float


def pool_name(i: int) -> PoolId:
    """The i-th pool."""
    return PoolId(f"basalt/zone-{i}/h100")


def opened(address: str, actor: str) -> Ledger:
    """Books whose clock stands, so that a seed repeats."""
    return Ledger(journal=open_journal(address), actor=actor, clock=lambda: NOW, new_id=lambda: secrets.token_hex(16))


def prepare(address: str, pools: int) -> None:
    """A signed and delivered lease in each pool."""
    ledger = opened(address, "soak")
    price = Price(
        basis=PriceBasis.ACCELERATOR_HOUR, amount_micro_usd=micro_usd("4"), provenance=Provenance(source="soak")
    )
    for i in range(pools):
        lease = Lease(
            id=LeaseId(f"lease-{i}"),
            provider=ProviderId("basalt"),
            pool=pool_name(i),
            starts_at=NOW,
            ends_at=END,
            deliveries=(Delivery(accelerators=2 * ACCELERATORS, due_at=NOW),),
            terms=Terms(price=price),
        )
        propose_lease(
            ledger, Contract(lease=lease, counterparty="basalt", accelerator=AcceleratorName("H100")), key=f"p{i}"
        )
        sign_lease(ledger, lease.id, key=f"s{i}")
        record_delivery(ledger, lease.id, ACCELERATORS, at=NOW, key=f"d{i}")
    ledger.close()


class Writer:
    """One process's work: random operations, each noted once it is acknowledged."""

    def __init__(self, address: str, seed: int, pools: int, notes: Path, stop: Path) -> None:
        self._address, self._pools, self._stop = address, pools, stop
        self._random = random.Random(seed)
        self._run = secrets.token_hex(4)
        self._count = 0
        self._notes = os.open(notes, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        self._ledger = self._opened()
        self._pending: list[str] = []
        self._posted: list[str] = []

    def run(self) -> None:
        """Work until the file that says stop is there."""
        steps = (
            (70, self._place),
            (6, self._batch),
            (12, self._settle),
            (6, self._release),
            (3, self._deliver),
            (3, self._pay),
        )
        weights, works = [w for w, _ in steps], [f for _, f in steps]
        while not self._stop.exists():
            self._insist(self._random.choices(works, weights)[0]())

    def _insist(self, work: Callable[[], list[str]]) -> None:
        """Repeat the very same call until it is answered: the keys make that harmless."""
        while True:
            try:
                for id_ in work():
                    os.write(self._notes, f"{id_}\n".encode())
                return
            except InputError:
                return
            except (Transient, Permanent):
                if self._too_late():
                    raise
                self._ledger.close()
                self._ledger = self._opened()

    def _opened(self) -> Ledger:
        """The books, as soon as their server is there."""
        while True:
            try:
                return opened(self._address, "writer")
            except (Transient, Permanent):
                if self._too_late():
                    raise
                time.sleep(0.1)

    def _too_late(self) -> bool:
        return self._stop.exists() and time.time() > self._stop.stat().st_mtime + GRACE_S

    def _id(self) -> str:
        self._count += 1
        return f"{self._run}-{self._count}"

    def _request(self) -> HoldRequest:
        from_at = NOW + self._random.randrange(SPAN_S)
        timeout_s = 600 if self._random.random() < 0.3 else None
        return HoldRequest(
            id=self._id(),
            pool=pool_name(self._random.randrange(self._pools)),
            accelerators=self._random.randint(1, 16),
            from_at=Instant(from_at),
            until_at=Instant(from_at + self._random.randint(60, 5 * 86_400)),
            holder="run",
            timeout_s=timeout_s,
        )

    def _placed(self, requests: list[HoldRequest], together: bool) -> list[str]:
        answers = place_holds(self._ledger, requests, together=together)
        for answer in answers:
            if answer.state is HoldState.PENDING:
                self._pending.append(answer.id)
            elif answer.state is HoldState.POSTED:
                self._posted.append(answer.id)
        return [answer.id for answer in answers]

    def _place(self) -> Callable[[], list[str]]:
        requests = [self._request()]
        return lambda: self._placed(requests, False)

    def _batch(self) -> Callable[[], list[str]]:
        requests = [self._request() for _ in range(self._random.randint(2, 20))]
        together = self._random.random() < 0.5
        return lambda: self._placed(requests, together)

    def _settle(self) -> Callable[[], list[str]]:
        if not self._pending:
            return self._place()
        hold, key = self._pending.pop(self._random.randrange(len(self._pending))), self._id()
        settle = self._random.choice((post_hold, void_hold))

        def work() -> list[str]:
            settle(self._ledger, hold, key=key)
            return [key]

        return work

    def _release(self) -> Callable[[], list[str]]:
        if not self._posted:
            return self._place()
        hold, key = self._posted.pop(self._random.randrange(len(self._posted))), self._id()

        def work() -> list[str]:
            release_hold(self._ledger, hold, key=key)
            return [key]

        return work

    def _deliver(self) -> Callable[[], list[str]]:
        lease, key = LeaseId(f"lease-{self._random.randrange(self._pools)}"), self._id()
        accelerators = self._random.choice((-8, 8, 16))
        at = Instant(NOW + self._random.randrange(SPAN_S))

        def work() -> list[str]:
            record_delivery(self._ledger, lease, accelerators, at=at, key=key)
            return [key]

        return work

    def _pay(self) -> Callable[[], list[str]]:
        key, amount = self._id(), micro_usd(self._random.randint(1, 10**6))

        def work() -> list[str]:
            record_payment(self._ledger, ProviderId("basalt"), amount, at=NOW, key=key)
            return [key]

        return work


def run_soak(soak: Soak, folder: Path) -> Outcome:
    """Run writers, killers and crashes, then hold the books against what was acknowledged."""
    with _store(soak, folder) as (address, server):
        prepare(address, soak.pools)
        started = time.time()
        kills, crashes = _run_writers(soak, folder, address, server)
        seconds = time.time() - started
        return _judge(address, folder, kills, crashes, seconds)


@contextmanager
def _store(soak: Soak, folder: Path) -> Iterator[tuple[str, PostgresqlServer | None]]:
    if soak.engine == "sqlite":
        yield str(folder / "books.db"), None
        return
    with PostgresqlServer() as server:
        yield server.new_schema(), server


def _run_writers(soak: Soak, folder: Path, address: str, server: PostgresqlServer | None) -> tuple[int, int]:
    until = time.time() + soak.seconds
    notes, stop = folder / "notes", folder / "stop"
    notes.touch()
    seeds = iter(range(soak.seed * 100_000, soak.seed * 100_000 + 99_999))

    def start() -> subprocess.Popen[bytes]:
        command = [sys.executable, __file__, "--writer", address, "--seed", str(next(seeds))]
        command += ["--stop", str(stop), "--pools", str(soak.pools), "--notes", str(notes)]
        return subprocess.Popen(command)

    writers = [start() for _ in range(soak.clients)]
    try:
        kills, crashes = _disturb(
            soak, writers, start, server, lambda: time.time() < until or _lines(notes) < soak.least
        )
        stop.touch()
        failed = [writer.wait(timeout=2 * GRACE_S) for writer in writers]
    finally:
        for writer in writers:
            writer.kill()
    assert not any(failed), f"writers ended with {failed}"
    return kills, crashes


def _disturb(
    soak: Soak,
    writers: list[subprocess.Popen[bytes]],
    start: Callable[[], subprocess.Popen[bytes]],
    server: PostgresqlServer | None,
    goes_on: Callable[[], bool],
) -> tuple[int, int]:
    """Kill writers, each followed by another, and crash the server, as often as asked; returns how often."""
    rng = random.Random(soak.seed)
    kills = crashes = 0
    next_kill = time.time() + (soak.kill_every_s or 10**9)
    next_crash = time.time() + (soak.crash_every_s or 10**9)
    while goes_on():
        time.sleep(0.05)
        if time.time() > next_kill:
            victim = rng.randrange(len(writers))
            writers[victim].send_signal(signal.SIGKILL)
            writers[victim].wait()
            writers[victim] = start()
            kills += 1
            next_kill = time.time() + soak.kill_every_s * rng.uniform(0.5, 1.5)
        if server is not None and time.time() > next_crash:
            server.crash()
            server.restart()
            crashes += 1
            next_crash = time.time() + soak.crash_every_s * rng.uniform(0.5, 1.5)
    return kills, crashes


def _lines(notes: Path) -> int:
    return notes.read_bytes().count(b"\n")


def _judge(address: str, folder: Path, kills: int, crashes: int, seconds: float) -> Outcome:
    noted = (folder / "notes").read_text().split()
    ledger = opened(address, "judge")
    anchor(ledger)
    verdict = verify(ledger)
    known = ledger.journal.with_ids(noted)
    ids = pl.concat(list(ledger.journal.columns(("id",), ledger.journal.chains())))["id"]
    doubled = (f"{len(ids) - ids.n_unique()} ids are there twice",) if ids.n_unique() != len(ids) else ()
    ledger.close()
    return Outcome(
        acknowledged=len(noted),
        lost=len(set(noted) - set(known)),
        facts=verdict.facts,
        kills=kills,
        crashes=crashes,
        flaws=(*doubled, *(f"{flaw.chain} {flaw.seq}: {flaw.what}" for flaw in verdict.flaws)),
        seconds=seconds,
    )


def main() -> int:
    """Run from the command line; exit code 1 if anything was lost or is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", choices=("sqlite", "postgresql"), default="postgresql")
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--pools", type=int, default=8)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10_000))
    parser.add_argument("--kill-every", type=float, default=0.0, help="seconds between kills of a writer; 0: none")
    parser.add_argument("--crash-every", type=float, default=0.0, help="seconds between crashes of the server; 0: none")
    parser.add_argument("--writer", help=argparse.SUPPRESS)
    parser.add_argument("--stop", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--notes", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.writer:
        Writer(options.writer, options.seed, options.pools, options.notes, options.stop).run()
        return 0
    soak = Soak(
        engine=options.engine,
        clients=options.clients,
        seconds=options.seconds,
        seed=options.seed,
        pools=options.pools,
        kill_every_s=options.kill_every,
        crash_every_s=options.crash_every,
    )
    print(f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(soak, flush=True)
    with tempfile.TemporaryDirectory() as folder:
        outcome = run_soak(soak, Path(folder))
    print(outcome)
    print(f"{outcome.acknowledged / outcome.seconds:,.0f} acknowledged facts a second")
    return int(bool(outcome.lost or outcome.flaws))


if __name__ == "__main__":
    sys.exit(main())
