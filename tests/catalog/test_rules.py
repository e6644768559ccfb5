"""Every way in which real prices are wrong is a finding with its row, and none of them becomes a price."""

from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from acreage.catalog.book import PriceBook, load_book
from acreage.domain.finding import Severity
from acreage.units.errors import InputError
from acreage.units.instants import instant

FIXTURES = Path(__file__).parent / "fixtures"
TODAY = instant("2026-11-23")
HEADER = (
    "provider,region,instance_type,accelerator,accelerators_per_instance,pricing_model,"
    "usd_per_instance_hour,as_of,source,currency"
)


def book_of(tmp_path: Path, *rows: str, snapshot: bool = False, stale_after_days: int = 180) -> PriceBook:
    """A book of normalised rows: provider, region, machine, chip, count, kind, USD, date."""
    lines = [row if row.count(",") == 9 else f"{row},test,USD" for row in rows]
    path = tmp_path / "feed.csv"
    path.write_text("\n".join([HEADER, *lines]) + "\n", encoding="utf-8")
    return load_book(today=TODAY, feeds=[str(path)], snapshot=snapshot, stale_after_days=stale_after_days)


def rules_of(book: PriceBook, row: int) -> dict[str, Severity]:
    """Rules that doubt the row on this line."""
    return {finding.rule: finding.severity for finding in book.findings if finding.row == str(row)}


def status_of(book: PriceBook, row: int) -> str:
    """What became of the row on this line."""
    return str(book.offers.filter(pl.col("row") == str(row))["status"][0])


def test_twelve_where_there_are_eight() -> None:
    """ND96isr_H100_v5 with 12 GPUs is rejected, on demand and spot, in all three regions."""
    book = load_book(today=TODAY, feeds=[str(FIXTURES / "azure_v6.csv")], snapshot=False)
    rows = book.offers.filter(pl.col("instance_type") == "Standard_ND96isr_H100_v5")
    assert rows["status"].to_list() == ["rejected"] * 6
    assert set(rows["rule"]) == {"wrong_count"}


@pytest.mark.parametrize(
    "machine", ["8x-h100-sxm", "gpu_8x_h100", "h100-sxm4x8", "gpu-h100_8gpu-128vcpu", "8H100.240V", "acme-8g"]
)
def test_count_in_the_name_of_an_unknown_cloud(tmp_path: Path, machine: str) -> None:
    """A machine nobody knows, whose name says 8, is not believed to have 12."""
    book = book_of(tmp_path, f"acme,x,{machine},H100,12,on_demand,30,2026-11-01")
    assert (status_of(book, 2), "wrong_count" in rules_of(book, 2)) == ("rejected", True)


def test_twelve_h100_are_no_whole_boards(tmp_path: Path) -> None:
    """12 H100 are no number of 8-GPU boards, 16 are two; 3 are part of one."""
    rows = [f"acme,x,m{count},H100,{count},on_demand,{count * 3},2026-11-01" for count in (12, 16, 3)]
    book = book_of(tmp_path, *rows)
    assert [status_of(book, line) for line in (2, 3, 4)] == ["rejected", "price", "price"]


def test_placeholders_of_gcp() -> None:
    """700.0 and 0.0 become no price, whoever stands next to them."""
    book = load_book(today=TODAY, feeds=[str(FIXTURES / "gcp_v8.csv")], snapshot=False)
    assert set(book.offers.filter(pl.col("price_text") == "700.0")["status"]) == {"rejected"}
    assert set(book.offers.filter(pl.col("price_text") == "0.0")["status"]) == {"rejected"}
    hosts = book.offers.filter(pl.col("instance_type") == "a4-highgpu-8g")
    assert set(hosts["rule"]) == {"host_without_accelerators"}


def test_commitment_prices_in_the_on_demand_column_of_gcp() -> None:
    """The H100 at 33.61 and the H200 at 36.60 for eight are rejected; regions at 74 to 102 stay."""
    book = load_book(today=TODAY, feeds=[str(FIXTURES / "gcp_v8.csv")], snapshot=False)
    rows = book.offers.filter((pl.col("price_kind") == "on_demand") & pl.col("instance_type").str.starts_with("a3"))
    low = pl.col("price_text").str.ends_with("33.60609") | pl.col("price_text").str.ends_with("36.60258")
    assert set(rows.filter(low)["rule"]) == {"commitment_as_on_demand"}
    assert set(rows.filter(~low)["status"]) == {"price"}


def test_spot_at_a_tenth_and_spot_without_discount() -> None:
    """AWS's spot at exactly a tenth is rejected, spot at the on-demand price is an unknown."""
    book = load_book(today=TODAY, feeds=[str(FIXTURES / "aws_v8.csv")], snapshot=False)
    spot = book.offers.filter(pl.col("price_kind") == "spot")
    assert set(spot.filter(pl.col("rule") == "spot_tenth")["status"]) == {"rejected"}
    assert set(spot.filter(pl.col("rule") == "spot_equals_on_demand")["status"]) == {"unknown"}
    assert book.prices.filter((pl.col("price_kind") == "spot") & (pl.col("zone") == "apne2-az3")).is_empty()


def test_spot_above_on_demand(tmp_path: Path) -> None:
    """Spot dearer than on-demand is a mistake of one of them; the spot row goes."""
    book = book_of(tmp_path, "acme,x,m,H100,8,on_demand,24,2026-11-01", "acme,x,m,H100,8,spot,30,2026-11-01")
    assert [status_of(book, line) for line in (2, 3)] == ["price", "rejected"]
    assert rules_of(book, 3) == {"spot_above_on_demand": Severity.ERROR}


def test_foreign_currency_and_missing_and_unreadable(tmp_path: Path) -> None:
    """Yuan are rejected, an empty price is an unknown, '4-6' is rejected; each says so."""
    book = book_of(
        tmp_path,
        "acme,x,m,H100,8,on_demand,24,2026-11-01,test,CNY",
        "acme,x,n,H100,8,on_demand,,2026-11-01",
        "acme,x,o,H100,8,on_demand,4-6,2026-11-01",
    )
    assert [status_of(book, line) for line in (2, 3, 4)] == ["rejected", "unknown", "rejected"]
    assert list(rules_of(book, 2)) == ["foreign_currency"]
    assert list(rules_of(book, 3)) == ["missing_price"]
    assert list(rules_of(book, 4)) == ["unreadable_price"]


def test_dates(tmp_path: Path) -> None:
    """Stale, year-only and undated prices stay prices and say so; one of next year is out of scope."""
    book = book_of(
        tmp_path,
        "acme,x,m,H100,8,on_demand,24,2026-01-01",
        "acme,x,n,H100,8,on_demand,24,2026",
        "acme,x,o,H100,8,on_demand,24,",
        "acme,x,p,H100,8,on_demand,24,2027-01-01",
    )
    assert [set(rules_of(book, line)) for line in (2, 3, 4, 5)] == [
        {"stale"}, {"year_only", "stale"}, {"undated"}, {"not_in_force"},
    ]  # fmt: skip
    assert [status_of(book, line) for line in (2, 3, 4, 5)] == ["price", "price", "price", "out_of_scope"]


def test_outlier_is_told_by_the_snapshot(tmp_path: Path) -> None:
    """A feed of two rows at 60 dollars an H100-hour is doubted although its rows agree with each other."""
    rows = [f"acme,r{n},m,H100,8,on_demand,480,2026-11-01" for n in (1, 2)]
    book = book_of(tmp_path, *rows)
    assert rules_of(book, 2) == {"outlier": Severity.WARNING}


def test_contradiction_keeps_the_dearer(tmp_path: Path) -> None:
    """Two prices of one thing on one day: the cheaper is rejected, the dearer doubted."""
    book = book_of(tmp_path, "acme,x,m,H100,8,on_demand,24,2026-11-01", "acme,x,m,H100,8,on_demand,26,2026-11-01")
    assert [status_of(book, line) for line in (2, 3)] == ["rejected", "price"]
    assert rules_of(book, 3) == {"contradictory": Severity.WARNING}


def test_newest_wins_and_duplicates_count_once(tmp_path: Path) -> None:
    """An older price is superseded, a repeated one out of scope; both keep their row."""
    book = book_of(
        tmp_path,
        "acme,x,m,H100,8,on_demand,24,2026-10-01",
        "acme,x,m,H100,8,on_demand,26,2026-11-01",
        "acme,x,m,H100,8,on_demand,26,2026-11-01",
        "acme,x,m,H100,8,on_demand,20,2026",
    )
    assert [status_of(book, line) for line in (2, 3, 4, 5)] == [
        "out_of_scope",
        "price",
        "out_of_scope",
        "out_of_scope",
    ]
    assert [set(rules_of(book, line)) for line in (2, 4, 5)] == [
        {"superseded"},
        {"duplicate"},
        {"superseded"},
    ]


def test_size_that_does_not_scale(tmp_path: Path) -> None:
    """Eight H100 at the price of one are doubted."""
    rows = ["acme,x,a,H100,1,on_demand,3,2026-11-01", "acme,x,b,H100,2,on_demand,6,2026-11-01"]
    book = book_of(tmp_path, *rows, "acme,x,c,H100,8,on_demand,3,2026-11-01")
    assert "size_does_not_scale" in rules_of(book, 4)


def test_flat_price_of_a_market_is_doubted() -> None:
    """Mithril lists every chip at its auction floor of one dollar."""
    book = load_book(today=TODAY, feeds=[str(FIXTURES / "mithril_v8.csv")], snapshot=False)
    assert {"flat_price", "spot_equals_on_demand"} <= {finding.rule for finding in book.findings}


def test_chips_without_list_price_are_said_to_be_so() -> None:
    """Trainium2, TPU v7 and Maia have no list price in the snapshot, and the book says so."""
    book = load_book(today=TODAY)
    missing = {finding.subject for finding in book.findings if finding.rule == "no_list_price"}
    assert {"Trainium2", "TPU-v7", "Maia200"} <= missing
    assert book.cheapest("Trn2").is_empty()


def test_the_snapshot_has_no_errors() -> None:
    """What ships has been looked at: nothing in it is rejected."""
    book = load_book(today=TODAY)
    assert (book.offers["status"] == "price").all()
    assert "error" not in set(book.doubts["severity"])


_CELLS = st.one_of(
    st.sampled_from(["", "0", "0.0", "-1", "700.0", "nan", "inf", "4-6", "1e9", "$3.20", "n/a", "é", "12", "8", "1"]),
    st.text(alphabet="abcxyz0123456789.-/_ ", max_size=12),
    st.floats(min_value=0.01, max_value=500).map(str),
)
_FILES = ["normalised.csv", "aws_v8.csv", "azure_v6.csv", "gcp_v8.csv", "verda_v8.csv"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_nothing_is_lost_whatever_the_cells_hold(tmp_path: Path, data: st.DataObject) -> None:
    """Rows in = prices + unknowns + rejected + out of scope, for feeds with cells replaced at random."""
    name = data.draw(st.sampled_from(_FILES))
    frame = pl.read_csv(FIXTURES / name, infer_schema=False).head(40)
    for _ in range(data.draw(st.integers(1, 12))):
        column = data.draw(st.sampled_from(frame.columns))
        row = data.draw(st.integers(0, frame.height - 1))
        values = frame[column].to_list()
        values[row] = data.draw(_CELLS)
        frame = frame.with_columns(pl.Series(column, values, dtype=pl.String))
    path = tmp_path / name
    frame.write_csv(path)
    try:
        book = load_book(today=TODAY, feeds=[str(path)], snapshot=False)
    except InputError:
        return
    lines = [line for line in path.read_text(encoding="utf-8").splitlines()[1:] if line.strip('," ')]
    cells = len(lines) * (1 if name == "normalised.csv" else 2)
    assert book.offers.height == cells
    assert sum(book.counts.row(0)[2:]) == cells
    prices = book.prices
    assert (prices["price_micro_usd_per_unit_hour"] > 0).all()
    assert (prices["currency"] == "USD").all()
    assert prices["accelerator"].is_not_null().all()
    assert (prices["accelerators_per_unit"] >= 1).all()
