"""`acreage plan --evaluate` as a user meets it: on the screen, in the page, in plan.json, or not at all."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from acreage.cli.commands.plan import plan
from acreage.report.plan_json import plan_schema
from tests.cli.test_commands import run

QUICK = ("--no-explain", "--futures", "3", "--format", "csv")
ASKED = ("--evaluate", "--evaluate-futures", "6", "--foresight", "2", "--replications", "2")
WAYS = ["plan", "mean_future", "no_surprise", "cheapest_first", "incumbent", "no_new_lease"]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the starter portfolio and a plan of it, evaluated."""
    folder: Path = tmp_path_factory.mktemp("evaluated")
    assert run("init", "lab", cwd=folder).returncode == 0
    done = run("plan", "lab/portfolio.yaml", *QUICK, *ASKED, "--out", "a", cwd=folder)
    assert done.returncode == 0, done.stderr
    (folder / "screen.txt").write_text(done.stdout, encoding="utf-8")
    return folder


def test_the_screen_says_whether_the_plan_is_a_gain(lab: Path) -> None:
    """Every way to plan has a line in both tables, and a sentence with gain or no gain."""
    screen = (lab / "screen.txt").read_text()
    assert "OUT OF SAMPLE: 6 fresh futures (seed 1)" in screen
    for name in ("mean future", "no surprise", "cheapest first", "incumbent only", "no new lease"):
        assert f"Gain over {name}" in screen or f"No gain over {name}" in screen
    assert "Knowing the future would have saved" in screen
    assert "with 95 %" in screen


def test_the_document_holds_it_by_its_schema(lab: Path) -> None:
    """plan.json validates with the evaluation in it, and the plan is no worse than itself."""
    document = json.loads((lab / "a" / "plan.json").read_text())
    jsonschema.Draft202012Validator(json.loads(plan_schema())).validate(document)
    evaluation = document["evaluation"]
    assert [trial["way"] for trial in evaluation["trials"]] == WAYS
    assert evaluation["trials"][0]["breaks"] == []
    assert set(evaluation["trials"][0]["against_plan"]["cvar_usd"].values()) == {0.0}
    assert evaluation["sample_gap"]["replications"] == 2
    assert evaluation["foresight"]["futures"] == 2


def test_the_page_has_a_section_with_a_figure(lab: Path) -> None:
    """The figure and its table stand in the report; without --evaluate there is none."""
    page = (lab / "a" / "report.html").read_text(encoding="utf-8")
    assert 'id="evaluation"' in page
    assert 'id="out-of-sample"' in page
    done = run("plan", "lab/portfolio.yaml", *QUICK, "--out", "plain", cwd=lab)
    assert done.returncode == 0, done.stderr
    assert 'id="evaluation"' not in (lab / "plain" / "report.html").read_text(encoding="utf-8")
    assert "evaluation" not in json.loads((lab / "plain" / "plan.json").read_text())


def test_the_same_seed_gives_the_same_figures_and_another_one_others(lab: Path) -> None:
    """Fresh futures are drawn from their own seed; the plan does not depend on it."""
    first = json.loads((lab / "a" / "plan.json").read_text())
    less = (*QUICK, "--evaluate", "--evaluate-futures", "6", "--foresight", "0", "-o", "json")
    same = json.loads(run("plan", "lab/portfolio.yaml", *less, "--out", "b", cwd=lab).stdout)
    other = json.loads(run("plan", "lab/portfolio.yaml", *less, "--evaluate-seed", "2", "--out", "c", cwd=lab).stdout)
    scores = [[t["scores"] for t in d["evaluation"]["trials"]] for d in (first, same, other)]
    assert scores[0] == scores[1]
    assert scores[0] != scores[2]
    assert first["decision"] == other["decision"]
    assert same["evaluation"]["foresight"] is None
    assert same["evaluation"]["sample_gap"] is None


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--evaluate-futures", "9"), "nothing is to be evaluated"),
        (("--evaluate", "--replications", "1"), "--replications 1 gives no interval"),
        (("--evaluate", "--foresight", "1"), "--foresight 1 gives no interval"),
        (("--evaluate", "--evaluate-futures", "1"), "--evaluate-futures"),
    ],
)
def test_what_gives_no_answer_is_refused_before_any_work(lab: Path, options: tuple[str, ...], says: str) -> None:
    """One line that says what and how to fix it; exit code 2, nothing written."""
    done = run("plan", "lab/portfolio.yaml", *QUICK, *options, "--out", "no", cwd=lab)
    assert done.returncode == 2
    assert says in done.stderr
    assert "solving" not in done.stderr
    assert not (lab / "no").exists()


def test_interrupted_it_leaves_nothing_half_written(lab: Path) -> None:
    """Ctrl-C while fresh futures are played: exit code 130, no folder, no temporary files."""
    before = sorted(lab.iterdir())
    code = "from acreage.cli.main import main; main()"
    asked = ("plan", "lab/portfolio.yaml", *QUICK, "--evaluate", "--evaluate-futures", "2000", "--out", "cut")
    with subprocess.Popen([sys.executable, "-c", code, *asked], cwd=lab, stderr=subprocess.PIPE, text=True) as running:
        assert running.stderr is not None
        for line in running.stderr:
            if line.startswith("playing plans in fresh futures"):
                running.send_signal(signal.SIGINT)
                break
        rest = running.stderr.read()
    assert running.returncode == 130
    assert "interrupted" in rest
    assert sorted(lab.iterdir()) == before


def test_the_commands_of_its_page_are_commands() -> None:
    """Every line of docs/how-to/evaluate-a-plan.md that is to be typed is understood, and its example is there."""
    root = Path(__file__).parents[2]
    lines = (root / "docs" / "how-to" / "evaluate-a-plan.md").read_text(encoding="utf-8").splitlines()
    typed = [line.split() for line in lines if line.startswith("acreage plan ")]
    assert len(typed) == 2
    for _, name, portfolio, *options in typed:
        assert (root / portfolio).is_file()
        asked = plan.make_context(name, [portfolio, *options]).params
        assert asked["evaluate"]
        assert asked["no_explain"]
