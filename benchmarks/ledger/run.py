"""What the ledger costs: holds against bare inserts, many clients against pgbench, state and match of many facts.

    python benchmarks/ledger/run.py                        all of it, a million holds, two million facts
    python benchmarks/ledger/run.py --only holds --engine sqlite
    python benchmarks/ledger/run.py --only books --facts 10000000
    python benchmarks/ledger/run.py --only soak            soak.py, half a minute an engine, writers killed

Every figure is a ratio to a baseline measured in the same run on the same engine with the same settings; pairs
are interleaved and the median of five is given. Load of the holds: 1 to 16 accelerators, starts over three years
at any second, durations of one hour to ninety days.
"""

import argparse
import json
import os
import platform
import random
import re
import resource
import secrets
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

import psycopg  # noqa: E402

from acreage.domain.contract import Contract  # noqa: E402
from acreage.domain.hold import HoldRequest  # noqa: E402
from acreage.domain.lease import Delivery, Lease  # noqa: E402
from acreage.domain.price import Price, PriceBasis, Provenance  # noqa: E402
from acreage.domain.terms import Terms  # noqa: E402
from acreage.ledger.contracts import leases, propose_lease, sign_lease  # noqa: E402
from acreage.ledger.deliveries import record_delivery  # noqa: E402
from acreage.ledger.facts import GENESIS, Draft, FactKind, bill_chain, head_of, recorded, usage_chain  # noqa: E402
from acreage.ledger.holds import place_holds  # noqa: E402
from acreage.ledger.journals.registry import open_journal  # noqa: E402
from acreage.ledger.ledger import Ledger  # noqa: E402
from acreage.ledger.shared import SharedLedger  # noqa: E402
from acreage.ledger.statements import drawdowns, four_way_match, money_balances, pool_balances  # noqa: E402
from acreage.units.ids import AcceleratorName, LeaseId, PoolId, ProviderId, new_id  # noqa: E402
from acreage.units.instants import Instant, add_months, instant  # noqa: E402
from acreage.units.money import micro_usd  # noqa: E402
from benchmarks.ledger.server import PostgresqlServer, pgbench  # noqa: E402

Answer = TypeVar("Answer")
NOW, END = instant("2027-01-01"), instant("2032-01-01")
SPAN_S, DAY = 3 * 365 * 86_400, 86_400
PAIRS, SINGLES, BATCH, BATCHES = 5, 1_000, 1_000, 10
CLIENTS, POOLS, CLIENT_S = 16, 64, 10


@dataclass(frozen=True)
class Line:
    """One figure: what, measured, baseline, their ratio and the least it should be."""

    what: str
    measured: float
    baseline: float
    bar: float

    @property
    def ratio(self) -> float:
        """Measured over baseline."""
        return self.measured / self.baseline


def opened(address: str) -> Ledger:
    """Books whose clock stands at the start of the load."""
    return Ledger(journal=open_journal(address), actor="benchmark", clock=lambda: NOW, new_id=new_id)


def contract_of(i: int, accelerators: int) -> Contract:
    """A lease of a pool of its own for five years."""
    price = Price(
        basis=PriceBasis.ACCELERATOR_HOUR, amount_micro_usd=micro_usd("2.4"), provenance=Provenance(source="made up")
    )
    lease = Lease(
        id=LeaseId(f"lease-{i}"),
        provider=ProviderId(f"provider-{i % 8}"),
        pool=pool_of(i),
        starts_at=NOW,
        ends_at=END,
        deliveries=(Delivery(accelerators=accelerators, due_at=NOW),),
        terms=Terms(price=price),
    )
    return Contract(lease=lease, counterparty="made up", accelerator=AcceleratorName("H100"))


def pool_of(i: int) -> PoolId:
    """The i-th pool."""
    return PoolId(f"pool-{i}")


def lease_out(ledger: Ledger, count: int, accelerators: int) -> None:
    """Signed and delivered leases, each in its own pool."""
    for i in range(count):
        contract = contract_of(i, accelerators)
        propose_lease(ledger, contract, key=f"p{i}")
        sign_lease(ledger, contract.lease.id, key=f"s{i}")
        record_delivery(ledger, contract.lease.id, accelerators, at=NOW, key=f"d{i}")


def request(rng: random.Random, pool: PoolId) -> HoldRequest:
    """A request of the load."""
    from_at = NOW + rng.randrange(SPAN_S)
    until_at = from_at + rng.randrange(3_600, 90 * DAY)
    return HoldRequest(
        id=new_id(),
        pool=pool,
        accelerators=rng.randint(1, 16),
        from_at=Instant(from_at),
        until_at=Instant(until_at),
        holder="job",
    )


def singles(ledger: Ledger, rng: random.Random, count: int, pool: int = 0) -> float:
    """Holds a second, one durable transaction each."""
    requests = [request(rng, pool_of(pool)) for _ in range(count)]
    started = time.perf_counter()
    for one in requests:
        place_holds(ledger, [one])
    return count / (time.perf_counter() - started)


def batches(ledger: Ledger, rng: random.Random, count: int) -> float:
    """Holds a second in batches of a thousand."""
    made = [[request(rng, pool_of(0)) for _ in range(BATCH)] for _ in range(count)]
    started = time.perf_counter()
    for batch in made:
        place_holds(ledger, batch)
    return count * BATCH / (time.perf_counter() - started)


def bare_sqlite(path: Path) -> Callable[[int], float]:
    """One-row inserts a second into a plain table with the same settings."""
    db = sqlite3.connect(path, isolation_level=None)
    for pragma in ("page_size = 8192", "journal_mode = WAL", "synchronous = FULL", "cache_size = -65536"):
        db.execute(f"PRAGMA {pragma}")
    db.execute("CREATE TABLE bare (id INTEGER PRIMARY KEY, body TEXT)")
    return _inserter(lambda body: db.execute("INSERT INTO bare (body) VALUES (?)", (body,)))


def bare_postgresql(url: str) -> Callable[[int], float]:
    """The same on PostgreSQL, prepared, one round trip."""
    db = psycopg.connect(url, autocommit=True)
    db.execute("CREATE TABLE bare (id BIGSERIAL PRIMARY KEY, body TEXT)")
    return _inserter(lambda body: db.execute("INSERT INTO bare (body) VALUES (%s)", (body,), prepare=True))


def _inserter(insert: Callable[[str], object]) -> Callable[[int], float]:
    def rate(count: int) -> float:
        body = "x" * 200
        started = time.perf_counter()
        for _ in range(count):
            insert(body)
        return count / (time.perf_counter() - started)

    return rate


@contextmanager
def store(engine: str) -> Iterator[tuple[str, Callable[[int], float]]]:
    """Empty books and the bare baseline beside them."""
    with tempfile.TemporaryDirectory() as folder:
        if engine == "sqlite":
            yield str(Path(folder) / "books.db"), bare_sqlite(Path(folder) / "bare.db")
            return
        with PostgresqlServer() as server:
            yield server.new_schema(), bare_postgresql(server.new_schema())


def hold_lines(engine: str, holds: int) -> Iterator[Line]:
    """Singles against bare inserts and batches against singles, on an empty and on a full pool."""
    rng = random.Random(1)
    bars = {"sqlite": (10.0, 8.0), "postgresql": (8.0, 5.0)}[engine]
    with store(engine) as (address, bare):
        ledger = opened(address)
        lease_out(ledger, 2, 90_000_000)
        empty = _measured(ledger, rng, bare)
        yield Line(f"{engine}: holds/s on an empty pool against bare inserts", empty[0], empty[1], 0.40)
        yield Line(f"{engine}: batches of 1,000 on an empty pool against singles", empty[2], empty[0], bars[0])
        batches(ledger, rng, max(holds // BATCH - BATCHES * PAIRS, 0))
        ledger.close()
        full_ledger = opened(address)
        started = time.perf_counter()
        held = full_ledger.pool(pool_of(0)).head.seq
        full_ledger.pool(pool_of(0)).free.free(NOW, NOW + 1)
        print(f"  {engine}: a new process knows the pool of {held:,} facts after {time.perf_counter() - started:.2f} s")
        full = _measured(full_ledger, rng, bare)
        yield Line(f"{engine}: holds/s at {holds:,} holds against bare inserts", full[0], full[1], 0.40)
        yield Line(f"{engine}: batches of 1,000 at {holds:,} holds against singles", full[2], full[0], bars[1])
        pairs = [(singles(full_ledger, rng, SINGLES), singles(full_ledger, rng, SINGLES, 1)) for _ in range(PAIRS)]
        at_full, at_empty = (statistics.median(column) for column in zip(*pairs, strict=True))
        yield Line(f"{engine}: holds/s on that pool against an empty one in the same books", at_full, at_empty, 0.85)


def _measured(ledger: Ledger, rng: random.Random, bare: Callable[[int], float]) -> tuple[float, float, float]:
    """Medians of five interleaved rounds: singles, bare inserts, batches."""
    singles(ledger, rng, 200)
    rounds = [(singles(ledger, rng, SINGLES), bare(SINGLES), batches(ledger, rng, BATCHES)) for _ in range(PAIRS)]
    single, base, batch = (statistics.median(column) for column in zip(*rounds, strict=True))
    return single, base, batch


def client_lines() -> Iterator[Line]:
    """Sixteen clients on sixty-four pools against pgbench -N on the same server.

    Like pgbench's, the clients are threads of one process, which share a ledger; and as processes each on its own.
    """
    with PostgresqlServer() as server:
        address = server.new_schema()
        ledger = opened(address)
        lease_out(ledger, POOLS, 90_000_000)
        ledger.close()
        pgbench(server.url, "-i", "-s", "10", "-q")
        rounds = [(_threads(address), _pgbench(server.url), _processes(address)) for _ in range(3)]
        threads, base, processes = (statistics.median(column) for column in zip(*rounds, strict=True))
        what = f"postgresql: {CLIENTS} {{}} on {POOLS} pools, holds/s against pgbench -N"
        yield Line(what.format("clients of one process"), threads, base, 0.45)
        yield Line(what.format("processes"), processes, base, 0.0)


def _pgbench(url: str) -> float:
    text = pgbench(url, "-N", "-c", str(CLIENTS), "-j", "2", "-T", str(CLIENT_S), "-M", "prepared")
    found = re.search(r"tps = ([0-9.]+)", text)
    assert found is not None, text
    return float(found[1])


def _threads(address: str) -> float:
    """Holds a second of threads that share a ledger, each waiting for its own to be durable."""
    ledger = opened(address)
    shared = SharedLedger(ledger)
    for i in range(POOLS):
        ledger.pool(pool_of(i))
    until = time.monotonic() + CLIENT_S

    def work(seed: int) -> int:
        rng, count = random.Random(seed), 0
        while time.monotonic() < until:
            shared.place_holds([request(rng, pool_of(rng.randrange(POOLS)))])
            count += 1
        return count

    with ThreadPoolExecutor(CLIENTS) as pool:
        counts = list(pool.map(work, range(CLIENTS)))
    ledger.close()
    return sum(counts) / CLIENT_S


def _processes(address: str) -> float:
    """Holds a second of all clients together, from when the last of them is ready."""
    command = [sys.executable, __file__, "--client", address]
    started = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(CLIENTS)
    ]
    for one in started:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
    for one in started:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    return sum(int(one.communicate()[0]) for one in started) / CLIENT_S


def client(address: str) -> int:
    """One client: holds on random pools for ten seconds once it is told to start; returns how many."""
    rng = random.Random(secrets.randbits(64))
    ledger = opened(address)
    for i in range(POOLS):
        ledger.pool(pool_of(i))
    print("ready", flush=True)
    sys.stdin.readline()
    until, count = time.monotonic() + CLIENT_S, 0
    while time.monotonic() < until:
        place_holds(ledger, [request(rng, pool_of(rng.randrange(POOLS)))])
        count += 1
    return count


def book_lines(engine: str, facts: int) -> None:
    """State and match over many facts: half holds, a quarter charges, a quarter metered use, on 64 leases."""
    with store(engine) as (address, _):
        ledger = opened(address)
        lease_out(ledger, POOLS, 1_000_000)
        started = time.perf_counter()
        _fill(ledger, facts)
        print(f"  {engine}: {facts:,} facts written in {time.perf_counter() - started:.0f} s")
        ledger.close()
        for _ in range(2):
            subprocess.run([sys.executable, __file__, "--reader", address, "--engine", engine], check=True)


def read_books(engine: str, address: str) -> None:
    """State and match by a process that knows nothing yet; the first one keeps snapshots for the second."""
    at = add_months(NOW, 12)
    reader = Ledger(journal=open_journal(address), actor="b", clock=lambda: at, new_id=new_id)
    facts = sum(head.seq for head in reader.journal.chains().values())
    state_s, _ = _timed(lambda: _state(reader))
    print(f"  {engine}: state of {facts:,} facts by a new process: {state_s:.2f} s", flush=True)
    match_s, match = _timed(lambda: four_way_match(reader))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    found = f"{len(match.findings)} findings, peak memory of the process {memory:.2f} GB"
    print(f"  {engine}: match of {facts:,} facts: {match_s:.1f} s, {found}", flush=True)


def _timed(work: Callable[[], Answer]) -> tuple[float, Answer]:
    started = time.perf_counter()
    done = work()
    return time.perf_counter() - started, done


def _state(ledger: Ledger) -> None:
    leases(ledger)
    pool_balances(ledger)
    money_balances(ledger)
    drawdowns(ledger)


def _fill(ledger: Ledger, facts: int) -> None:
    rng = random.Random(2)
    made = 0
    while made < facts // 2:
        place_holds(ledger, [request(rng, pool_of(made // BATCH % POOLS)) for _ in range(BATCH)])
        made += BATCH
    for kind in (FactKind.CHARGE_INVOICED, FactKind.USAGE_METERED):
        for provider in range(8):
            _bill(ledger, kind, provider, facts // 4 // 8)


def _bill(ledger: Ledger, kind: FactKind, provider: int, count: int) -> None:
    """Hourly rows of a provider's leases, a year at most, then the next row of the same hour."""
    charged = kind is FactKind.CHARGE_INVOICED
    name = ProviderId(f"provider-{provider}")
    chain = bill_chain(name) if charged else usage_chain(name)
    own = [i for i in range(POOLS) if i % 8 == provider]
    share = max(count // len(own) // 8_760, 1)
    head, piece = GENESIS, []
    for n in range(count):
        lease, hour = own[n % len(own)], n // len(own) % 8_760
        from_at = NOW + 3_600 * hour
        seconds = 3_600_000_000 // share
        draft = Draft(
            chain=chain,
            id=f"{chain}-{n}",
            kind=kind.value,
            subject=f"lease-{lease}",
            happened_at=NOW,
            from_at=from_at,
            until_at=from_at + 3_600,
            accelerator_seconds=seconds,
            micro_usd=seconds * 2_400_000 // 3_600 if charged else None,
            body='{"ChargeCategory":"Usage"}',
        )
        fact = recorded(draft, head, "benchmark", NOW)
        head = head_of(fact)
        piece.append(fact)
        if len(piece) == 50_000 or n == count - 1:
            ledger.journal.append(piece)
            piece = []


def main() -> int:
    """Run what was asked and print a table; exit code 1 where a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=("holds", "clients", "books", "soak"))
    parser.add_argument("--engine", choices=("sqlite", "postgresql"))
    parser.add_argument("--holds", type=int, default=1_000_000)
    parser.add_argument("--facts", type=int, default=2_000_000)
    parser.add_argument("--client", help=argparse.SUPPRESS)
    parser.add_argument("--reader", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.reader:
        read_books(options.engine, options.reader)
        return 0
    if options.client:
        print(client(options.client))
        return 0
    versions = f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    print(f"{os.cpu_count()} cores {_processor()}, {versions}", flush=True)
    engines = [options.engine] if options.engine else ["sqlite", "postgresql"]
    lines: list[Line] = []
    for engine in engines:
        if options.only in (None, "holds"):
            for line in hold_lines(engine, options.holds):
                lines.append(line)
                _print(line)
        if options.only in (None, "books"):
            book_lines(engine, options.facts)
    if options.only in (None, "clients") and "postgresql" in engines:
        for line in client_lines():
            lines.append(line)
            _print(line)
    lost = any(soak(engine) for engine in engines) if options.only in (None, "soak") else False
    return int(lost or any(line.ratio < line.bar for line in lines))


def soak(engine: str) -> int:
    """Many writers at once, some of them killed; exit code 1 where anything acknowledged was lost."""
    command = [sys.executable, str(Path(__file__).with_name("soak.py")), "--engine", engine]
    clients = "4" if engine == "sqlite" else "8"
    return subprocess.run(
        [*command, "--clients", clients, "--seconds", "30", "--kill-every", "3"], check=False
    ).returncode


def _print(line: Line) -> None:
    verdict = "" if line.ratio >= line.bar else "  MISSED"
    figures = f"{line.measured:,.0f} against {line.baseline:,.0f} a second"
    print(f"{line.what}: {line.ratio:.2f}x (at least {line.bar:g}; {figures}){verdict}", flush=True)


def _processor() -> str:
    for text in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if text.startswith("model name"):
            return text.partition(":")[2].strip()
    return json.dumps(platform.processor())


if __name__ == "__main__":
    sys.exit(main())
