"""The ledger's commands: the tour of the documentation, what is written and what is not, errors and JSON."""

import json
import re
import shlex
import subprocess
import sys
from importlib import resources
from pathlib import Path
from typing import Any

import fastexcel
import jsonschema
import polars as pl
import pytest

from acreage.cli.main import acreage, guarded
from acreage.flow.books_columns import books_schema
from acreage.ledger.focus.reading import read_focus
from acreage.ledger.focus.validate import faults

ROOT = Path(__file__).parents[2]
TOUR = ROOT / "docs" / "how-to" / "keep-the-books.md"
LEASE = "basalt-1y-2031-01-01"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder with the examples in it, and books.db as the books."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ACREAGE_LEDGER", "books.db")
    return tmp_path


def run(command: str) -> int:
    """Run a command line as the shell would, in this process; returns its exit code."""
    args = shlex.split(command.removeprefix("acreage "))
    return guarded(lambda: acreage.main(args=args, standalone_mode=False))


def asked(command: str, capsys: pytest.CaptureFixture[str]) -> Any:
    """What a command prints as JSON."""
    capsys.readouterr()
    assert run(f"{command} -o json") == 0
    return json.loads(capsys.readouterr().out)


def tour_until(word: str = "") -> list[tuple[str, int]]:
    """The commands of the tour with the exit code each must have, up to the first that contains a word."""
    found = []
    for block in re.finditer(r"(<!-- refused -->\n)?```sh\n(.*?)```", TOUR.read_text(encoding="utf-8"), re.DOTALL):
        for line in block[2].splitlines():
            if word and word in line:
                return found
            if line.startswith("acreage "):
                found.append((line, 2 if block[1] else 0))
    return found


def take_tour(word: str = "") -> None:
    """Run the tour up to a command."""
    for line, code in tour_until(word):
        assert run(line) == code, line


def test_the_tour_finds_the_three_planted_errors_and_says_what_the_page_says(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every command of the page works as it stands, and its outputs are those printed there."""
    take_tour()
    printed = capsys.readouterr()
    page = TOUR.read_text(encoding="utf-8")
    expected = re.search(r"```\n(findings:\n.*?)```", page, re.DOTALL)
    assert expected is not None
    assert [line.split() for line in expected[1].splitlines()] == [
        line.split() for line in printed.out[printed.out.index("findings:") :].splitlines()[: expected[1].count("\n")]
    ]
    refused = re.search(r"error: hold \S+ was refused: (.*)", page)
    assert refused is not None
    assert refused[1] in printed.err
    assert "flaws: none" in printed.out
    header = pl.read_csv(here / "out" / "focus-1.0.csv", infer_schema=False).columns
    assert faults(read_focus(here / "out" / "focus-1.0.csv").select(header), "1.0") == []
    assert len(pl.read_csv(here / "out" / "commitments.csv")) == 1
    bean = subprocess.run(
        [str(Path(sys.executable).with_name("bean-check")), "out/books.beancount"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert bean.stdout + bean.stderr == ""
    assert {"leases", "deliveries", "holds", "match", "findings", "facts"} <= set(
        fastexcel.read_excel(here / "out" / "books.xlsx").sheet_names
    )


def test_the_tour_again_changes_nothing(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Files imported again and keys used again leave the books as they were."""
    take_tour("acreage invoice match")
    before = asked("ledger facts --last 0", capsys)["facts"]
    for line, _ in tour_until("acreage invoice match"):
        if any(word in line for word in ("tranche", "import")) and "tranche-2 " not in line:
            assert run(line) == 0, line
    after = asked("ledger facts --last 0", capsys)["facts"]
    assert [f["id"] for f in after if f["kind"] != "anchored"] == [f["id"] for f in before if f["kind"] != "anchored"]


def test_a_plan_takes_what_is_held_from_the_books(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The signed lease is held and its offer gone, and the plan audits from its own folder."""
    take_tour("--key tranche-2-late")
    capsys.readouterr()
    assert run("plan examples/books/portfolio.yaml --ledger books.db --no-explain --out again -o json") == 0
    plan = json.loads(capsys.readouterr().out)
    assert "basalt-1y" not in json.dumps(plan["decision"])
    kept = json.loads((here / "again" / "held.json").read_text())
    assert [lease["id"] for lease in kept["leases"]] == [LEASE]
    assert run("audit again") == 0


def test_what_is_only_looked_at_is_not_written(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--dry-run shows the numbered plan and leaves no file where there was none, no fact where there were books."""
    run("lease template")
    (here / "c.yaml").write_text(capsys.readouterr().out)
    assert run("lease propose c.yaml --dry-run") == 0
    assert "2. lease proposed basalt-2027" in capsys.readouterr().out
    assert not (here / "books.db").exists()
    assert run("lease propose c.yaml --yes") == 0
    before = asked("ledger facts", capsys)
    for line in ("lease sign basalt-2027", "lease cancel basalt-2027", "invoice pay basalt --usd 12.50"):
        assert run(f"{line} --dry-run") == 0
    assert asked("ledger facts", capsys) == before


def test_without_a_terminal_a_change_must_say_yes(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody can be asked: exit code 2, nothing written."""
    assert run("invoice pay basalt --usd 1 --ledger new.db") == 2
    assert run("lease propose examples/books/portfolio.yaml --yes") == 2
    run("lease template")
    (here / "c.yaml").write_text(capsys.readouterr().out)
    assert run("lease propose c.yaml") == 2
    assert "add --yes" in capsys.readouterr().err


def test_every_json_answer_keeps_to_the_published_schema(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Reading and changing commands alike; the published file is the one made from the columns."""
    published = json.loads(resources.files("acreage.flow").joinpath("books.schema.json").read_text(encoding="utf-8"))
    assert published == books_schema()
    take_tour("acreage ledger verify")
    held = asked("hold list", capsys)["holds"]
    commands = [
        "lease list",
        f"lease show {LEASE}",
        "hold list --active --as-of 2031-02-10",
        f"hold show {held[3]['id']}",
        f"hold release {held[0]['id']} --yes",
        "hold place --pool basalt-h100 --accelerators 1 --from 2031-11-01 --for 2d --holder x --timeout 15m --yes",
        "commitment list",
        "invoice match --as-of 2031-04-01",
        "invoice import examples/books/usage-2031-q1.csv --as usage --yes",
        "ledger status",
        "ledger asof 2031-03-01",
        "ledger balance",
        "ledger facts",
        "ledger verify",
        f"lease cancel {LEASE} --at 2031-06-01 --dry-run",
        f"lease cancel {LEASE} --at 2031-06-01 --yes",
    ]
    for command in commands:
        answer = asked(command, capsys)
        jsonschema.validate(answer, published)
        assert answer, command


def test_a_dispute_runs_its_course(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A charge is disputed, credited, retracted; the account follows."""
    take_tour("acreage invoice match")
    charge = next(
        f
        for f in asked("ledger facts --chain bill: --last 0", capsys)["facts"]
        if "acreage" in f["subject"] or f["subject"]
    )
    assert run(f"invoice dispute {charge['id']} --usd 700 --reason price --key d1 --yes") == 0
    (account,) = asked("ledger balance", capsys)["accounts"]
    assert account["disputed_usd"] == "700"
    assert run("invoice resolve d1 --credited-usd 700 --yes") == 0
    assert run("invoice pay basalt --usd 1000.50 --invoice i-1 --yes") == 0
    (account,) = asked("ledger balance", capsys)["accounts"]
    assert (account["disputed_usd"], account["paid_usd"]) == ("0", "1000.5")
    assert run(f"invoice dispute {charge['id']} --usd 99999999 --reason price --yes") == 2


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("lease list --ledger nowhere.db", "there are no books here"),
        ("lease show nobody", "no lease 'nobody'"),
        ("lease list --state Gone", "is no state of a lease"),
        ("lease list --as-of tomorrow", "'tomorrow' is not a date"),
        ("lease sign nobody --yes", "no lease 'nobody'"),
        (f"lease deliver {LEASE} --accelerators 4 --at 2031-01-01 --yes", "Proposed"),
        (f"lease deliver {LEASE} --yes", "add --accelerators N --at DATE"),
        ("hold place --pool p --accelerators 1 --from 2031-01-01 --for 3x --holder h --yes", "write for example 15m"),
        ("hold place --pool p --accelerators 1 --from 2020-01-01 --for 3d --holder h --yes", "in the past"),
        ("hold place --pool p --accelerators -1 --from 2031-01-01 --for 3d --holder h --yes", "accelerators is -1"),
        (
            "hold place --pool p --accelerators 1 --from 2031-01-01 --for 3d --holder h --yes",
            "nothing was ever delivered to a pool",
        ),
        ("hold place --pool p --accelerators 1 --from 2031-01-01 --holder h --yes", "give one of until and for"),
        ("hold place --file holds.csv --yes", "holds.csv:3: accelerators: 'ten' is not a whole number"),
        ("hold place --file bad.csv --yes", "unknown column 'chips'"),
        ("hold post nothing --yes", "no hold 'nothing'"),
        ("hold list --state gone", "is no state of a hold"),
        ("invoice import missing.csv --yes", "missing.csv"),
        ("invoice import holds.csv --yes", "no column BilledCost"),
        ("invoice match --month March", "is not a date"),
        ("invoice pay basalt --usd lots --yes", "'lots' is not an amount"),
        ("invoice assign x --lease y --yes", "no charge 'x'"),
        ("commitment show nothing", "no commitment 'nothing'"),
        ("ledger export --format focus-1.0 --out /proc/no/where.csv", "cannot be written"),
        ("ledger verify --ledger holds.csv", "no database of Acreage"),
        ("plan examples/books/portfolio.yaml --apply", "--ledger ADDRESS"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(
    here: Path, capsys: pytest.CaptureFixture[str], command: str, words: str
) -> None:
    """What is wrong and what would be right; the books stay as they were."""
    (here / "holds.csv").write_text(
        "pool,accelerators,from,for,holder\np,1,2031-01-01,3d,h\np,ten,2031-01-01,3d,h\n", encoding="utf-8"
    )
    (here / "bad.csv").write_text("pool,accelerators,from,holder,chips\n", encoding="utf-8")
    assert run("plan examples/books/portfolio.yaml --ledger books.db --apply --yes --no-explain") == 0
    before = asked("ledger facts", capsys)
    assert run(command) == 2
    printed = capsys.readouterr()
    assert words in printed.err
    assert "Traceback" not in printed.err
    assert asked("ledger facts", capsys) == before
