"""A real cluster that loses processes, nodes and in the end itself: the results are those of this process alone."""

import os
import pickle
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from acreage.crew.choose import crew_of
from acreage.crew.crew import ClusterLost, Crew
from acreage.crew.local import HERE
from acreage.crew.ray.client import RayCrew
from acreage.crew.steadfast import SteadfastCrew
from acreage.domain.plan import Plan
from acreage.plan.out_of_sample.judge import Unseen, judge
from acreage.plan.planner import Wishes, make_plan, session_of
from acreage.units.errors import InputError
from tests.crew import chores
from tests.crew.conftest import NODES, Started
from tests.plan.tiny import Tiny, tiny

said: list[str] = []


@pytest.fixture(scope="module")
def crew(started: Started) -> Iterator[Crew]:
    """The cluster's crew, as a user gets it."""
    found = crew_of(started.address, said.append)
    yield found
    found.close()


def test_it_does_what_this_process_does_on_several_nodes(crew: Crew) -> None:
    """Results in order, told one by one, by as many workers as there are nodes."""
    assert crew.workers == NODES
    told: list[tuple[int, int]] = []
    kept = crew.keep(7)
    assert list(crew.map(chores.product, kept, range(20), tell=lambda *step: told.append(step))) == [
        *HERE.map(chores.product, HERE.keep(7), range(20))
    ]
    assert told == [(done, 20) for done in range(1, 21)]
    assert len({process for _, process in crew.map(chores.where, kept, range(12))}) > 1
    assert set(crew.map(chores.threads, kept, range(4))) == {1}


def test_what_is_kept_first_does_not_stand_for_what_is_kept_next(crew: Crew) -> None:
    """Each thing has its own place, and what work makes of it is no one else's."""
    one, two = crew.keep([1]), crew.keep([2])
    for _ in range(2):
        assert list(crew.map(chores.change, one, [5, 6, 7, 8])) == [[1, n] for n in (5, 6, 7, 8)]
        assert list(crew.map(chores.change, two, [5, 6])) == [[2, 5], [2, 6]]


def test_what_work_raises_is_raised_here(crew: Crew) -> None:
    """It comes when its turn comes, and is no lost cluster; the crew goes on working."""
    results = crew.map(chores.refuse, crew.keep(None), range(6))
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(KeyError, match="three"):
        next(results)
    with pytest.raises(InputError, match="wrong; be right"):
        list(crew.map(chores.blame, crew.keep(None), [1]))
    assert list(crew.map(chores.product, crew.keep(2), [4])) == [8]


def test_left_early_it_works_on(crew: Crew) -> None:
    """Whoever stops listening calls off what is under way, and nothing else."""
    results = iter(crew.map(chores.slow_product, crew.keep(2), range(30)))
    assert next(results) == 0
    results.close()  # type: ignore[attr-defined]
    assert list(crew.map(chores.product, crew.keep(3), range(5))) == [0, 3, 6, 9, 12]


def test_a_worker_process_that_is_killed_changes_nothing(crew: Crew, tmp_path: Path) -> None:
    """Its task is done again by another."""
    mark = tmp_path / "killed"
    assert list(crew.map(chores.deadly_once, crew.keep(mark), range(12))) == [-n for n in range(12)]
    assert mark.exists()


@pytest.fixture(scope="module")
def case() -> Tiny:
    """A small portfolio with a run in a gang, late deliveries and a risk."""
    return tiny(12, "late_delivery", "gang", "tail_risk", only=True)


def test_a_plan_is_explained_as_by_this_process(crew: Crew, case: Tiny) -> None:
    """Walk-away prices and what-ifs are the same to the last bit, wherever each is worked out."""
    wishes = Wishes(clock=lambda: 0.0)
    here, there = (
        make_plan(case.portfolio, case.futures, case.demand, replace(wishes, crew=one), lambda step: None)
        for one in (HERE, crew)
    )
    assert isinstance(here, Plan)
    assert isinstance(there, Plan)
    assert here.verdicts
    assert here.what_ifs
    assert (there.verdicts, there.what_ifs) == (here.verdicts, here.what_ifs)


def test_a_plan_is_judged_as_by_this_process(crew: Crew, case: Tiny) -> None:
    """Plans played, foresight and replications: every figure is the same to the last bit, in whatever batches."""
    plan = make_plan(case.portfolio, case.futures, case.demand, Wishes(explain=False), lambda step: None)
    assert isinstance(plan, Plan)
    many = [
        replace(f, name=f"{f.name}-{k}", probability=f.probability / 20) for k in range(20) for f in case.futures[1:]
    ]
    futures = (case.futures[0], *many)
    drawn = len(futures) - 1
    unseen = Unseen(seed=0, futures=futures, drawn=drawn, foreseen=2, samples=(case.futures,) * 3)
    stages: set[str] = set()
    here, there = (
        judge(case.portfolio, plan, case.demand, unseen, lambda step: stages.add(step.stage), lambda: 0.0, one)
        for one in (HERE, crew)
    )
    assert there == here
    assert "solving each future by itself" in stages


def test_a_session_travels_with_what_it_has_learned(case: Tiny) -> None:
    """Pickled, it is its own twin: the next solve gives the same answer after as many rounds."""
    session = session_of(case.portfolio, case.futures, case.demand, Wishes())
    session.solve()
    twin, travelled = session.twin(), pickle.loads(pickle.dumps(session)).twin()
    assert travelled.engine is not session.engine
    one, other = (found.solve().solution for found in (twin, travelled))
    assert (one.objective, one.bound, one.iterations) == (other.objective, other.bound, other.iterations)


def test_other_versions_are_refused(started: Started) -> None:
    """A cluster of another Ray cannot be used, and it says which it is."""
    done = subprocess.run([sys.executable, "-c", OLD, started.address], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert re.search(r"error: the Ray cluster at ray://\S+ cannot be used: .*2\.1\.0", done.stderr), done.stderr


OLD = """
import sys, ray
ray.__version__ = "2.1.0"
from acreage.cli.main import guarded
from acreage.crew.choose import crew_of
sys.exit(guarded(lambda: crew_of(sys.argv[1], print)))
"""


def test_a_node_that_dies_changes_nothing(started: Started, crew: Crew) -> None:
    """What it was doing is done by the others."""
    results = crew.map(chores.slow_product, crew.keep(3), range(24))
    found = [next(results)]
    started.cluster.remove_node(started.others.pop(), allow_graceful=False)
    assert [*found, *results] == [3 * n for n in range(24)]
    assert not said


def test_a_cluster_that_dies_is_lost_and_this_process_goes_on(started: Started, crew: Crew) -> None:
    """Last of all. What is there is kept, the rest is done here, and somebody says so; without a steadfast crew, it
    is an error that says what happened.
    """
    counted: list[int] = []

    def tell(done: int, total: int) -> None:
        counted.append(done)

    results = crew.map(chores.slow_product, crew.keep(5), range(12), tell=tell)
    found = [next(results)]
    started.cluster.shutdown()
    assert [*found, *results] == [5 * n for n in range(12)]
    assert counted == list(range(1, 13))
    assert len(said) == 1
    assert "going on with this machine alone" in said[0]
    with pytest.raises(ClusterLost, match="went away"):
        RayCrew("ray://gone:1", None).keep(1)
    assert list(crew.map(chores.product, crew.keep(5), [1, 2])) == [5, 10]
    assert isinstance(crew, SteadfastCrew)
    assert crew.workers == HERE.workers


ALONE = """
import sys
from acreage.crew.choose import crew_of
crew = crew_of("ray", print)
from acreage.crew.ray.worker import versions
found = list(crew.map(versions, crew.keep(None), [["numpy"]] * 5))
assert found == [versions(None, ["numpy"])] * 5, found
crew.close()
print(crew._away._head.process.poll(), crew._away._head.folder.name)
"""


def test_a_cluster_of_this_machine_leaves_nothing_behind(tmp_path: Path) -> None:
    """It is started, works, and goes with its process and its files; nothing is written into anybody's home."""
    env = {**os.environ, "HOME": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)}
    for name in [name for name in env if name.startswith("RAY_")]:
        del env[name]
    done = subprocess.run([sys.executable, "-c", ALONE], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    code, folder = done.stdout.split()
    assert code == "0"
    assert not Path(folder).exists()
    assert not list(tmp_path.iterdir())
