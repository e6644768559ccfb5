"""Names of crews: what is none, what is not there and what is not installed is said in one sentence."""

import subprocess
import sys
from pathlib import Path

import pytest

from acreage.crew.choose import crew_of, names_crew
from acreage.crew.crew import ClusterLost, Kept
from acreage.crew.local import HERE, LocalCrew
from acreage.crew.steadfast import SteadfastCrew
from acreage.flow.crews import solver_and_crew
from acreage.units.errors import InputError
from tests.crew import chores
from tests.crew.conftest import free_port

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "text",
    ["ray://", "ray://host", "ray://host:", "ray://:10001", "ray://host:x", "ray://host:99999", "rays", "ray:/h:1"],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    """It is told what would be one."""
    assert names_crew(text)
    with pytest.raises(InputError, match=r"names no crew; say local, ray or ray://HOST:PORT"):
        crew_of(text, print)


def test_solvers_are_no_crews() -> None:
    """The names of engines stay what they are."""
    assert not any(map(names_crew, ("decomposition", "whole", "")))
    assert crew_of("local", print) is HERE


@pytest.mark.parametrize("host", ["127.0.0.1", "no-such-host.invalid"])
def test_a_cluster_that_is_not_there_is_refused(host: str) -> None:
    """Nobody hangs."""
    with pytest.raises(InputError, match=r"no Ray cluster answers at ray://.*ray start --head"):
        crew_of(f"ray://{host}:{free_port()}", print)


HIDDEN = """
import sys
sys.modules["ray"] = None
sys.meta_path.insert(0, type("Hide", (), {"find_spec": staticmethod(lambda name, path, target=None: None)}))
from acreage.cli.main import main
sys.argv = ["acreage", "plan", sys.argv[1], "--engine", "ray"]
main()
"""


def test_without_ray_it_says_what_to_install(tmp_path: Path) -> None:
    """One line, exit code 2, nothing written; and nothing else needs Ray."""
    done = subprocess.run(
        [sys.executable, "-c", HIDDEN, str(ROOT / "examples" / "startup" / "portfolio.yaml")],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == "error: 'ray' needs Ray, which is not installed; pip install 'acreage[ray]'"
    assert not list(tmp_path.iterdir())


def test_a_crew_of_threads_keeps_the_order_and_tells() -> None:
    """However many there are."""
    for workers in (1, 3):
        told: list[tuple[int, ...]] = []
        crew = LocalCrew(workers=workers)
        found = crew.map(chores.product, crew.keep(2), range(9), tell=lambda *step, told=told: told.append(step))
        assert list(found) == list(range(0, 18, 2))
        assert told == [(done, 9) for done in range(1, 10)]
        with pytest.raises(KeyError):
            list(crew.map(chores.refuse, crew.keep(None), range(9)))


class Failing:
    """A crew away that hands over so many results, has found some others, and is lost."""

    workers = 5

    def __init__(self, handed: int, found: dict[int, object]) -> None:
        self.handed, self.found, self.closed = handed, found, False

    def keep(self, thing):  # type: ignore[no-untyped-def]
        return Kept(thing)

    def map(self, work, kept, items, *, tell=None):  # type: ignore[no-untyped-def]
        for number in range(self.handed):
            yield work(kept.thing, items[number])
        raise ClusterLost("it went away", self.found)

    def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize("handed", range(6))
@pytest.mark.parametrize("ahead", [(), (3,), (2, 5), (1, 2, 3, 4, 5)])
def test_whatever_was_found_when_a_cluster_went_is_used(handed: int, ahead: tuple[int, ...]) -> None:
    """Every result comes once and in its place; what was found away is not done again."""
    said: list[str] = []
    away = Failing(handed, {number: f"away {number}" for number in ahead if number >= handed})
    crew = SteadfastCrew(away, LocalCrew(workers=2), said.append)
    results = list(crew.map(chores.product, crew.keep(10), range(6)))
    assert results == [f"away {n}" if n in away.found else 10 * n for n in range(6)]
    assert len(said) == 1
    assert away.closed
    assert list(crew.map(chores.product, crew.keep(1), [4])) == [4]
    assert len(said) == 1


def test_an_engine_is_a_solver_or_a_crew() -> None:
    """Both have names of their own; what is neither is told the nearest."""
    assert solver_and_crew("decomposition") == ("decomposition", "local")
    assert solver_and_crew("whole") == ("whole", "local")
    assert solver_and_crew("local") == ("decomposition", "local")
    assert solver_and_crew("ray://head:10001") == ("decomposition", "ray://head:10001")
    with pytest.raises(InputError, match="'hole' names no solver and no crew; did you mean 'whole'"):
        solver_and_crew("hole")
    with pytest.raises(InputError, match="solvers are decomposition, whole; crews are local, ray or"):
        solver_and_crew("gurobi")
