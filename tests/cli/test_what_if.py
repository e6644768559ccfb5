"""`acreage plan --what-if` as a user meets it: on the screen, in the page, in plan.json, interrupted, or refused."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from acreage.cli.commands.plan import plan
from acreage.cli.what_if import KINDS
from acreage.flow.bulk import EVERYTHING, kinds_of
from acreage.report.plan_json import plan_schema
from acreage.units.errors import InputError
from tests.cli.test_commands import run

QUICK = ("--no-explain", "--futures", "2", "--format", "csv")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the starter portfolio and a plan of it, asked for two kinds."""
    folder: Path = tmp_path_factory.mktemp("asked")
    assert run("init", "lab", cwd=folder).returncode == 0
    asked = ("--what-if", "frontier", "--what-if", "concentration", "--what-if", "waiting")
    done = run("plan", "lab/portfolio.yaml", *QUICK, *asked, "--out", "a", cwd=folder)
    assert done.returncode == 0, done.stderr
    (folder / "screen.txt").write_text(done.stdout, encoding="utf-8")
    return folder


def test_the_screen_and_the_page_answer(lab: Path) -> None:
    """A table a kind on the screen; a section with charts in the page, after those of the plan."""
    screen, page = (lab / "screen.txt").read_text(), (lab / "a" / "report.html").read_text(encoding="utf-8")
    for words in ("WHAT IF: frontier, concentration, waiting", "EXPECTED COST AGAINST RISK", "WAITING A QUARTER"):
        assert words in screen
    assert 'id="what-if"' in page
    assert 'id="frontier"' in page
    assert 'id="concentration"' in page


def test_the_document_holds_it_by_its_schema(lab: Path) -> None:
    """plan.json validates with the answers in it; the portfolio's own weight of risk is among the points."""
    document = json.loads((lab / "a" / "plan.json").read_text())
    jsonschema.Draft202012Validator(json.loads(plan_schema())).validate(document)
    asked = document["what_if"]
    assert asked["kinds"] == ["frontier", "concentration", "waiting"]
    own = [point for point in asked["frontier"] if point["is_plan"]]
    assert len(own) == 1
    assert own[0]["objective_usd"]["found"] == pytest.approx(document["figures"]["objective_usd"], rel=1e-4)
    assert asked["sensitivities"] == []
    assert asked["unanswered"] == []


def test_without_the_option_there_is_nothing_of_it(lab: Path) -> None:
    """Neither in the page nor in plan.json."""
    assert run("plan", "lab/portfolio.yaml", *QUICK, "--out", "plain", cwd=lab).returncode == 0
    assert 'id="what-if"' not in (lab / "plain" / "report.html").read_text(encoding="utf-8")
    assert "what_if" not in json.loads((lab / "plain" / "plan.json").read_text())


def test_an_unknown_kind_is_refused_before_any_work(lab: Path) -> None:
    """Exit code 2, the kinds there are, nothing written; the same for programs."""
    done = run("plan", "lab/portfolio.yaml", "--what-if", "weather", "--out", "no", cwd=lab)
    assert done.returncode == 2
    assert "frontier" in done.stderr
    assert not (lab / "no").exists()
    with pytest.raises(InputError, match="no what-if 'weather'"):
        kinds_of(("weather",))
    assert {str(kind) for kind in kinds_of((EVERYTHING,))} | {EVERYTHING} == set(KINDS)


def test_interrupted_it_keeps_the_plan_and_what_is_answered(lab: Path) -> None:
    """Ctrl-C during the questions: exit code 0, the plan is there and names what was not answered."""
    code = "from acreage.cli.main import main; main()"
    many = ("--no-explain", "--futures", "12", "--format", "csv")
    asked = ("plan", "lab/portfolio.yaml", *many, "--what-if", "all", "--out", "cut")
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", code, *asked], cwd=lab, **silent) as running:
        assert running.stderr is not None
        for line in running.stderr:
            if line.startswith("what if: "):
                running.send_signal(signal.SIGINT)
                break
        running.stderr.read()
    assert running.returncode == 0
    document = json.loads((lab / "cut" / "plan.json").read_text())
    assert document["what_if"]["unanswered"]


def test_the_commands_of_its_page_are_commands() -> None:
    """Every line of docs/how-to/what-if.md that is to be typed is understood, and its example is there."""
    root = Path(__file__).parents[2]
    lines = (root / "docs" / "how-to" / "what-if.md").read_text(encoding="utf-8").splitlines()
    typed = [line.split() for line in lines if line.startswith("acreage plan ")]
    assert typed
    for _, name, portfolio, *options in typed:
        assert (root / portfolio).is_file()
        assert plan.make_context(name, [portfolio, *options]).params["what_if"]
