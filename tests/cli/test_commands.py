"""The command line as a user meets it: one clear error with its place, exit codes, nothing half-written."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from acreage.cli.main import COMMANDS

HEAVY = ("polars", "numpy", "scipy", "highspy", "altair", "msgspec", "yaml", "rich", "jinja2")


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run `acreage` as a program."""
    code = "from acreage.cli.main import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=cwd, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the starter portfolio and its plan, explained."""
    folder: Path = tmp_path_factory.mktemp("lab")
    assert run("init", "my-lab", cwd=folder).returncode == 0
    done = run("plan", "my-lab/portfolio.yaml", "--futures", "4", "--format", "csv", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "SIGN" in done.stdout
    assert "report: plans/my-lab/report.html" in done.stdout
    return folder


@pytest.mark.parametrize("name", [*COMMANDS, ""])
def test_help_imports_nothing_heavy(name: str, tmp_path: Path) -> None:
    """--help answers without a solver, frames or charts in memory."""
    code = (
        "import sys\nfrom acreage.cli.main import guarded, acreage\n"
        f"code = guarded(lambda: acreage.main({[*([name] if name else []), '--help']!r}, standalone_mode=False))\n"
        f"heavy = [m for m in {HEAVY!r} if m in sys.modules]\nassert not heavy, heavy\nsys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Usage" in done.stdout


def test_every_output_is_written(lab: Path) -> None:
    """The plan's folder holds the page, the document, the tables and what was asked to be exported."""
    plan = lab / "plans" / "my-lab"
    for name in ("report.html", "plan.json", "state.json", "futures.json.gz", "portfolio.yaml", "export/signings.csv"):
        assert (plan / name).is_file(), name
    assert json.loads((plan / "plan.json").read_text())["offers"]


def test_a_plan_is_audited_explained_and_compared(lab: Path) -> None:
    """Companions find the newest plan by themselves; explanations name prices and figures."""
    assert "passed" in run("audit", cwd=lab).stdout
    offers = json.loads((lab / "plans/my-lab/plan.json").read_text())["offers"]
    for offer in offers:
        done = run("explain", offer["offer"], cwd=lab)
        assert done.returncode == 0, done.stderr
        assert f"${offer['asked_usd_per_accelerator_hour']:,.2f}" in done.stdout
    same = run("compare", "plans/my-lab", "plans/my-lab", cwd=lab)
    assert "both sign the same" in same.stdout
    without = run("compare", "--without", "northfield", "-o", "json", cwd=lab)
    assert without.returncode == 0, without.stderr
    assert any("without" in name for name in json.loads(without.stdout))


def test_what_is_asked_as_json_is_json(lab: Path) -> None:
    """Nothing else reaches standard output."""
    done = run("plan", "my-lab/portfolio.yaml", "--no-explain", "--futures", "2", "-o", "json", "--out", "q", cwd=lab)
    assert json.loads(done.stdout)["portfolio"] == "my-lab"
    assert json.loads(run("explain", "northfield", "-o", "json", cwd=lab).stdout)["title"] == "provider northfield"
    assert json.loads(run("audit", "q", "-o", "json", cwd=lab).stdout)["passed"] is True


def test_an_altered_plan_fails_its_audit(lab: Path) -> None:
    """A figure changed by hand is found; exit code 1."""
    run("plan", "my-lab/portfolio.yaml", "--no-explain", "--futures", "2", "--out", "altered", cwd=lab)
    state = lab / "altered" / "state.json"
    content = json.loads(state.read_text())
    content["figures"]["best"]["expected_usd"] += 1_000.0
    state.write_text(json.dumps(content))
    done = run("audit", "altered", cwd=lab)
    assert done.returncode == 1
    assert "expected" in done.stdout


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("B200", "B2000"), ("B2000", "B200")),
        (("price: 4.30 USD", "price: 0 USD"), ("price", "portfolio.yaml:")),
        (("price: 4.30 USD", "price: .nan USD"), ("price", "portfolio.yaml:")),
        (("workloads:", "workloads: 3\nother:"), ("portfolio.yaml:",)),
    ],
    ids=["unknown chip", "price of zero", "not a number", "wrong type"],
)
def test_bad_input_is_one_error_with_its_place(
    lab: Path, tmp_path: Path, change: tuple[str, str], words: tuple[str, ...]
) -> None:
    """File, line and column, what is wrong; exit code 2; nothing written; no traceback."""
    text = (lab / "my-lab/portfolio.yaml").read_text()
    assert change[0] in text
    (tmp_path / "portfolio.yaml").write_text(text.replace(*change))
    done = run("plan", "portfolio.yaml", cwd=tmp_path)
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["portfolio.yaml"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("plan", "nowhere.yaml"),
        ("plan", "."),
        ("explain", "nothing"),
        ("audit", "nowhere"),
        ("compare", "a", "b"),
        ("plna",),
        ("plan",),
        ("plan", "binary.yaml"),
        ("plan", "empty.yaml"),
        ("plan", "bomb.yaml"),
    ],
    ids=" ".join,
)
def test_what_cannot_be_done_is_said_in_one_message(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """Missing, unreadable and hostile files, and words that are no command."""
    (tmp_path / "binary.yaml").write_bytes(bytes(range(256)))
    (tmp_path / "empty.yaml").write_text("")
    layers = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    layers += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12)]
    (tmp_path / "bomb.yaml").write_text("\n".join(layers))
    before = sorted(p.name for p in tmp_path.iterdir())
    done = run(*arguments, cwd=tmp_path)
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert done.stderr.lower().count("error") == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == before


def test_a_folder_of_someone_else_is_left_alone(lab: Path) -> None:
    """--out on a folder that is no plan is refused before any work."""
    (lab / "mine").mkdir()
    (lab / "mine" / "thesis.txt").write_text("precious")
    done = run("plan", "my-lab/portfolio.yaml", "--out", "mine", cwd=lab)
    assert done.returncode == 2
    assert "not a plan" in done.stderr
    assert (lab / "mine" / "thesis.txt").read_text() == "precious"


def test_a_changed_price_changes_the_decision_and_explain_says_why(lab: Path, tmp_path: Path) -> None:
    """Above its walk-away price a signed offer leaves the plan."""
    document = json.loads((lab / "plans/my-lab/plan.json").read_text())
    signed = next(o for o in document["offers"] if o["signed"] and o["walk_away_usd_per_accelerator_hour"])
    asked = signed["asked_usd_per_accelerator_hour"]
    dear = 1.1 * signed["walk_away_usd_per_accelerator_hour"]["high"]
    text = (lab / "my-lab/portfolio.yaml").read_text()
    before, after = text.split(f"id: {signed['offer']}", 1)
    after = after.replace(f"price: {asked:.2f} USD", f"price: {dear:.2f} USD", 1)
    (tmp_path / "portfolio.yaml").write_text(f"{before}id: {signed['offer']}{after}")
    done = run("plan", "portfolio.yaml", "--futures", "4", "--out", "dear", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    changed = json.loads((tmp_path / "dear/plan.json").read_text())["offers"]
    assert next(o for o in changed if o["offer"] == signed["offer"])["signed"] is False
    assert "do not sign" in run("explain", signed["offer"], "--plan", "dear", cwd=tmp_path).stdout
