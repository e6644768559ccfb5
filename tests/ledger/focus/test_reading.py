"""Bills are read exactly, or refused with the place of the first thing wrong."""

import gzip
import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from acreage.ledger.focus.columns import allowed_values, columns_of
from acreage.ledger.focus.reading import read_focus
from acreage.ledger.focus.source import ROW
from acreage.units.errors import InputError
from tests.ledger.focus.bills import CELLS, csv_text, write_bill

SAMPLE = Path(__file__).parents[4] / "shared" / "data" / "schemas" / "focus" / "focus_1.0_sample.csv"


def refusal(path: Path) -> InputError:
    """The error that reading a file raises."""
    with pytest.raises(InputError) as caught:
        read_focus(path)
    assert caught.value.place is not None
    assert caught.value.place.file == str(path)
    return caught.value


def test_the_real_sample_is_read_exactly() -> None:
    """All 700 rows of the public FOCUS 1.0 sample come in, to the last digit."""
    assert SAMPLE.exists(), f"the public sample is not at {SAMPLE}"
    frame = read_focus(SAMPLE)
    assert frame.columns == [*(column.id for column in columns_of()), ROW, "Id"]
    assert frame[ROW].to_list() == list(range(2, 702))
    assert frame["BilledCost"][0] == Decimal("0.0000008")
    assert Decimal("-0.001528156921268") in frame["ConsumedQuantity"].to_list()
    assert frame["ChargePeriodStart"][0] == datetime(2024, 9, 18, 22, tzinfo=UTC)
    assert frame["ContractedCost"].null_count() == 5
    assert frame["ChargeFrequency"].unique().sort().to_list() == ["One-Time", "Usage-Based"]
    assert json.loads(frame["Tags"][1])["environment"]
    for name, values in allowed_values().items():
        assert set(frame[name].drop_nulls()) <= set(values)


def test_a_frame_has_every_column_with_its_type(tmp_path: Path) -> None:
    """Columns that a file lacks are null, unknown ones are kept as text behind all others."""
    frame = read_focus(write_bill(tmp_path, {"x_Note": "007"}))
    expected = {column.id: column.dtype for column in columns_of()} | {ROW: pl.Int64(), "x_Note": pl.String()}
    assert dict(frame.schema) == expected
    assert frame["x_Note"].to_list() == ["007"]
    assert frame["SkuPriceId"].to_list() == [None]
    assert frame["BilledCost"].to_list() == [Decimal("12.5")]
    assert frame["Tags"].to_list() == [CELLS["Tags"]]


@pytest.mark.parametrize("text", ["", "NULL", "null"])
def test_every_spelling_of_null_is_null(tmp_path: Path, text: str) -> None:
    """Empty, NULL and null all mean that there is no value."""
    frame = read_focus(write_bill(tmp_path, {"RegionId": text, "ListUnitPrice": text, "ContractedCost": text}))
    assert frame.select("RegionId", "ListUnitPrice", "ContractedCost").row(0) == (None, None, None)


@pytest.mark.parametrize(
    "text",
    [
        "2025-12-31T22:00:00Z",
        "2025-12-31T22:00:00",
        "2025-12-31 22:00:00",
        "2025-12-31T22:00:00.000Z",
        "2026-01-01T00:00:00+02:00",
        "2025-12-31 22:00:00 UTC",
        "2025-12-31T22:00Z",
    ],
)
def test_every_spelling_of_a_date_is_the_same_instant(tmp_path: Path, text: str) -> None:
    """ISO dates with Z, with an offset and without a zone are read as UTC."""
    frame = read_focus(write_bill(tmp_path, {"ChargePeriodStart": text}, {}))
    assert frame["ChargePeriodStart"].to_list()[0] == datetime(2025, 12, 31, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-07", "0.0000001"),
        ("1.5E+3", "1500"),
        ("-0.000000000001", "-0.000000000001"),
        ("12345678901234567890.123456789012345678", "12345678901234567890.123456789012345678"),
        ("0.30000000000000004441", "0.300000000000000044"),
        ("2.5e-18", "0.000000000000000002"),
        ("1.50000000000000000000", "1.5"),
        ("0.1", "0.1"),
        ("+4", "4"),
    ],
)
def test_a_number_is_kept_to_the_last_digit(tmp_path: Path, text: str, value: str) -> None:
    """Numbers never pass through a float."""
    frame = read_focus(write_bill(tmp_path, {"BilledCost": text}))
    assert frame["BilledCost"].to_list() == [Decimal(value)]


def test_closed_sets_get_the_spelling_of_the_specification(tmp_path: Path) -> None:
    """Differences of case in allowed values are no difference."""
    frame = read_focus(write_bill(tmp_path, {"ChargeFrequency": "usage-based", "ChargeCategory": "CREDIT"}))
    assert frame.select("ChargeFrequency", "ChargeCategory").row(0) == ("Usage-Based", "Credit")


WRONG_CELLS: list[tuple[str, str, str]] = [
    ("BilledCost", "twelve", "not a number"),
    ("BilledCost", "NaN", "not a number"),
    ("ListCost", "inf", "not a number"),
    ("BilledCost", "1,000", "not a number"),
    ("BilledCost", "123456789012345678901.5", "more digits"),
    ("BilledCost", "1e30", "more digits"),
    ("BilledCost", "", "empty"),
    ("EffectiveCost", "NULL", "empty"),
    ("BillingCurrency", "", "empty"),
    ("ServiceName", "null", "empty"),
    ("ChargePeriodStart", "", "empty"),
    ("ChargePeriodStart", "01/02/2026", "not a date"),
    ("BillingPeriodStart", "2026-13-01T00:00:00Z", "not a date"),
    ("ChargePeriodEnd", "2026-01-01T00:00:00Z", "not after ChargePeriodStart"),
    ("BillingPeriodEnd", "2025-12-01T00:00:00Z", "not after BillingPeriodStart"),
    ("ChargeCategory", "Fee", "unknown"),
]


@pytest.mark.parametrize(("field", "text", "words"), WRONG_CELLS)
def test_a_wrong_cell_is_named_with_line_and_column(tmp_path: Path, field: str, text: str, words: str) -> None:
    """The error names the line as a spreadsheet shows it, the column and the fault."""
    error = refusal(write_bill(tmp_path, {}, {"ChargeDescription": "two\nlines"}, {field: text}, {}))
    assert error.place is not None
    assert (error.place.line, error.place.field) == (4, field)
    assert words in error.what


def test_the_first_wrong_row_is_named(tmp_path: Path) -> None:
    """Of several faults the one in the first row counts, whatever the columns."""
    path = write_bill(tmp_path, {}, {"ServiceName": ""}, {"BilledCost": "x"})
    error = refusal(path)
    assert error.place is not None
    assert (error.place.line, error.place.field) == (3, "ServiceName")


FORMULAS = [
    "=1+1",
    '=HYPERLINK("x")',
    "@SUM(1)",
    "+SUM(1+1)",
    "-2+3+cmd|' /C calc'!A0",
    "\t=1+1",
    '-hyperlink ("x")',
    "\uff1d1+1",
]


@pytest.mark.parametrize("text", FORMULAS)
@pytest.mark.parametrize("field", ["ChargeDescription", "x_Note"])
def test_a_formula_is_refused(tmp_path: Path, field: str, text: str) -> None:
    """A cell that a spreadsheet would run is an error, in columns of FOCUS and in others."""
    error = refusal(write_bill(tmp_path, {}, {field: text}))
    assert error.place is not None
    assert (error.place.line, error.place.field) == (3, field)
    assert "formula" in error.what


@pytest.mark.parametrize("text", ["-", "- a discount", "-5%", "@team", "+49 30 1234", "-20% (EDP)", "a=b(c)", "="])
def test_ordinary_text_is_no_formula(tmp_path: Path, text: str) -> None:
    """A dash, a sign before a number or a word are what people write."""
    frame = read_focus(write_bill(tmp_path, {"ChargeDescription": text, "BilledCost": "-12.5"}))
    assert frame.select("ChargeDescription", "BilledCost").row(0) == (text, Decimal("-12.5"))


def test_missing_columns_are_all_named_with_their_version(tmp_path: Path) -> None:
    """One error lists every mandatory column that is not there and since when FOCUS has it."""
    path = tmp_path / "bill.csv"
    path.write_text(csv_text([{}], [name for name in CELLS if name not in ("BilledCost", "ListCost")]))
    what = refusal(path).what
    assert "BilledCost (since FOCUS 0.5)" in what
    assert "ListCost (since FOCUS 1.0-preview)" in what
    assert "ServiceName" not in what


GOOD = csv_text([{}])
LAST = GOOD.splitlines()[-1]


@pytest.mark.parametrize(
    ("name", "content", "line", "words"),
    [
        ("empty.csv", b"", None, "empty"),
        ("blank.csv", b"\n\n", 1, "no header"),
        ("image.csv", b"\x89PNG\r\n\x1a\n\x00\x00", 1, "not a CSV file"),
        ("latin.csv", (GOOD + LAST.replace("Example", "Bj\u00f6rn") + "\n").encode("latin-1"), 3, "not UTF-8"),
        ("long.csv", (GOOD + LAST + ",1\n").encode(), 3, "fields where the header has"),
        ("cut.csv", (GOOD + LAST[:60]).encode(), 3, "fields where the header has"),
        ("quote.csv", (GOOD + '"' + LAST + "\n").encode(), 3, "not valid CSV"),
        ("twice.csv", GOOD.replace("Tags", "BilledCost", 1).encode(), 1, "BilledCost occurs twice"),
        ("unnamed.csv", GOOD.replace("Tags", "", 1).encode(), 1, "has no name"),
        ("row.csv", GOOD.replace("Tags", ROW, 1).encode(), 1, "named Row"),
        ("formula.csv", GOOD.replace("Tags", "=1+1", 1).encode(), 1, "is a formula"),
        ("cut.csv.gz", gzip.compress(GOOD.encode())[:-20], 1, "cannot be unpacked"),
        ("text.parquet", GOOD.encode(), None, "not a Parquet file"),
        ("cut.parquet", b"PAR1 and no more", None, "not a Parquet file"),
    ],
)
def test_a_file_that_is_no_bill_is_refused(
    tmp_path: Path, name: str, content: bytes, line: int | None, words: str
) -> None:
    """What is no file of the kind it claims to be is one error with its line."""
    path = tmp_path / name
    path.write_bytes(content)
    error = refusal(path)
    assert words in error.what
    assert error.place is not None
    assert error.place.line == line


def test_a_path_that_is_no_file_is_refused(tmp_path: Path) -> None:
    """A missing file and a folder cannot be read."""
    for path in (tmp_path / "none.csv", tmp_path):
        assert "cannot be read" in refusal(path).what


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "\ufeff" + text,
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("\n", "\n\n", 1),
        lambda text: text + "\n\n",
    ],
    ids=["byte-order mark", "CRLF", "blank line inside", "blank lines at the end"],
)
def test_how_editors_save_makes_no_difference(tmp_path: Path, change: object) -> None:
    """Marks, line ends and blank lines are no cells; a blank line still counts as a line."""
    assert callable(change)
    path = tmp_path / "bill.csv"
    path.write_bytes(change(csv_text([{}, {"BilledCost": "3"}])).encode())
    frame = read_focus(path)
    assert frame["BilledCost"].to_list() == [Decimal("12.5"), Decimal(3)]
    assert frame[ROW].to_list() in ([2, 3], [3, 4])


def test_a_packed_file_reads_like_the_plain_one(tmp_path: Path) -> None:
    """CSV.gz is CSV."""
    plain = write_bill(tmp_path, {}, {"BilledCost": "3"})
    packed = tmp_path / "bill.csv.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert read_focus(packed).equals(read_focus(plain))


def test_a_header_alone_is_a_bill_without_charges(tmp_path: Path) -> None:
    """No rows are no error."""
    frame = read_focus(write_bill(tmp_path))
    assert len(frame) == 0
    assert frame.schema["BilledCost"] == pl.Decimal(38, 18)


def parquet(folder: Path, changes: Mapping[str, pl.Series]) -> Path:
    """A Parquet bill of two rows, some columns replaced."""
    path = folder / "bill.parquet"
    frame = pl.DataFrame({name: [text or None] * 2 for name, text in CELLS.items()})
    frame.with_columns(series.alias(name) for name, series in changes.items()).write_parquet(path)
    return path


def test_parquet_types_become_the_same_frame(tmp_path: Path) -> None:
    """Floats come in by their shortest text, maps as JSON, dates from any resolution and zone."""
    zone = pl.Series([datetime(2025, 12, 1), datetime(2025, 12, 2)], dtype=pl.Datetime("ns"))
    path = parquet(
        tmp_path,
        {
            "BilledCost": pl.Series([0.1, 1e-7]),
            "ListCost": pl.Series([1, 2]),
            "EffectiveCost": pl.Series([Decimal("1.25"), Decimal("-3")], dtype=pl.Decimal(20, 4)),
            "ChargePeriodStart": zone,
            "BillingPeriodStart": zone.dt.replace_time_zone("Europe/Berlin"),
            "BillingPeriodEnd": pl.Series([date(2026, 2, 1)] * 2),
            "ChargeClass": pl.Series(["NULL", "correction"]),
            "Tags": pl.Series([[{"key": "team", "value": "a"}], None]),
            "x_Pair": pl.Series([{"a": 1}, None]),
        },
    )
    frame = read_focus(path)
    assert frame["BilledCost"].to_list() == [Decimal("0.1"), Decimal("0.0000001")]
    assert frame["ListCost"].to_list() == [Decimal(1), Decimal(2)]
    assert frame["EffectiveCost"].to_list() == [Decimal("1.25"), Decimal(-3)]
    assert frame["ChargePeriodStart"][0] == datetime(2025, 12, 1, tzinfo=UTC)
    assert frame["BillingPeriodStart"][0] == datetime(2025, 11, 30, 23, tzinfo=UTC)
    assert frame["BillingPeriodEnd"][0] == datetime(2026, 2, 1, tzinfo=UTC)
    assert frame["ChargeClass"].to_list() == [None, "Correction"]
    assert frame["Tags"].to_list() == ['{"team": "a"}', None]
    assert frame["x_Pair"].to_list() == ['{"a":1}', None]
    assert frame[ROW].to_list() == [2, 3]


@pytest.mark.parametrize(
    ("field", "series", "words"),
    [
        ("BilledCost", pl.Series([1.0, float("nan")]), "not a number"),
        ("BilledCost", pl.Series([1.0, 1e21]), "more digits"),
        ("BilledCost", pl.Series([1.0, None]), "empty"),
        ("ChargeDescription", pl.Series(["fine", "=1+1"]), "formula"),
    ],
)
def test_a_wrong_cell_of_parquet_is_named(tmp_path: Path, field: str, series: pl.Series, words: str) -> None:
    """Parquet has the same rules and counts its rows as a spreadsheet would."""
    error = refusal(parquet(tmp_path, {field: series}))
    assert error.place is not None
    assert (error.place.line, error.place.field) == (3, field)
    assert words in error.what


def test_a_parquet_column_without_text_is_refused(tmp_path: Path) -> None:
    """Bytes and lists have no text to read."""
    error = refusal(parquet(tmp_path, {"x_Raw": pl.Series([b"a", b"b"])}))
    assert error.place is not None
    assert error.place.field == "x_Raw"
