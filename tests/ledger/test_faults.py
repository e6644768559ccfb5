"""Writers are killed and the server crashes: what was acknowledged is there, and holds never exceed deliveries."""

import secrets
from pathlib import Path

import pytest

from benchmarks.ledger.soak import Soak, run_soak

SEED = secrets.randbelow(10_000)
LEAST = 100


@pytest.mark.parametrize(
    "soak",
    [
        Soak(engine="sqlite", clients=3, seconds=8, seed=SEED, pools=3, kill_every_s=0.8, least=LEAST),
        Soak(
            engine="postgresql",
            clients=4,
            seconds=12,
            seed=SEED,
            pools=3,
            kill_every_s=1.0,
            crash_every_s=4.0,
            least=LEAST,
        ),
    ],
    ids=("sqlite", "postgresql"),
)
def test_nothing_acknowledged_is_lost(soak: Soak, tmp_path: Path) -> None:
    """Every note of every writer is in the books once, the chains verify, and the kills really happened."""
    print(f"repeat with: python benchmarks/ledger/soak.py {soak.options}")
    outcome = run_soak(soak, tmp_path)
    assert outcome.kills >= 3
    assert outcome.crashes >= (soak.engine == "postgresql")
    assert outcome.acknowledged >= LEAST
    assert (outcome.lost, outcome.flaws) == (0, ())


def test_many_clients_at_once_on_few_pools(tmp_path: Path) -> None:
    """Eight writers on two pools: the same place in a chain is never given twice."""
    outcome = run_soak(Soak(engine="postgresql", clients=8, seconds=12, seed=SEED, pools=2, least=LEAST), tmp_path)
    assert outcome.acknowledged >= LEAST
    assert (outcome.lost, outcome.flaws) == (0, ())
