"""The commands of requests for quotes: the tutorial, what vendors see, what is refused, and JSON."""

import io
import json
import re
import shlex
import shutil
import zipfile
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from acreage.cli.main import acreage, guarded
from acreage.flow.books import open_books
from acreage.flow.books_columns import books_schema

ROOT = Path(__file__).parents[2]
TOUR = ROOT / "docs" / "how-to" / "run-an-rfq.md"
SMALL_LAB = ROOT / "tests" / "market" / "rfq" / "small_lab.yaml"
RFQ = "blackwell-2027"
FIRST = "round-1/azure.yaml round-1/northfield.csv round-1/basalt.xlsx round-1/tern.json"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the example's files, on the small lab in place of the frontier lab: plans take a second."""
    shutil.copytree(ROOT / "examples" / "rfq", tmp_path / "examples" / "rfq")
    (tmp_path / "examples" / "frontier-lab").mkdir()
    shutil.copy(SMALL_LAB, tmp_path / "examples" / "frontier-lab" / "portfolio.yaml")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ACREAGE_LEDGER", "books.db")
    return tmp_path


def run(command: str) -> int:
    """Run a command line as the shell would, in this process; returns its exit code."""
    args = shlex.split(command.removeprefix("acreage "))
    return guarded(lambda: acreage.main(args=args, standalone_mode=False))


def asked(command: str, capsys: pytest.CaptureFixture[str]) -> Any:
    """What a command prints as JSON, which the published schema allows."""
    capsys.readouterr()
    assert run(f"{command} -o json") == 0
    found = json.loads(capsys.readouterr().out)
    jsonschema.Draft202012Validator(books_schema()).validate(found)
    return found


def refused(command: str, capsys: pytest.CaptureFixture[str]) -> str:
    """The error of a command that must change nothing."""
    before = facts()
    capsys.readouterr()
    assert run(command) == 2, command
    assert facts() == before
    return capsys.readouterr().err


def facts() -> dict[str, int]:
    """How many facts each chain of the books has."""
    return {chain: head.seq for chain, head in open_books("books.db").journal.chains().items()}


def ask() -> None:
    """Create the example's request and send its first round."""
    assert run("acreage rfq create examples/rfq/request.yaml --yes") == 0
    assert run(f"acreage rfq send {RFQ} --out requests --yes") == 0


def answered() -> None:
    """The first round with all its answers."""
    ask()
    files = " ".join(f"examples/rfq/{name}" for name in FIRST.split())
    assert run(f"acreage rfq import {RFQ} {files} --yes") == 0


def test_the_tutorial_ends_with_leases_in_the_books(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every command of the page works as it stands; awarded leases are Proposed, and all of it verifies."""
    lines = re.findall(r"^acreage .*$", TOUR.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(lines) >= 10
    for line in lines:
        assert run(line) == 0, line
    leases = asked("acreage lease list", capsys)["leases"]
    assert leases
    assert {lease["state"] for lease in leases} <= {"Proposed", "Pending"}
    stands = asked(f"acreage rfq show {RFQ}", capsys)
    assert stands["rfqs"][0]["stage"] == "awarded"
    assert stands["rfqs"][0]["round"] == 2
    assert {"Proposed", "Superseded", "Canceled"} <= {offer["state"] for offer in stands["rfq_offers"]}
    trail = json.loads((here / "awards" / RFQ / "award.json").read_text())
    assert {win["lease"] for win in trail["winners"]} == {lease["id"] for lease in leases}
    assert "already" in refused("acreage rfq create examples/rfq/request.yaml --yes", capsys)
    assert "is awarded" in refused(f"acreage rfq award {RFQ} --yes", capsys)


def text_of(path: Path) -> str:
    """Everything that a file says; a workbook part by part."""
    data = path.read_bytes()
    if path.suffix == ".xlsx":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return "\n".join(archive.read(name).decode("utf-8", "replace") for name in archive.namelist())
    return data.decode()


def test_nothing_of_one_vendor_is_visible_to_another(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No name, reference, pool, offer, price or counter of others, nor the request's own id, in any document."""
    answered()
    assert run(f"acreage rfq counter {RFQ} --ask four-years=3.61 --ask hall-1=3.17 --message soon --yes") == 0
    assert run(f"acreage rfq send {RFQ} --out requests --next-round --yes") == 0
    stands = asked(f"acreage rfq show {RFQ}", capsys)
    names = {"azure": "Cloud M", "northfield": "Northfield Compute", "basalt": "Basalt Cloud", "tern": "Tern Power"}
    told = {vendor: [vendor, names[vendor]] for vendor in names}
    for vendor in stands["rfq_vendors"]:
        told[vendor["provider"]] += [vendor["reference"], *vendor["pools"].split(", ")]
    for offer in stands["rfq_offers"]:
        own = offer["id"].removeprefix(f"{RFQ}-{offer['provider']}-")
        told[offer["provider"]] += [offer["id"], own, offer["price_usd"]]
    told["northfield"].append("3.61")
    told["tern"].append("3.17")
    for vendor in names:
        files = sorted((here / "requests" / vendor).iterdir())
        assert len(files) == 5
        whole = "\n".join(text_of(file) for file in files)
        assert RFQ not in whole
        for other in set(names) - {vendor}:
            for secret in told[other]:
                assert not re.search(rf"(?<![\w.]){re.escape(secret)}(?![\w.])", whole), (vendor, other, secret)
        for own in ("3.61", "four-years") if vendor == "northfield" else ("3.17", "hall-1") if vendor == "tern" else ():
            assert own in whole
    references = [vendor["reference"] for vendor in stands["rfq_vendors"]]
    assert len(set(references)) == 4


def test_references_are_drawn_at_random_unless_given(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two requests to the same vendors share nothing."""
    text = Path("examples/rfq/request.yaml").read_text()
    text = re.sub(r"\{provider: (\w+), reference: \w+\}", r"\1", text)
    found = []
    for name in ("one", "two"):
        Path(f"examples/rfq/{name}.yaml").write_text(text.replace("rfq: blackwell-2027", f"rfq: {name}"))
        rows = asked(f"acreage rfq create examples/rfq/{name}.yaml --yes", capsys)["rfq_vendors"]
        found += [row["reference"] for row in rows]
    assert len(set(found)) == 8
    assert all(re.fullmatch(r"[0-9a-f]{16}", reference) for reference in found)


def test_an_answer_taken_again_changes_nothing(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same file is the same answer."""
    answered()
    before = asked(f"acreage rfq show {RFQ}", capsys)
    assert run(f"acreage rfq import {RFQ} examples/rfq/round-1/tern.json --yes") == 0
    assert asked(f"acreage rfq show {RFQ}", capsys)["rfq_events"] == before["rfq_events"]


def test_a_late_answer_is_refused_unless_it_is_accepted_and_that_is_on_record(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The books say that it was late."""
    ask()
    monkeypatch.setattr("acreage.flow.books.time.time", lambda: 4_000_000_000.0)
    told = refused(f"acreage rfq import {RFQ} examples/rfq/round-1/tern.json --yes", capsys)
    assert "after the deadline" in told
    assert "--accept-late" in told
    assert run(f"acreage rfq import {RFQ} examples/rfq/round-1/tern.json --accept-late --yes") == 0
    stands = asked(f"acreage rfq show {RFQ}", capsys)
    assert [offer["late"] for offer in stands["rfq_offers"]] == [True]
    assert "late and accepted" in stands["rfq_events"][-1]["told"]


def test_what_cannot_be_done_says_why_and_changes_nothing(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line each, exit code 2."""
    ask()
    for command, told in (
        ("acreage rfq show spring", "no request for quotes 'spring' is in the books; there are blackwell-2027"),
        (f"acreage rfq compare {RFQ}", "no offer that can be accepted"),
        (f"acreage rfq award {RFQ} --yes", "no offer that can be accepted"),
        (f"acreage rfq import {RFQ} examples/rfq/round-2/northfield.csv --yes", "answers round 2"),
        (f"acreage rfq import {RFQ} gone.csv --yes", "cannot be read"),
        (f"acreage rfq send {RFQ} --out requests --next-round --answers-until 2020-01-01 --yes", "in the past"),
        (f"acreage rfq send {RFQ} --out requests --next-round --answers-within soon --yes", "not a duration"),
        (f"acreage rfq withdraw {RFQ} nothing --yes", "no offer 'nothing'"),
        (f"acreage rfq counter {RFQ} --ask four-years=3 --yes", "no offer 'four-years'"),
        ("acreage rfq create --yes", "from a file or from a plan"),
    ):
        assert told in refused(command, capsys), command
    assert run(f"acreage rfq import {RFQ} examples/rfq/round-1/tern.json --dry-run") == 0
    assert asked(f"acreage rfq show {RFQ}", capsys)["rfq_offers"] == []


def test_a_plan_s_gap_becomes_a_request(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What the plan buys and misses is a lot each; the draft is a file that creates the same."""
    lab = Path("examples/frontier-lab/portfolio.yaml")
    lab.write_text(lab.read_text().replace("share_max_frac: 0.70", "share_max_frac: 1.0"))
    assert run(f"acreage plan {lab} --out p --no-explain --format csv") == 0
    options = "--plan p --id from-plan --vendor basalt --vendor tern"
    capsys.readouterr()
    assert run(f"acreage rfq create {options} --draft") == 0
    draft = capsys.readouterr().out
    assert "b300" in draft
    assert "unmet-lab" in draft
    Path("draft.yaml").write_text(draft)
    assert run("acreage rfq create draft.yaml --yes") == 0
    needs = asked("acreage rfq show from-plan", capsys)["rfq_needs"]
    assert {need["id"] for need in needs} == {"b300", "unmet-lab"}
    only = asked("acreage rfq create --plan p --id second --vendor basalt --lot b300 --yes", capsys)
    assert [need["id"] for need in only["rfq_needs"]] == ["b300"]
    assert "no lot 'z'" in refused("acreage rfq create --plan p --id third --vendor basalt --lot z --yes", capsys)


def test_an_offer_can_be_withdrawn_and_a_request_called_off(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Both are facts; afterwards nothing can be accepted."""
    answered()
    assert run(f"acreage rfq withdraw {RFQ} {RFQ}-tern-hall-1 --reason sold --yes") == 0
    assert run(f"acreage rfq cancel {RFQ} --reason 'no budget' --yes") == 0
    stands = asked(f"acreage rfq show {RFQ}", capsys)
    assert {offer["state"] for offer in stands["rfq_offers"]} == {"Canceled"}
    assert stands["rfqs"][0]["stage"] == "canceled"
    assert "is canceled" in refused(f"acreage rfq send {RFQ} --out requests --next-round --yes", capsys)


def test_an_open_request_tells_the_best_price_and_not_whose(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The figure of the comparison, in everybody's document of the next round."""
    text = Path("examples/rfq/request.yaml").read_text()
    Path("examples/rfq/request.yaml").write_text(text.replace("disclosure: sealed", "disclosure: open"))
    answered()
    best = asked(f"acreage rfq compare {RFQ}", capsys)["comparison"][0]
    assert run(f"acreage rfq send {RFQ} --out requests --next-round --yes") == 0
    for vendor in ("azure", "northfield", "basalt", "tern"):
        page = Path(f"requests/{vendor}/request.html").read_text()
        assert f"{float(best['normalised_usd']):.2f} USD an effective" in page
        assert best["offer"] not in page
