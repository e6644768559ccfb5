"""The auction's commands: the tour of the documentation, bad input with its place, the record and its audit."""

import json
import re
import shlex
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from acreage.cli.main import acreage, guarded
from acreage.market.auctions.validate import faults
from acreage.portfolio.auction_file import auction_document, auction_starter, read_auction_text
from acreage.portfolio.auction_result_shape import auction_result_schema
from acreage.portfolio.auction_shape import auction_schema
from acreage.units.errors import InputError
from tests.market.auctions.random_auctions import random_auction

ROOT = Path(__file__).parents[2]
TOUR = ROOT / "docs" / "how-to" / "run-an-auction.md"
LATE = ("2027-01-12T09", "2027-01-16T09")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder with the examples in it, the template and one file with a late bid."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    (tmp_path / "late.yaml").write_text(auction_starter().replace(*LATE), encoding="utf-8")
    (tmp_path / "spare.yaml").write_text(auction_starter(), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(command: str) -> int:
    """Run a command line as the shell would, in this process; returns its exit code."""
    args = shlex.split(command.removeprefix("acreage "))
    try:
        return guarded(lambda: acreage.main(args=args, standalone_mode=False))
    except SystemExit as left:
        return int(left.code or 0)


def asked(command: str, capsys: pytest.CaptureFixture[str]) -> Any:
    """What a command prints as JSON."""
    capsys.readouterr()
    assert run(f"{command} -o json") == 0
    return json.loads(capsys.readouterr().out)


def test_the_tour_says_what_the_page_says(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every command of the page works as it stands, and every line of output on the page was printed."""
    page = TOUR.read_text(encoding="utf-8").partition("## Trade on an order book")[0]
    printed: list[str] = []
    for block in re.finditer(r"(<!-- refused -->\n)?```sh\n(.*?)```", page, re.DOTALL):
        for line in block[2].splitlines():
            if not line.startswith("acreage "):
                continue
            command, _, target = line.partition(" > ")
            assert run(command) == (2 if block[1] else 0), line
            found = capsys.readouterr()
            printed += [*found.out.splitlines(), *found.err.splitlines()]
            if target:
                (here / target).write_text(found.out, encoding="utf-8")
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    told = [line for language, block in blocks if not language for line in block.splitlines() if line]
    assert len(told) >= 8
    assert [line for line in told if line not in printed] == []


def test_the_record_is_valid_and_holds(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The JSON fits its published schema, and the audit agrees with it, under every payment rule."""
    for rule in ("pay-as-bid", "vcg", "core"):
        found = asked(f"auction run spare.yaml --payments {rule} --seed 3", capsys)
        jsonschema.validate(found, auction_result_schema())
        assert (found["audit"]["seed"], found["audit"]["gap_usd"]) == (3, "0")
        (here / "result.json").write_text(json.dumps(found), encoding="utf-8")
        assert asked("auction audit result.json", capsys)["holds"]


@pytest.mark.parametrize("example", ["buy-spring", "second-price", "clock"])
def test_an_example_has_a_record_that_holds(here: Path, example: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Reverse auctions and those with one price are recorded and audited alike."""
    found = asked(f"auction run examples/auctions/{example}.yaml", capsys)
    jsonschema.validate(found, auction_result_schema())
    (here / "result.json").write_text(json.dumps(found), encoding="utf-8")
    assert asked("auction audit result.json", capsys) == {
        "auction": found["auction"]["auction"],
        "holds": True,
        "faults": [],
        "coalitions_checked": len(found.get("coalitions", ())),
    }


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        (("payments", 0, "paid_usd"), "707999", "keep"),
        (("payments", 0, "paid_usd"), "750000", "beyond its own bid"),
        (("payments", 1, "vcg_usd"), "1", "the rule says"),
        (("payments", 0, "because"), "a friend", "payments is not"),
        (("paid_usd",), "1", "paid_usd"),
        (("award", "value_usd"), "1700000", "amounts or value"),
        (("award", "accepted", 1, "units"), 300, "300 units where 64 to 256"),
        (("award", "accepted", 0, "bid"), "elm-both", "are sold"),
        (("auction", "bids", 2, "amount"), "9 USD", "hash"),
        (("coalitions", 0, "value_usd"), "1", "without atlas: amounts or value"),
        (("coalitions", 0, "accepted", 0, "bidder"), "atlas", "amounts or value"),
    ],
)
def test_whatever_is_altered_is_found(
    here: Path, path: tuple[str | int, ...], value: object, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """One figure of the record changed: the audit says so and exits with 1."""
    found = asked("auction run spare.yaml", capsys)
    at = found
    for key in path[:-1]:
        at = at[key]
    assert at[path[-1]] != value
    at[path[-1]] = value
    (here / "result.json").write_text(json.dumps(found), encoding="utf-8")
    assert run("auction audit result.json") == 1
    assert told in capsys.readouterr().out


BIDS = """auction: bad
direction: forward
closes: 2027-01-15T12:00:00Z
lots:
  - {id: a, quantity: 4, reserve: 1 USD}
  - {id: b, quantity: 4}
bids:
  - {id: x, bidder: one, bundle: {a: 1}, amount: 28 USD}
  - {id: y, bidder: two, bundle: {b: 2}, amount: 20 USD, either_or: g}
"""


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        ("{a: 1}", "{c: 1}", r"bad.yaml:8:38: bids\[0\].bundle.c: there is no lot 'c'; the lots are a, b"),
        ("{a: 1}", "{a: 0}", r"bids\[0\].bundle.a: a quantity of 0"),
        ("{a: 1}", "{a: 5}", r"5 of lot 'a' where there are 4: it can never win"),
        ("{a: 1}", "{}", "for nothing"),
        ("quantity: 4, r", "quantity: 0, r", r"lots\[0\].quantity: a lot of 0"),
        ("28 USD", "28", r"bad.yaml:8:50: bids\[0\].amount: the currency of 28 is not clear; write 28 USD"),
        ("28 USD", "'28'", "the currency of 28 is not clear"),
        ("28 USD", "28 EUR", "the currency is EUR; convert it"),
        ("28 USD", "many USD", "not an amount with its currency"),
        ("28 USD", "-28 USD", "not an amount with its currency"),
        ("28 USD", "0 USD", "a price of zero"),
        ("1 USD}", "1}", r"lots\[0\].reserve: the currency of 1 is not clear"),
        ("28 USD}", "28 USD, received: 2027-01-16}", r"bids\[0\].received: bid x came .* after the close"),
        ("28 USD}", "28 USD, received: soon}", "'soon' is not a date"),
        ("28 USD}", "28 USD, price: 3 USD}", "both an amount and a price"),
        (", amount: 28 USD", "", "bid x has no price"),
        ("28 USD}", "28 USD, units_max: 3}", "all or nothing and for several units"),
        ("amount: 28 USD", "price: 2 USD, units_min: 3, units_max: 2", "3 to 2 units"),
        ("amount: 28 USD", "price: 2 USD, units_max: 3, tiers: [{from: 9, price: 1 USD}]", "price tiers from 1, 9"),
        ("id: y", "id: x", "'x' stands twice in bids"),
        ("id: b,", "id: a,", "'a' stands twice in lots"),
        (
            "bids:\n",
            "bids:\n  - {id: z, bidder: two, bundle: {b: 2}, amount: 9 USD, either_or: g}\n",
            "z are either-or",
        ),
        ("bids:\n", "rules: {winners_min: 3, winners_max: 2}\nbids:\n", "at least 3 and at most 2 winners"),
        ("bids:\n", "rules: {survive_frac: 0.5}\nbids:\n", "buys nothing that could fail"),
        ("bids:\n", "rules: {budget: 5 USD}\nbids:\n", "a forward auction spends nothing"),
        ("bids:\n", "rules: {shares: [{share_max_frac: 0.5, bidder: six}]}\nbids:\n", "no bidder 'six'"),
        ("bids:\n", "rules: {shares: [{share_max_frac: 0.5, lots: [q]}]}\nbids:\n", "no lot 'q'"),
        ("direction: forward", "direction: sideways", "direction"),
        ("direction: forward", "direction: forward\nmechanism: ascending", "either_or|plain bid"),
        ("bidder: one", "bider: one", "did you mean 'bidder'"),
        ("28 USD", "9_007_199_254.75 USD", "told apart"),
        ("auction: bad\n", "", "'auction' is missing"),
    ],
)
def test_a_mistake_is_one_error_with_its_place(right: str, wrong: str, told: str) -> None:
    """File, line, column and field, what is wrong and what would be right."""
    assert right in BIDS
    with pytest.raises(InputError, match=told) as error:
        read_auction_text(BIDS.replace(right, wrong, 1), "bad.yaml")
    assert str(error.value).startswith("bad.yaml:")


def test_where_no_award_exists_it_is_said_what_would_make_one(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A rule that cannot be kept is named with what the award would cost without it; nothing is decided."""
    text = (ROOT / "examples" / "auctions" / "buy-spring.yaml").read_text(encoding="utf-8")
    (here / "none.yaml").write_text(text.replace("reserve: 3_000 USD, ", "").replace("0.8", "0.2"), encoding="utf-8")
    assert run("auction run none.yaml") == 2
    told = capsys.readouterr().err
    assert "no award keeps every rule" in told
    assert "without the rule share_caps: then there is an award at" in told


def test_units_that_find_no_bid_are_told(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A sealed auction and a combinatorial one with too few bids, or none, say what stays."""
    text = (ROOT / "examples" / "auctions" / "second-price.yaml").read_text(encoding="utf-8")
    (here / "few.yaml").write_text(text.replace("1_000 USD", "1_600 USD"), encoding="utf-8")
    found = asked("auction run few.yaml", capsys)
    assert found["findings"] == ["lot spring: 320 of 512 units find a bid within the reserve price"]
    assert set(found["refused"]) == {"birch-more", "cobalt", "dune"}
    empty = text.split("bids:")[0].replace("second-price", "combinatorial") + "bids: []\n"
    (here / "none.yaml").write_text(empty, encoding="utf-8")
    assert asked("auction run none.yaml", capsys)["findings"] == ["nothing is awarded"]


def test_files_that_are_no_results_are_refused(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The audit of something else says how to write a result."""
    assert run("auction audit spare.yaml") == 2
    assert "acreage auction run FILE -o json" in capsys.readouterr().err
    assert run("auction run examples/auctions/clock.yaml --payments vcg") == 2
    assert "its own prices" in capsys.readouterr().err


def test_an_auction_reads_back_from_its_document() -> None:
    """What a result carries is the auction, whatever is in it."""
    for seed in range(200):
        auction = random_auction(seed)
        # A third is no decimal, and random bids may contradict each other, which files may not.
        if auction.rules.survive_frac.denominator in (1, 2) and not list(faults(auction)):
            assert read_auction_text(json.dumps(auction_document(auction)), "a.json") == auction


def test_the_published_schemas_are_made_from_the_shapes() -> None:
    """They are rewritten whenever a field changes."""
    for name, made in (("auction", auction_schema()), ("auction_result", auction_result_schema())):
        text = resources.files("acreage.portfolio").joinpath(f"{name}.schema.json").read_text(encoding="utf-8")
        assert json.loads(text) == made
