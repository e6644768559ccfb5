"""`acreage simulate market`: the commands of its how-to, documents, errors; nothing is written where it fails."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from acreage.cli.main import acreage, guarded

ROOT = Path(__file__).parents[2]
HOW_TO = ROOT / "docs" / "how-to" / "simulate-a-market.md"
WORLD = "examples/market/world.yaml"
SHORT = f"acreage simulate market {WORLD} --years 1 --replications 2"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder with the examples in it."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(command: str) -> int:
    """Run a command line as the shell would, in this process; returns its exit code."""
    args = shlex.split(command.removeprefix("acreage "))
    return guarded(lambda: acreage.main(args=args, standalone_mode=False))


def test_the_commands_of_the_how_to_run(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every command of the page, over one year and two replications instead of what it says."""
    commands = [
        re.sub(r" --(years|replications) \d+", "", line)
        for block in re.findall(r"```sh\n(.*?)```", HOW_TO.read_text(encoding="utf-8"), re.DOTALL)
        for line in block.replace("\\\n", " ").splitlines()
        if line.startswith("acreage simulate")
    ]
    assert len(commands) >= 3
    for command in commands:
        assert run(f"{command} --years 1 --replications 2") == 0, command
    assert "passed their audit" in capsys.readouterr().out


def test_the_folder_holds_the_page_the_document_and_the_series(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The page needs no network and names every lab, cloud and change."""
    assert run(f"{SHORT} --change open-spare:northwind --out story") == 0
    page = (here / "story" / "report.html").read_text(encoding="utf-8")
    assert not re.search(r"(src|href)=[\"']https?:", page)
    assert all(name in page for name in ("birch", "northwind", "open-spare:northwind", "passed their audit"))
    document = json.loads((here / "story" / "market.json").read_text(encoding="utf-8"))
    assert [change["name"] for change in document["changes"]] == ["open-spare:northwind"]
    series = pl.read_csv(here / "story" / "series.csv")
    assert set(series["world"]) == {"base", "open-spare:northwind"}
    assert set(series["tick"]) == {0, 1, 2, 3}


def test_json_is_the_same_for_the_same_seed_and_differs_for_another(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Standard output is one document."""
    texts = []
    for seed in (3, 3, 4):
        assert run(f"{SHORT} --seed {seed} -o json") == 0
        texts.append(capsys.readouterr().out)
    assert texts[0] == texts[1] != texts[2]
    assert json.loads(texts[0])["replications"] == 2


def test_a_single_replication_has_no_intervals(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is said of what cannot be known, on the page neither."""
    assert run(f"acreage simulate market {WORLD} --years 1 --replications 1 --out one") == 0
    assert "±" not in capsys.readouterr().out
    assert "NaN" not in (here / "one" / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (f"{SHORT} --change late-chip:GB300:x --out x", "how late"),
        (f"{SHORT} --change multi-vendor:oak --out x", "known are aspen, birch"),
        ("acreage simulate market none.yaml --out x", "no such file"),
        (f"{SHORT} --years 0", "0 is not in the range"),
        (f"{SHORT} --out examples/market/world.yaml", "is not a folder"),
    ],
)
def test_a_mistake_ends_with_code_2_and_writes_nothing(
    command: str, said: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line that says what is wrong."""
    assert run(command) == 2
    assert said in capsys.readouterr().err
    assert not (here / "x").exists()


def test_help_imports_nothing_heavy() -> None:
    """`--help` answers at once."""
    check = (
        "import sys; from acreage.cli.main import acreage\n"
        "try: acreage.main(['simulate', 'market', '--help'])\n"
        "except SystemExit: pass\n"
        "print(sorted({'polars', 'numpy', 'rich', 'altair', 'scipy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True, cwd=ROOT / "src")
    assert done.stdout.strip().endswith("[]")
    assert "late-chip:CHIP:QUARTERS" in done.stdout
