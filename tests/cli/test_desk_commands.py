"""The desk's commands: the tour of the documentation, walls, races, stale quotes, bad input, the page."""

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
from acreage.flow.desk import Room, Viewer, open_desk, standing_clock
from acreage.flow.desk_admit import admit
from acreage.flow.desk_columns import DESK_KINDS, DESK_LESSEE
from acreage.flow.desk_quotes import quoted, request_from_file, shown
from acreage.ledger.desk_log import QuoteState, quote_with_id
from acreage.ledger.verify import verify
from acreage.units.errors import InputError

ROOT = Path(__file__).parents[2]
TOUR = ROOT / "docs" / "how-to" / "run-a-desk.md"
POOL = "meridian/central/gb300"
ASK = f"desk quote --tier reserved --pool {POOL} --from 2031-02-01 --until 2031-03-01"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder with the examples in it, on the first day of the example."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ACREAGE_LEDGER", "desk.db")
    monkeypatch.setenv("ACREAGE_DESK", "examples/desk/desk.yaml")
    monkeypatch.setenv("ACREAGE_TODAY", "2031-01-01")
    return tmp_path


def run(command: str) -> int:
    """Run a command line as the shell would, in this process; returns its exit code."""
    args = shlex.split(command.removeprefix("acreage "))
    return guarded(lambda: acreage.main(args=args, standalone_mode=False))


def asked(command: str, capsys: pytest.CaptureFixture[str], code: int = 0) -> Any:
    """What a command prints as JSON."""
    capsys.readouterr()
    assert run(f"{command} -o json") == code
    return json.loads(capsys.readouterr().out)


def room_of(at: str = "2031-01-01") -> Room:
    """Another process at the same desk."""
    room = open_desk(None, open_books())
    room.ledger.clock = standing_clock(at)
    return room


def test_every_command_of_the_tour_works_and_prints_what_the_page_says(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Blocks marked slow are left to the benchmark; answers shown on the page are those given."""
    page = TOUR.read_text(encoding="utf-8")
    for block in re.finditer(r"(?:<!-- (\w+) -->\n)?```sh\n(.*?)```(?:\n\n```\n(.*?)```)?", page, re.DOTALL):
        if block[1] == "slow":
            continue
        for line in block[2].splitlines():
            if line.startswith("acreage "):
                capsys.readouterr()
                assert run(line) == (2 if block[1] == "refused" else 0), line
                printed = capsys.readouterr().out
                assert "Traceback" not in printed
                if block[3] is not None:
                    assert block[3].strip() in printed, line


def test_answers_follow_the_published_schema(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every listing of the desk in JSON, with dry runs beside."""
    schema = books_schema()
    run("desk open --yes")
    for command in (
        f"{ASK} --lessee birch --accelerators 64 --bid '9 USD/accelerator_hour' --key k",
        "desk list",
        "desk tables --every 100",
        "desk trail",
        "desk simulate --from 2031-01-01 --replications 2 --warm-up 0",
    ):
        jsonschema.validate(asked(command, capsys), schema)


def test_lessees_never_see_each_other(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Not quotes, not reasons, not by id or key, not in the trail; what they see are two listings and no more."""
    run("desk open --yes")
    one = asked(f"{ASK} --accelerators 64 --key same --as lessee:birch", capsys)
    assert set(one) - {"dry_run"} == set(DESK_LESSEE)
    assert set(DESK_KINDS) > set(DESK_LESSEE)
    two = asked(f"{ASK} --accelerators 128 --key same --as lessee:cedar", capsys)
    ids = [answer["quotes"][0]["id"] for answer in (one, two)]
    assert ids[0] != ids[1]
    assert [row["id"] for row in asked("desk list --as lessee:birch", capsys)["quotes"]] == ids[:1]
    for command in (f"desk show {ids[1]}", f"desk admit {ids[1]} --yes", f"desk show {'0' * 32}"):
        capsys.readouterr()
        assert run(f"{command} --as lessee:birch") == 2
        assert re.search(r"error: no quote '\w+'; see", capsys.readouterr().err)
    for command in ("desk trail", "desk tables", "desk outcome", "desk report", "desk open --yes"):
        assert run(f"{command} --as lessee:birch") == 2
    assert run(f"{ASK} --accelerators 64 --lessee cedar --as lessee:birch") == 2
    assert "asks for itself" in capsys.readouterr().err
    seen = {(row["role"], row["act"]) for row in asked("desk trail --as auditor", capsys)["sights"]}
    assert {("lessee:birch", "quote"), ("lessee:cedar", "quote"), ("lessee:birch", "list")} <= seen


def test_a_refusal_tells_a_lessee_the_same_whoever_is_in_its_way(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Refused for the anchor or for another lessee's lease: the same words, and no figure of either."""
    run("desk open --yes")
    for_anchor = asked(f"{ASK} --accelerators 13500 --bid '2 USD/accelerator_hour' --key a --as lessee:birch", capsys)
    room = room_of()
    for key in ("x", "y"):
        run(f"{ASK} --accelerators 5800 --bid '9 USD/accelerator_hour' --key {key} --lessee cedar")
    for row in asked("desk list", capsys)["quotes"]:
        if row["lessee"] == "cedar":
            assert run(f"desk admit {row['id']} --yes") == 0
    for_lease = asked(f"{ASK} --accelerators 13500 --bid '2 USD/accelerator_hour' --key b --as lessee:birch", capsys, 2)
    told = [answer["quotes"][0]["told"] for answer in (for_anchor, for_lease)]
    assert told[0] == told[1] == "this quantity cannot be offered on these dates"
    whole = [quote_with_id(room.ledger, answer["quotes"][0]["id"]) for answer in (for_anchor, for_lease)]
    assert len({one.quote.answer.reason.because for one in whole if one is not None}) == 2


def test_of_two_admissions_for_the_last_block_exactly_one_wins(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Both hold quotes for more than half of what is free; the second is refused, recorded, and leaves nothing."""
    run("desk open --yes")
    quotes = [
        asked(f"{ASK} --accelerators 7000 --bid '9 USD/accelerator_hour' --lessee {name} --key k", capsys)["quotes"][0][
            "id"
        ]
        for name in ("birch", "cedar")
    ]
    rooms = [room_of(), room_of()]
    logged = [quote_with_id(room.ledger, id_) for room, id_ in zip(rooms, quotes, strict=True)]
    for room in rooms:
        room.asks_of((POOL,))  # type: ignore[arg-type]
    done = [admit(room, one, 0, f"k{i}") for i, (room, one) in enumerate(zip(rooms, logged, strict=True))]  # type: ignore[arg-type]
    assert done[0].leases != ()
    assert done[1].leases == ()
    assert "capacity" in done[1].why or "kept for the anchor" in done[1].why
    assert done[1].told(Viewer("lessee", "cedar")) == "these terms can no longer be offered"
    again = [admit(room, one, 0, f"k{i}") for i, (room, one) in enumerate(zip(rooms, logged, strict=True))]  # type: ignore[arg-type]
    assert [one.leases for one in again] == [one.leases for one in done]
    states = [quote_with_id(rooms[0].ledger, id_).state for id_ in quotes]  # type: ignore[union-attr]
    assert states == [QuoteState.ADMITTED, QuoteState.LOST]
    assert verify(rooms[0].ledger).flaws == ()


def test_a_quote_on_stale_tables_or_lapsed_is_refused_clearly(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The next day, after its time, and after the document changed."""
    run("desk open --yes")
    id_ = asked(f"{ASK} --accelerators 64 --lessee birch", capsys)["quotes"][0]["id"]
    for today, words in (("2031-01-02", "stale"), ("2031-01-04", "lapsed")):
        assert run(f"desk admit {id_} --yes --today {today}") == 2
        assert words in capsys.readouterr().err
    changed = (here / "examples/desk/desk.yaml").read_text(encoding="utf-8").replace("0.005", "0.004")
    (here / "other.yaml").write_text(changed, encoding="utf-8")
    assert run(f"desk admit {id_} --yes --desk other.yaml") == 2
    assert "stale" in capsys.readouterr().err
    assert run(f"desk admit {id_} --yes") == 0
    assert run(f"desk admit {id_} --yes") == 2
    assert "already" in capsys.readouterr().err


def test_a_firm_lease_recalls_the_spot_lease_in_its_place_in_the_same_record(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the anchor has called and a firm lease leave no room for a spot lease: it ends on the first such day."""
    run("desk open --yes")
    spot = "desk quote --tier spot --pool meridian/north/h200 --lessee delta --from 2031-01-03 --until 2031-02-20"
    room = room_of()
    id_ = asked(f"{spot} --accelerators 5000 --bid '9 USD/accelerator_hour'", capsys)["quotes"][0]["id"]
    assert run(f"desk admit {id_} --yes") == 0
    firm = "desk quote --tier reserved --pool meridian/north/h200 --lessee birch --from 2031-01-20 --until 2031-03-01"
    bid = "--bid '90 USD/accelerator_hour'"
    called = "--from 2031-01-20 --until 2031-01-27 --accelerators 6000 --holder anchor"
    assert run(f"hold place --pool meridian/north/h200 {called} --yes") == 0
    id_ = asked(f"{firm} --accelerators 4000 {bid}", capsys)["quotes"][0]["id"]
    capsys.readouterr()
    assert run(f"desk admit {id_} --yes --dry-run") == 0
    assert "lease canceled" in capsys.readouterr().out
    assert run(f"desk admit {id_} --yes") == 0
    leases = {
        row["counterparty"]: row
        for row in asked("lease list --as-of 2031-01-25 --known-at 2032-01-01", capsys)["leases"]
    }
    assert (leases["delta"]["state"], leases["birch"]["state"]) == ("Canceled", "Active")
    assert leases["delta"]["ends_at"] == "2031-01-20T00:00:00Z"
    assert verify(room.ledger).flaws == ()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("--accelerators 0 --lessee birch", "0 accelerators"),
        ("--accelerators 64 --lessee birch --bid '4 EUR/accelerator_hour'", "the price is in EUR"),
        ("--accelerators 64 --lessee birch --bid 4.00", "not a price with its unit"),
        ("--accelerators 64 --lessee birch --bid '4 USD/month'", "needs accelerators_per_unit"),
        ("--accelerators 64 --lessee birch --bid catalog", "no price an accelerator-hour"),
        ("--accelerators 64 --lessee somebody", "unknown lessee"),
        ("--accelerators 64 --lessee birch --pool nowhere", "unknown pool 'nowhere'"),
        ("--accelerators 64 --lessee birch --accelerator H200", "where is not clear"),
        ("--accelerators 64", "--lessee is missing"),
        ("--accelerators 64 --lessee birch --today 2031-02-02", "in the past"),
        ("--accelerators 64 --lessee birch --as king", "is no role"),
    ],
)
def test_bad_requests_get_one_clear_line_and_write_nothing(
    here: Path, capsys: pytest.CaptureFixture[str], options: str, words: str
) -> None:
    """Exit code 2, the mistake named, no quote in the books."""
    run("desk open --yes")
    capsys.readouterr()
    assert run(f"{ASK} {options}") == 2
    printed = capsys.readouterr()
    assert words in printed.err
    assert printed.err.count("\n") == 1
    assert asked("desk list", capsys)["quotes"] == []


def test_a_desk_that_is_not_open_says_how_to_open_it(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No books, and books without the desk's capacity."""
    assert run(f"{ASK} --accelerators 64 --lessee birch") == 2
    assert "no books here" in capsys.readouterr().err
    open_books()
    assert run(f"{ASK} --accelerators 64 --lessee birch") == 2
    assert "acreage desk open" in capsys.readouterr().err


def test_a_rehearsal_fills_its_own_books_and_its_page_explains_every_refusal(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Twelve days: quotes, leases and the anchor's calls stand and verify; the page holds each with a reason."""
    assert run("desk rehearse --days 12 --seed 2") == 0
    room = room_of("2031-01-12")
    assert verify(room.ledger).flaws == ()
    outcomes = {
        row["policy"]: row for row in asked("desk outcome --until 2031-01-13 --today 2031-01-12", capsys)["outcomes"]
    }
    assert outcomes["books"]["short_met_frac"] == 0
    assert 0 < outcomes["books"]["revenue_usd"] <= outcomes["clairvoyant"]["revenue_usd"]
    assert run("desk report --replications 2 --today 2031-01-13") == 0
    page = (here / "desk.html").read_text(encoding="utf-8")
    rows = asked("desk list --today 2031-01-13", capsys)["quotes"]
    assert len(rows) > 20
    for row in rows:
        assert row["id"][:8] in page
    assert page.count("<svg") == 4
    assert "http" not in re.sub(r"http://www.w3.org/[\w/]+", "", page)
    assert run("desk report --today 2031-01-13") == 2
    assert "--force" in capsys.readouterr().err
    assert run("desk rehearse --days 12") == 2
    assert "books of its own" in capsys.readouterr().err


def test_views_hold_what_their_reader_may_know(here: Path) -> None:
    """The same quote as the desk and as its lessee see it."""
    run("desk open --yes")
    room = room_of()
    with pytest.raises(InputError, match="may not do this"):
        Viewer("auditor").must_be("desk")
    desk = open_desk(None, open_books())
    desk.ledger.clock = room.ledger.clock
    file = ROOT / "examples" / "desk" / "birch.yaml"
    logged = quoted(desk, request_from_file(desk, file), Viewer("desk"), None, write=False)
    assert [listing.kind for listing in shown([logged], Viewer("desk"))] == ["quotes", "terms", "reasons"]
    assert [listing.kind for listing in shown([logged], Viewer("lessee", "birch"))] == ["quotes", "terms"]


def test_learning_counts_prices_that_were_asked_for_and_answered_and_leaves_the_document_alone(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Admitted is taken, lapsed is not; bids, counter-offers and what still stands teach nothing."""
    run("desk open --yes")
    ask = f"{ASK} --lessee birch --accelerators 64"
    for key in ("taken", "lapsed"):
        asked(f"{ask} --key {key}", capsys)
    asked(f"{ask} --bid '9 USD/accelerator_hour' --key bid", capsys)
    asked(f"{ask.replace('64', '12000')} --key countered", capsys)
    taken = asked(f"{ask} --key taken", capsys)["quotes"][0]["id"]
    assert run(f"desk admit {taken} --yes") == 0
    asked(f"{ask} --key open --today 2031-01-09", capsys)
    before = (here / "examples/desk/desk.yaml").read_bytes()
    found = asked("desk learn --today 2031-01-10", capsys)
    jsonschema.validate(found, books_schema())
    rows = {(row["tier"], row["pool"]): row for row in found["take_up"]}
    assert len(rows) == 8
    mine = rows["reserved", POOL]
    assert (mine["offers"], mine["taken"], mine["best_usd"]) == (2, 1, None)
    assert "are needed at least" in mine["finding"]
    assert mine["displacement_usd"] > 0
    assert rows["spot", POOL]["finding"] == "nobody has asked for the price"
    assert (here / "examples/desk/desk.yaml").read_bytes() == before
    assert run("desk learn --as lessee:birch") == 2


def test_a_rehearsal_in_which_the_labs_ask_for_prices_teaches_how_many_take_them(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """All requests ask; the page shows what was learnt."""
    assert run("desk rehearse --days 8 --seed 3 --asking 1") == 0
    rows = asked("desk list --today 2031-01-20", capsys)["quotes"]
    assert {row["bid_usd"] for row in rows} == {None}
    learnt = asked("desk learn --today 2031-01-20", capsys)["take_up"]
    assert 0 < sum(row["taken"] for row in learnt) == sum(row["state"] != "given" for row in rows)
    assert sum(row["offers"] for row in learnt) == sum(row["verdict"] == "accept" for row in rows)
    assert run("desk report --replications 0 --today 2031-01-20") == 0
    assert "What prices are taken" in (here / "desk.html").read_text(encoding="utf-8")


def test_a_request_of_parts_is_quoted_admitted_and_shown_as_one(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One price, a row a part, three leases, figures of both pools in the outcome; another lessee sees nothing."""
    run("desk open --yes")
    found = asked("desk quote examples/desk/delta.yaml --key d --as lessee:delta", capsys)
    assert set(found) - {"dry_run"} == set(DESK_LESSEE)
    (row,) = found["quotes"]
    assert (row["parts"], row["accelerators"], row["verdict"]) == (3, 1_280, "accept")
    assert [(one["number"], one["part"], one["price_usd"]) for one in found["terms"]] == [
        (0, 1, "4.6"),
        (0, 2, "4.6"),
        (0, 3, "4.6"),
    ]
    assert asked("desk list --as lessee:cedar", capsys)["quotes"] == []
    plan = asked(f"desk admit {row['id']} --dry-run", capsys)["plan"]
    assert plan[0].count("lease proposed") == 3
    admitted = asked(f"desk admit {row['id']} --yes", capsys)
    jsonschema.validate(admitted, books_schema())
    leases = admitted["quotes"][0]["lease"].split(", ")
    assert len(leases) == 3
    listed = asked("lease list --as-of 2031-02-15 --known-at 2031-02-15", capsys)["leases"]
    assert {one["id"]: one["state"] for one in listed if one["counterparty"] == "delta"} == {
        leases[0]: "Active",
        leases[1]: "Pending",
        leases[2]: "Active",
    }
    outcomes = {one["policy"]: one for one in asked("desk outcome", capsys)["outcomes"]}
    hours = 24 * (512 * 28 + 1_024 * 61 + 256 * 59)
    assert outcomes["books"]["revenue_usd"] == pytest.approx(4.6 * hours)
    assert (outcomes["books"]["spill_frac"], outcomes["books"]["admitted"]) == (0, 3)
    assert outcomes["books"]["revenue_usd"] <= outcomes["clairvoyant"]["revenue_usd"] + 1
    assert run("desk report --replications 0") == 0
    page = (here / "desk.html").read_text(encoding="utf-8")
    assert "256 accelerators in meridian/north/h200 from 2031-02-01 until 2031-04-01" in page
    assert verify(room_of().ledger).flaws == ()
