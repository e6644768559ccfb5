"""The commands of a venue: the tour of the documentation, JSON, dry runs, bad input."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from acreage.cli.main import acreage, guarded
from acreage.flow.books import open_books
from acreage.flow.books_columns import books_schema

ROOT = Path(__file__).parents[2]
TOUR = ROOT / "docs" / "how-to" / "trade-on-a-venue.md"
APRIL = "--product H100 --from 2031-04-01 --until 2031-04-15"
BID = f"venue post spring --owner cobalt --side buy --accelerators 48 {APRIL} --limit-usd 2.20 --id bid"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, and books in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ACREAGE_LEDGER", "venue.db")
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


def market() -> None:
    """A venue with an offer of 64 at 1.90."""
    assert run("venue open spring --yes") == 0
    assert run(f"venue deposit spring --owner atlas --accelerators 64 {APRIL} --yes") == 0
    ask = f"venue post spring --owner atlas --side sell --accelerators 64 {APRIL} --limit-usd 1.90 --id ask --yes"
    assert run(ask) == 0


def test_every_command_of_the_tour_works_and_prints_what_the_page_says(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Answers shown on the page are those given, errors too."""
    page = TOUR.read_text(encoding="utf-8")
    for block in re.finditer(r"(<!-- refused -->\n)?```sh\n(.*?)```(?:\n\n```\n(.*?)```)?", page, re.DOTALL):
        for line in block[2].splitlines():
            if line.startswith("acreage "):
                capsys.readouterr()
                assert run(line) == (2 if block[1] else 0), line
                printed = capsys.readouterr()
        if block[3] is not None:
            assert block[3].strip() in (printed.err if block[1] else printed.out)


def test_answers_follow_the_published_schema(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every listing of a venue in JSON."""
    market()
    commands = (
        BID.replace("post", "quote"),
        f"{BID} --dry-run",
        f"{BID} --yes",
        "venue list",
        "venue book spring --product H100",
        "venue trades spring --owner cobalt",
        "venue settle spring fill-1 --lease --yes",
        "venue audit spring",
        "venue cancel spring ask --owner atlas --yes",
    )
    for command in commands:
        answer = asked(command, capsys)
        jsonschema.validate(answer, books_schema())
        assert answer, command


def test_a_dry_run_says_what_would_be_matched_and_writes_nothing(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The plan names the money; the chain is as long as before."""
    market()
    chains = open_books().journal.chains()
    plan = asked(f"{BID} --dry-run", capsys)["plan"]
    assert "matched at once for 30643.2 USD" in plan[0]
    assert open_books().journal.chains() == chains


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("venue book summer", "no venue 'summer'"),
        ("venue open spring --yes", "open already"),
        ("venue open 'spr ing' --yes", "no name of a venue"),
        (BID.replace("spring", "summer") + " --yes", "no venue 'summer'"),
        (BID.replace("48", "0") + " --yes", "0 accelerators"),
        (BID.replace("2031-04-15", "2031-03-15") + " --yes", "not after its start"),
        (BID.replace("2031", "2021") + " --yes", "which is past"),
        (BID.replace("2.20", "-1") + " --yes", "zero or less"),
        (BID.replace("2.20", "much") + " --yes", "much"),
        (BID.replace("2.20", "1e400") + " --yes", "comes to more than"),
        (BID.replace("2.20", "nan") + " --yes", "nan"),
        (BID.replace("2.20", "0.0000001") + " --yes", "zero or less"),
        (BID.replace("48", str(10**30)) + " --yes", "more than 1,000,000,000 accelerators"),
        (BID.replace("--owner cobalt", "--owner ''") + " --yes", "owner has no name"),
        (BID.replace("buy", "sell") + " --yes", "has 0 of H100 free"),
        (BID + " --expires 2021-01-01 --yes", "expires"),
        ("venue cancel spring ask --owner cobalt --yes", "no standing order ask"),
        ("venue settle spring fill-7 --yes", "no fill fill-7"),
        ("venue settle spring fill-7 --lease --yes", "no fill fill-7"),
    ],
)
def test_mistakes_are_told_and_nothing_is_written(
    here: Path, capsys: pytest.CaptureFixture[str], command: str, words: str
) -> None:
    """One line on the error stream and exit code 2."""
    market()
    chains = open_books().journal.chains()
    capsys.readouterr()
    assert run(command) == 2
    printed = capsys.readouterr()
    assert words in printed.err
    assert open_books().journal.chains() == chains


def test_a_fill_in_a_pool_needs_its_chip_to_become_a_lease(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The product of a pool says nothing of the accelerator; nothing is half-done."""
    market_of = "basalt/us-east/h100"
    april = APRIL.replace("H100", market_of)
    assert run("venue open pools --yes") == 0
    assert run(f"venue deposit pools --owner atlas --accelerators 8 {april} --yes") == 0
    for owner, side in (("atlas", "sell"), ("cobalt", "buy")):
        assert run(f"venue post pools --owner {owner} --side {side} --accelerators 8 {april} --limit-usd 2 --yes") == 0
    capsys.readouterr()
    assert run("venue settle pools fill-1 --lease --yes") == 2
    assert "--accelerator" in capsys.readouterr().err
    done = asked("venue settle pools fill-1 --lease --accelerator H100 --yes", capsys)
    assert done["venue_trades"][0]["settled"] is True
    assert done["leases"][0] | {"id": "pools-fill-1", "state": "Proposed", "pool": market_of} == done["leases"][0]
