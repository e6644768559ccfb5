"""`acreage backtest` as a user meets it: on the screen, as a document, as a page, interrupted, or refused."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from acreage.cli.commands.backtest import backtest
from tests.cli.test_commands import run

QUICK = ("backtest", "lab/portfolio.yaml", "--months", "3", "--futures", "3")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the starter portfolio, lived through on two paths."""
    folder: Path = tmp_path_factory.mktemp("backtested")
    assert run("init", "lab", cwd=folder).returncode == 0
    done = run(*QUICK, "--paths", "2", "--out", "told", cwd=folder)
    assert done.returncode == 0, done.stderr
    (folder / "screen.txt").write_text(done.stdout, encoding="utf-8")
    return folder


def test_the_screen_tells_every_decision_and_what_it_lost(lab: Path) -> None:
    """Each path has its days, each day what was done, what it cost and lost; then what others cost more."""
    screen = (lab / "screen.txt").read_text(encoding="utf-8")
    assert "3 planning days, 2 of 2 paths (seed 1), 3 futures a plan" in " ".join(screen.split())
    for word in ("path-1", "path-2", "hindsight cost", "planned once", "mean future", "no new lease", "foresight"):
        assert word in screen
    assert "report: told/report.html" in screen


def test_the_document_adds_up(lab: Path) -> None:
    """Months' regrets sum to the path's, and what each month paid to its cost; two paths give an interval."""
    told = json.loads((lab / "told" / "backtest.json").read_text())
    assert told["is_finished"] is True
    for path in told["paths"]:
        steps = path["steps"]
        assert [step["at"] for step in steps] == told["dates"]
        assert sum(step["paid_usd"] for step in steps) == pytest.approx(path["rolling_usd"])
        assert sum(s["regret_usd"]["found"] for s in steps) == pytest.approx(path["regret_usd"]["found"], abs=0.01)
        assert path["findings"] == []
        assert path["foresight_usd"]["low"] <= path["rolling_usd"]
    regret = told["means"]["regret_usd"]
    assert regret["low"] <= regret["found"] <= regret["high"]


def test_the_page_opens_offline(lab: Path) -> None:
    """It has the months, the others and every decision, and asks for nothing."""
    page = (lab / "told" / "report.html").read_text(encoding="utf-8")
    for section in ("says", "months", "others", "paths", "path-0", "path-1", "method"):
        assert f'<section id="{section}">' in page
    assert "src=" not in page
    assert "nan" not in page.split("<body>")[1].split("<script>")[0].lower().replace("finan", "")


def test_the_same_seed_lives_the_same_life(lab: Path) -> None:
    """And another another; one path has no interval."""
    less = (*QUICK, "--no-spreadsheets", "-o", "json")
    seeds: tuple[tuple[str, ...], ...] = ((), ("--path", "1"), ("--path", "2"))
    first, same, other = (json.loads(run(*less, *seed, cwd=lab).stdout) for seed in seeds)
    for one in (first, same, other):
        del one["seconds"]
    assert first == same
    assert first["paths"][0]["steps"] != other["paths"][0]["steps"]
    assert first["means"]["regret_usd"]["low"] is None
    told = json.loads((lab / "told" / "backtest.json").read_text())
    assert first["paths"][0]["rolling_usd"] == told["paths"][0]["rolling_usd"]


def test_a_history_is_lived_through(lab: Path) -> None:
    """What the file says happens, and after its end nothing does, which is said."""
    (lab / "seen.csv").write_text(
        "what,name,from,until,value\noutage,HOLDER,2027-01-10,2027-01-20,1.0\n".replace("HOLDER", _provider(lab)),
        encoding="utf-8",
    )
    done = run(*QUICK, "--history", "seen.csv", "--no-spreadsheets", cwd=lab)
    assert done.returncode == 0, done.stderr
    assert "history seen.csv" in done.stdout


def _provider(lab: Path) -> str:
    lines = (lab / "lab" / "portfolio.yaml").read_text(encoding="utf-8").splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("providers:"))
    return next(line.split("id:")[1].strip() for line in lines[at:] if "- id:" in line)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--months", "200"), "200 months reach to"),
        (("--every", "monthly"), "'monthly' is no step; write 1m"),
        (("--every", "0m"), "'0m' is no step"),
        (("--history", "none.csv"), "none.csv: cannot read it"),
        (("--history", "none.csv", "--path", "3"), "a history is one path and is not drawn"),
        (("--futures", "-1"), "--futures"),
        (("--paths", "0"), "--paths"),
        (("--gap", "0"), "--gap"),
        (("--out", "lab/portfolio.yaml"), "is not a folder"),
    ],
)
def test_what_cannot_be_done_is_refused_before_any_work(lab: Path, options: tuple[str, ...], says: str) -> None:
    """One line that says what and how to fix it; exit code 2, nothing written."""
    before = sorted(lab.iterdir())
    done = run("backtest", "lab/portfolio.yaml", "--out", "no", *options, cwd=lab)
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert "the first plan" not in done.stderr
    assert sorted(lab.iterdir()) == before


def test_interrupted_it_tells_what_is_done_so_far(lab: Path) -> None:
    """Ctrl-C in the second path: the first is told whole, the second as far as it came, marked as unfinished."""
    code = "from acreage.cli.main import main; main()"
    asked = (*QUICK, "--paths", "50", "--no-spreadsheets", "--out", "cut", "-o", "json")
    with subprocess.Popen(
        [sys.executable, "-c", code, *asked], cwd=lab, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as running:
        assert running.stderr is not None
        assert running.stdout is not None
        days = 0
        for line in running.stderr:
            days += line.startswith("path-2")
            if days == 2:
                running.send_signal(signal.SIGINT)
                break
        told = json.loads(running.stdout.read())
        rest = running.stderr.read()
    assert running.returncode == 130
    assert "interrupted" in rest
    assert told["is_finished"] is False
    assert told["paths_asked"] == 50
    assert told["paths_finished"] >= 1
    assert told["paths"][0]["is_finished"] is True
    assert "interrupted" in told["notes"][0]
    assert (lab / "cut" / "report.html").is_file()


def test_the_commands_of_its_page_are_commands() -> None:
    """Every line of docs/how-to/backtest.md that is to be typed is understood, and its files are there."""
    root = Path(__file__).parents[2]
    lines = (root / "docs" / "how-to" / "backtest.md").read_text(encoding="utf-8").splitlines()
    typed = [line.split() for line in lines if line.startswith("acreage backtest ")]
    assert len(typed) >= 3
    for _, name, portfolio, *options in typed:
        assert (root / portfolio).is_file()
        asked = backtest.make_context(name, [portfolio, *options]).params
        assert asked["history"] is None or (root / asked["history"]).is_file()
