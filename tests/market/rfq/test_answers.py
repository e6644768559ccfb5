"""Answers as they come: four kinds of file with one meaning, and one error with its place for whatever is wrong."""

import json
from pathlib import Path

import jsonschema
import pytest
import xlsxwriter
import yaml

from acreage.catalog.accelerators import load_accelerators
from acreage.domain.rfq import Answer, Rfq
from acreage.flow.planning import portfolio_at
from acreage.portfolio.rfq_answer import Known, read_answer
from acreage.portfolio.rfq_request import load_request, request_of
from acreage.portfolio.rfq_shape import answer_schema, request_schema
from acreage.portfolio.rfq_sheet import load_answer
from acreage.units.errors import InputError
from acreage.units.instants import instant
from tests.market.rfq.cases import SMALL_LAB

ROOT = Path(__file__).parents[3]
NORTH = "e90b4d7713a2c8f5"
ROW = {
    "reference": NORTH,
    "round": "1",
    "currency": "USD",
    "id": "long",
    "pool": "northfield-b200",
    "need": "blackwell",
    "accelerators_per_block": "5000",
    "blocks_min": "1",
    "blocks_max": "4",
    "start_from": "2027-03-01",
    "start_until": "2027-06-01",
    "term": "36 months",
    "price_usd": "32.80",
    "price_per": "node_hour",
    "accelerators_per_unit": "8",
    "prepayment_frac": "0.15",
    "tranches": "0 months: 0.5; 6 months: 0.5",
    "grace_days": "30",
    "tiers": "3: 0.96",
    "sla": "0.99: 0.10",
}
SAME = {
    "reference": NORTH,
    "round": 1,
    "currency": "USD",
    "offers": [
        {
            "id": "long",
            "pool": "northfield-b200",
            "need": "blackwell",
            "accelerators_per_block": 5000,
            "blocks": {"min": 1, "max": 4},
            "start": {"from": "2027-03-01", "until": "2027-06-01"},
            "term": "36 months",
            "price": {"usd": 32.80, "per": "node_hour", "accelerators_per_unit": 8},
            "prepayment_frac": 0.15,
            "tranches": [
                {"after": "0 months", "share_frac": 0.5, "grace_days": 30},
                {"after": "6 months", "share_frac": 0.5, "grace_days": 30},
            ],
            "tiers": [{"blocks_min": 3, "price_frac": 0.96}],
            "sla": [{"below_frac": 0.99, "credit_frac": 0.10}],
        }
    ],
}


@pytest.fixture(scope="module")
def known() -> Known:
    """The example's request, on the small lab."""
    portfolio = portfolio_at(SMALL_LAB).portfolio
    rfq: Rfq = request_of(load_request(ROOT / "examples" / "rfq" / "request.yaml"), portfolio, lambda: "unused00")
    return Known(rfq=rfq, portfolio=portfolio, accelerators=load_accelerators())


def read(path: Path, known: Known) -> Answer:
    """An answer received on a day."""
    return read_answer(load_answer(path), known, received_at=instant("2026-12-05"), late=False)


def csv_of(*rows: dict[str, str]) -> str:
    """Rows as CSV, texts with commas quoted."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    return "\n".join([",".join(names), *(",".join(row.get(n, "") for n in names) for row in rows)]) + "\n"


def workbook(path: Path, *rows: dict[str, str]) -> None:
    """Rows as a spreadsheet program saves them: numbers as numbers, days as days."""
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("Offers")
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        names = list(rows[0])
        sheet.write_row(0, 0, names)
        for i, row in enumerate(rows, 1):
            for j, name in enumerate(names):
                text = row[name]
                if name.startswith("start_"):
                    sheet.write_datetime(i, j, yaml.safe_load(f"{text} 00:00:00"), day)
                elif name in ("id", "reference", "term"):
                    sheet.write_string(i, j, text)
                else:
                    sheet.write(i, j, float(text) if text.replace(".", "").isdigit() else text)


def test_four_kinds_of_file_say_the_same(tmp_path: Path, known: Known) -> None:
    """JSON, YAML, CSV and a workbook give one offer, but for where it came from."""
    (tmp_path / "a.json").write_text(json.dumps(SAME))
    (tmp_path / "a.yaml").write_text(yaml.safe_dump(SAME))
    (tmp_path / "a.csv").write_text(csv_of(ROW))
    workbook(tmp_path / "a.xlsx", ROW)
    found = [read(tmp_path / f"a.{kind}", known) for kind in ("json", "yaml", "csv", "xlsx")]
    for one in found:
        quote = one.quotes[0]
        assert quote.offer.id == "blackwell-2027-northfield-long"
        assert quote.offer.tranches == found[0].quotes[0].offer.tranches
        assert quote.offer.tiers == found[0].quotes[0].offer.tiers
        assert quote.offer.terms.prepayment_frac == 0.15
        assert quote.offer.terms.price.amount_micro_usd == 32_800_000
        assert quote.sla == found[0].quotes[0].sla
    assert found[2].quotes[0].row == "row 2"
    assert found[3].quotes[0].row == "row 2"
    assert "a.csv, row 2, received 2026-12-05" in found[2].quotes[0].offer.provenance.source
    jsonschema.Draft202012Validator(answer_schema()).validate(SAME)


def test_the_published_schemas_are_made_from_the_shapes() -> None:
    """They are rewritten whenever a field changes."""
    folder = ROOT / "src" / "acreage" / "portfolio"
    assert json.loads((folder / "rfq.schema.json").read_text()) == request_schema()
    assert json.loads((folder / "rfq-answer.schema.json").read_text()) == answer_schema()


def test_energy_is_in_the_price_that_is_planned_with(tmp_path: Path, known: Known) -> None:
    """0.10 a chip-hour is 0.80 a node of eight."""
    (tmp_path / "a.csv").write_text(csv_of(ROW | {"energy_usd_per_accelerator_hour": "0.10"}))
    quote = read(tmp_path / "a.csv", known).quotes[0]
    assert quote.offer.terms.price.amount_micro_usd == 33_600_000
    assert quote.energy_micro_usd_per_accelerator_hour == 100_000


def test_bundles_and_either_or_become_rules_of_the_plan(tmp_path: Path, known: Known) -> None:
    """Together: each requires the other; either-or: each excludes the other."""
    rows = [ROW | {"id": name, "bundle": bundle, "either_or": group} for name, bundle, group in RELATED]
    (tmp_path / "a.csv").write_text(csv_of(*rows))
    a, b, c, d = (quote.offer for quote in read(tmp_path / "a.csv", known).quotes)
    assert (a.requires, b.requires) == ((b.id,), (a.id,))
    assert (c.excludes, d.excludes) == ((d.id,), (c.id,))


RELATED = (("a", "x", ""), ("b", "x", ""), ("c", "", "y"), ("d", "", "y"))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"currency": "EUR"}, "a.csv:2: currency: the currency is EUR; convert"),
        ({"currency": ""}, "a.csv:2: currency: currency is missing"),
        ({"price_per": ""}, "a.csv:2: price_per: price_per is missing; The unit"),
        ({"price_per": "fortnight"}, "a.csv:2: "),
        ({"price_usd": "cheap"}, "'cheap' is not a number"),
        ({"price_usd": "-4"}, "out of range"),
        ({"pool": "azure-gb300"}, "a.csv:2: pool: unknown pool 'azure-gb300'; "),
        ({"need": "red-wine"}, "a.csv:2: need: unknown lot 'red-wine'"),
        ({"reference": "7777777777777777"}, "is of another request than blackwell-2027"),
        ({"round": "one"}, "a.csv:2: "),
        ({"start_until": "2027-02-01"}, "ends (2027-02-01) before it begins"),
        ({"start_from": "2025-03-01", "start_until": "2025-06-01"}, "before 2026-12-01"),
        ({"blocks_max": "0"}, "a.csv:2: "),
        ({"tranches": "0 months: 0.5; 6 months: 0.4"}, "sum to 0.9"),
        ({"tranches": "half now"}, "a.csv:2: tranches: 'half now' is not a pair"),
        ({"bundle": "x"}, "bundle 'x' has one offer"),
        ({"either_or": "x"}, "either-or group 'x' has one offer"),
        ({"term": "forever"}, "'forever' is not a duration"),
        ({"colour": "blue"}, "a.csv:1: colour: unknown column 'colour'"),
    ],
)
def test_a_mistake_is_one_error_with_file_row_and_field(
    changes: dict[str, str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known: Known
) -> None:
    """Nothing of such an answer is taken."""
    monkeypatch.chdir(tmp_path)
    Path("a.csv").write_text(csv_of(ROW | changes))
    with pytest.raises(InputError) as error:
        read(Path("a.csv"), known)
    assert told in str(error.value)
    assert str(error.value).startswith("a.csv:")


def test_bundles_that_contradict_each_other_are_refused(tmp_path: Path, known: Known) -> None:
    """Together and either-or at once can never be taken."""
    both = {"bundle": "x", "either_or": "y"}
    (tmp_path / "a.csv").write_text(csv_of(ROW | both, ROW | both | {"id": "other"}))
    with pytest.raises(InputError, match="are in one bundle and exclude each other"):
        read(tmp_path / "a.csv", known)


def test_two_answers_in_one_file_and_doubled_names_are_refused(tmp_path: Path, known: Known) -> None:
    """One file is one answer, and every offer has its own name."""
    (tmp_path / "a.csv").write_text(csv_of(ROW, ROW | {"id": "b", "round": "2"}))
    with pytest.raises(InputError, match="round is '2' here and 1 above"):
        read(tmp_path / "a.csv", known)
    (tmp_path / "b.csv").write_text(csv_of(ROW, ROW))
    with pytest.raises(InputError, match="two of one id"):
        read(tmp_path / "b.csv", known)


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("a.xlsx", b"junk", "it is not a workbook"),
        ("a.pdf", b"%PDF", "is no kind of answer"),
        ("a.csv", b"", "the file is empty"),
        ("a.csv", b"\xff\xfe", "is not UTF-8"),
        ("a.json", b"[]", "an answer is a mapping"),
        ("a.yaml", b"reference: e90b4d7713a2c8f5\nround: 1\ncurrency: USD\n", "it offers nothing"),
    ],
)
def test_a_file_that_is_no_answer_says_so(name: str, data: bytes, told: str, tmp_path: Path, known: Known) -> None:
    """Whatever is sent, the error names it."""
    (tmp_path / name).write_bytes(data)
    with pytest.raises(InputError, match=told):
        read(tmp_path / name, known)


def test_a_workbook_without_the_sheet_or_too_large_is_refused(tmp_path: Path, known: Known) -> None:
    """Before anything of it is unpacked."""
    with xlsxwriter.Workbook(tmp_path / "a.xlsx") as book:
        book.add_worksheet("Other")
    with pytest.raises(InputError, match="no sheet 'Offers'"):
        read(tmp_path / "a.xlsx", known)
