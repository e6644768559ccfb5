"""What is written is FOCUS, comes back as it was, and holds nothing made up."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acreage.ledger.focus.columns import columns_of
from acreage.ledger.focus.reading import read_focus
from acreage.ledger.focus.source import NULLS, ROW
from acreage.ledger.focus.validate import faults
from acreage.ledger.focus.writing import charge_rows, cost_and_usage, write_focus
from acreage.units.errors import InputError
from tests.ledger.focus.bills import CELLS, charge, every_kind, write_bill
from tests.ledger.focus.test_reading import FORMULAS, SAMPLE

VERSIONS = ("1.0", "1.1", "1.2")
SUFFIXES = (".csv", ".csv.gz", ".parquet")


@pytest.mark.parametrize("version", VERSIONS)
def test_computed_charges_are_focus(version: str) -> None:
    """Rows of every kind of charge keep every rule of every version."""
    frame = cost_and_usage(charge_rows(every_kind()), version)
    assert faults(frame, version) == []


def test_versions_differ_in_their_columns() -> None:
    """FOCUS 1.0 has 43 columns and 1.2 has 57, in one order."""
    rows = charge_rows(every_kind())
    old, new = cost_and_usage(rows, "1.0"), cost_and_usage(rows, "1.2")
    assert (len(old.columns), len(new.columns)) == (43, 57)
    assert old.columns == [name for name in new.columns if name in old.columns]
    assert set(new.columns) - set(old.columns) >= {"SkuMeter", "InvoiceId", "CommitmentDiscountUnit"}
    with pytest.raises(InputError, match="not known"):
        cost_and_usage(rows, "2.0")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_charges_come_back_as_they_were(tmp_path: Path, version: str, suffix: str) -> None:
    """Writing and reading again changes no cell."""
    rows = charge_rows(every_kind())
    path = tmp_path / f"out{suffix}"
    write_focus(cost_and_usage(rows, version), path)
    back = read_focus(path)
    kept = [column.id for column in columns_of(version)]
    assert back.select(kept, ROW).equals(rows.select(kept, ROW))
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_real_sample_comes_back_as_it_was(tmp_path: Path, suffix: str) -> None:
    """Read, written and read again, the public sample is the same but for the costs FOCUS wants filled."""
    assert SAMPLE.exists(), f"the public sample is not at {SAMPLE}"
    first = cost_and_usage(read_focus(SAMPLE), "1.0")
    path = tmp_path / f"out{suffix}"
    write_focus(first, path)
    assert cost_and_usage(read_focus(path), "1.0").equals(first)
    empty = read_focus(SAMPLE)["ContractedCost"].is_null()
    assert first.filter(empty)["ContractedCost"].equals(first.filter(empty)["BilledCost"], check_names=False)


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=12)
SAFE = TEXTS.filter(lambda text: text not in NULLS and text.lstrip()[:1] not in tuple("=@+-\uff1d\uff20\uff0b\uff0d"))
MONEY = st.integers(-(10**30), 10**30).map(lambda units: Decimal(f"{units}E-12"))
MOMENTS = st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))


@settings(max_examples=60, deadline=None)
@given(data=st.lists(st.tuples(st.one_of(st.none(), SAFE), MONEY, MOMENTS), min_size=1, max_size=5))
def test_any_text_amount_and_instant_survives_a_csv_file(
    tmp_path_factory: pytest.TempPathFactory, data: list[tuple[str | None, Decimal, datetime]]
) -> None:
    """Quotes, commas, line ends, tiny and huge amounts and microseconds come back."""
    rows = charge_rows([charge("fee", 1)] * len(data)).with_columns(
        pl.Series("ChargeDescription", [text for text, _, _ in data], dtype=pl.String),
        pl.Series("BilledCost", [amount for _, amount, _ in data], dtype=pl.Decimal(38, 18)),
        pl.Series("ChargePeriodStart", [at for _, _, at in data], dtype=pl.Datetime("us", "UTC")),
        pl.Series("ChargePeriodEnd", [at + timedelta(hours=1) for _, _, at in data], dtype=pl.Datetime("us", "UTC")),
    )
    path = tmp_path_factory.mktemp("any") / "out.csv"
    write_focus(cost_and_usage(rows, "1.2"), path)
    assert read_focus(path).equals(rows)


def test_csv_is_spelled_as_focus_wants(tmp_path: Path) -> None:
    """Dates end in Z, numbers are plain, null is nothing."""
    rows = charge_rows([charge("fee", 1, billed_micro_usd=1, region="")])
    path = tmp_path / "out.csv"
    write_focus(cost_and_usage(rows, "1.0"), path)
    header, line = path.read_text(encoding="utf-8").splitlines()
    cells = dict(zip(header.split(","), line.split('"')[0].split(","), strict=False))
    assert cells["BillingPeriodStart"] == "2026-01-01T00:00:00Z"
    assert (cells["BilledCost"], cells["PricingQuantity"]) == ("0.000001", "1.0")
    assert cells["RegionId"] == ""


def test_billed_and_effective_cost_agree_over_a_settled_lease() -> None:
    """What was paid ahead is in the fees, so that each sum counts everything once."""
    rows = charge_rows(every_kind())
    assert rows["BilledCost"].sum() == rows["EffectiveCost"].sum()


def test_each_kind_is_named_as_focus_names_it() -> None:
    """Fees are committed usage, payments ahead purchases, and what was not spent is unused."""
    rows = charge_rows(every_kind())
    by_kind = dict(zip([c.id for c in every_kind()], rows.iter_rows(named=True), strict=True))
    fee, ahead, short = by_kind["c-fee"], by_kind["c-prepayment"], by_kind["c-shortfall"]
    assert (fee["ChargeCategory"], fee["PricingCategory"], fee["CommitmentDiscountId"]) == (
        "Usage",
        "Committed",
        "res-77",
    )
    assert (fee["PricingQuantity"], fee["ContractedUnitPrice"]) == (Decimal(5952), Decimal("2.5"))
    assert (fee["ConsumedQuantity"], fee["ConsumedUnit"]) == (Decimal(5952), "Accelerator-Hours")
    assert (ahead["ChargeCategory"], ahead["ChargeFrequency"]) == ("Purchase", "One-Time")
    assert (ahead["EffectiveCost"], ahead["ContractedUnitPrice"]) == (Decimal(0), Decimal(1000))
    assert (short["CommitmentDiscountStatus"], short["CommitmentDiscountUnit"]) == ("Unused", "USD")
    assert by_kind["c-sla_credit"]["ChargeCategory"] == "Credit"
    assert by_kind["c-termination_fee"]["ChargeCategory"] == "Adjustment"
    assert by_kind["c-refund"]["ChargeClass"] == "Correction"
    assert by_kind["c-idle"]["CommitmentDiscountStatus"] == "Unused"
    assert by_kind["c-odd"]["ContractedCost"] == Decimal("0.000000648796296296")
    assert '"acreage_lease": "L-1"' in fee["Tags"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"kind": "bribe"}, "no kind of charge"),
        ({"until_at": 0}, "does not end after its start"),
        ({"accelerator_seconds": -1}, "negative time"),
    ],
)
def test_a_charge_that_cannot_be_is_refused(changes: dict[str, object], words: str) -> None:
    """The charge is named by its id."""
    with pytest.raises(InputError, match=words) as caught:
        charge_rows([charge("fee", 1, **changes)])
    assert caught.value.place is not None
    assert caught.value.place.field == "c-fee"


def test_costs_are_filled_only_where_focus_says_with_what() -> None:
    """Price times quantity, else what was billed; a tax and a cost of usage are not guessed."""
    rows = charge_rows([charge("fee", 3), charge("sla_credit", -2)])
    none = pl.lit(None, pl.Decimal(38, 18))
    filled = cost_and_usage(rows.with_columns(ContractedCost=none, ListCost=none), "1.0")
    assert filled["ContractedCost"].to_list() == [Decimal(3), Decimal(-2)]
    assert filled["ListCost"].to_list() == [Decimal(3), Decimal(-2)]
    with pytest.raises(InputError, match="EffectiveCost") as caught:
        cost_and_usage(rows.with_columns(EffectiveCost=none), "1.0")
    assert caught.value.place is not None
    assert caught.value.place.line == 2
    credit = cost_and_usage(rows.with_columns(EffectiveCost=none).filter(ChargeCategory="Credit"), "1.0")
    assert credit["EffectiveCost"].to_list() == [Decimal(-2)]
    tax = rows.with_columns(ListCost=none, ChargeCategory=pl.lit("Tax"))
    with pytest.raises(InputError, match="ListCost"):
        cost_and_usage(tax, "1.0")


@pytest.mark.parametrize("name", [c.id for c in columns_of() if c.mandatory and not c.nullable])
def test_a_null_that_focus_does_not_allow_is_refused(name: str) -> None:
    """Row and column of the first are named, by the line of the file the row came from."""
    rows = charge_rows([charge("fee", 3), charge("prepayment", 2)]).with_columns(pl.col(ROW) + 100)
    broken = rows.with_columns(pl.when(pl.col(ROW) == 102).then(pl.col(name)).alias(name))
    if name in ("ContractedCost", "ListCost"):
        assert cost_and_usage(broken, "1.2").equals(cost_and_usage(rows, "1.2"))
        return
    with pytest.raises(InputError, match="empty") as caught:
        cost_and_usage(broken, "1.2")
    assert caught.value.place is not None
    assert caught.value.place.line == 103
    assert caught.value.place.field == name


def test_a_column_that_may_be_left_out_is_whole_or_empty(tmp_path: Path) -> None:
    """ChargeFrequency may be missing, but not from some rows."""
    rows = read_focus(write_bill(tmp_path, {"ChargeFrequency": ""}, {"ChargeFrequency": ""}))
    assert cost_and_usage(rows, "1.2")["ChargeFrequency"].null_count() == 2
    rows = read_focus(write_bill(tmp_path, {"ChargeFrequency": ""}, {}))
    with pytest.raises(InputError, match="ChargeFrequency"):
        cost_and_usage(rows, "1.2")


@pytest.mark.parametrize("text", FORMULAS)
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_no_formula_is_written(tmp_path: Path, text: str, suffix: str) -> None:
    """What a spreadsheet would run does not leave the house, and no file is left behind."""
    rows = cost_and_usage(charge_rows([charge("fee", 1), charge("fee", 1, description=text)]), "1.0")
    with pytest.raises(InputError, match="formula") as caught:
        write_focus(rows, tmp_path / f"out{suffix}")
    assert caught.value.place is not None
    assert (caught.value.place.line, caught.value.place.field) == (3, "ChargeDescription")
    assert list(tmp_path.iterdir()) == []


def test_a_path_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    """Other suffixes and missing folders are the caller's mistake."""
    rows = cost_and_usage(charge_rows([charge("fee", 1)]), "1.0")
    for name in ("out.xlsx", "out", "none/out.csv"):
        with pytest.raises(InputError, match=r"cannot (be written|write)"):
            write_focus(rows, tmp_path / name)


def test_no_charges_are_an_empty_file(tmp_path: Path) -> None:
    """Nothing to bill is a header without rows."""
    path = tmp_path / "out.csv"
    write_focus(cost_and_usage(charge_rows([]), "1.2"), path)
    assert len(read_focus(path)) == 0


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("ChargeCategory", "Fee", "ChargeCategory is 'Fee'"),
        ("ChargeFrequency", "Usage-Based", "not usage-based"),
        ("CommitmentDiscountUnit", None, "CommitmentDiscountUnit is given"),
        ("PricingUnit", None, "PricingUnit is given"),
        ("SkuPriceId", None, "SkuPriceId is given"),
        ("ContractedCost", Decimal(5), "is ContractedUnitPrice times"),
        ("CommitmentDiscountQuantity", Decimal(-1), "is positive"),
        ("ConsumedQuantity", Decimal(1), "has its unit"),
        ("BillingPeriodEnd", datetime(2020, 1, 1, tzinfo=UTC), "is after"),
        ("BilledCost", None, "BilledCost is empty"),
    ],
)
def test_the_rules_find_what_is_wrong(name: str, value: object, words: str) -> None:
    """The check that our own files pass can fail."""
    rows = cost_and_usage(charge_rows([charge("prepayment", 1)]), "1.2")
    broken = rows.with_columns(pl.lit(value, rows.schema[name]).alias(name))
    assert any(words in fault for fault in faults(broken, "1.2"))
    assert faults(rows.drop(name), "1.2")


def test_a_charge_without_a_price_is_one_piece() -> None:
    """Price times quantity is what is billed, for money paid back too."""
    rows = charge_rows([charge("fee", -7, accelerator_seconds=10), charge("fee", 7, accelerator_seconds=3600)])
    assert rows["PricingQuantity"].to_list() == [Decimal(-1), Decimal(1)]
    assert rows["ContractedUnitPrice"].to_list() == [Decimal(7), Decimal(7)]
    unit = charge("fee", 7, accelerator_seconds=3600, unit_micro_usd_per_accelerator_hour=Fraction(7_000_000))
    assert charge_rows([unit])["PricingUnit"].to_list() == ["Accelerator-Hours"]
    assert CELLS["PricingUnit"] == "Accelerator-Hours"
