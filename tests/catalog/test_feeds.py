"""Every feed keeps the contract of feeds on an excerpt of the real thing, and its own quirks."""

import json
from pathlib import Path

import polars as pl
import pytest

from acreage.catalog.book import load_book, read_file
from acreage.catalog.feeds.document import open_document
from acreage.catalog.feeds.registry import FEEDS, feed_for
from acreage.catalog.table import QUOTES, STATUSES
from acreage.units.errors import InputError
from acreage.units.instants import instant

FIXTURES = Path(__file__).parent / "fixtures"
TODAY = instant("2026-11-23")


class FeedContract:
    """What every feed must keep; a feed's test class inherits it.

    Set `feed`, `fixture` and `cells`, the price cells of the fixture counted by hand.
    """

    feed: str
    fixture: str
    cells: int

    @property
    def path(self) -> str:
        return str(FIXTURES / self.fixture)

    def test_recognised_by_this_feed_alone(self) -> None:
        """Exactly one feed recognises the fixture."""
        document = open_document(self.path)
        assert [feed.name for feed in FEEDS if feed.recognises(document)] == [self.feed]
        assert feed_for(document).name == self.feed

    def test_has_the_schema_of_quotes(self) -> None:
        """Columns and types are those declared, and every row says where it stands."""
        quotes = read_file(self.path)
        assert dict(quotes.schema) == dict(QUOTES)
        assert (quotes["row"] != "").all()
        assert quotes.select(pl.col("provider", "region", "source", "status").is_not_null().all()).row(0) == (True,) * 4

    def test_no_cell_is_lost(self) -> None:
        """Every price cell comes out once, as a price, an unknown, a rejection or out of scope."""
        book = load_book(today=TODAY, feeds=[self.path], snapshot=False)
        assert book.offers.height == self.cells
        assert set(book.offers["status"]) <= set(STATUSES)
        (row,) = book.counts.rows(named=True)
        assert row["read"] == row["price"] + row["unknown"] + row["rejected"] + row["out_of_scope"] == self.cells

    def test_only_prices_have_amounts(self) -> None:
        """A price is a positive whole number of micro-dollars; nothing else has one, and it says why."""
        offers = load_book(today=TODAY, feeds=[self.path], snapshot=False).offers
        is_price = offers["status"] == "price"
        amount = offers["price_micro_usd_per_unit_hour"]
        assert (amount.is_not_null() == is_price).all()
        assert (amount.drop_nulls() > 0).all()
        assert (offers.filter(~is_price)["reason"] != "").all()

    def test_cut_short_is_an_input_error_or_fewer_cells(self, tmp_path: Path) -> None:
        """Half a file either is refused with its name and line, or reads as the rows it has."""
        text = Path(self.path).read_text(encoding="utf-8")
        copy = tmp_path / self.fixture
        copy.write_text(text[: len(text) // 2 - 3], encoding="utf-8")
        try:
            assert read_file(str(copy)).height < self.cells
        except InputError as error:
            place = error.place
        else:
            return
        assert place is not None
        assert place.line
        assert place.file == str(copy)

    def test_binary_is_an_input_error(self, tmp_path: Path) -> None:
        """Bytes that are no text are refused with the line where they stand."""
        copy = tmp_path / self.fixture
        copy.write_bytes(Path(self.path).read_bytes()[:200] + b"\n\x00\xff\xfe")
        with pytest.raises(InputError, match="not a text file"):
            read_file(str(copy))


class TestNormalised(FeedContract):
    feed, fixture, cells = "normalised", "normalised.csv", 142


class TestSkyPilotAws(FeedContract):
    feed, fixture, cells = "skypilot", "aws_v8.csv", 134


class TestSkyPilotAzure(FeedContract):
    feed, fixture, cells = "skypilot", "azure_v6.csv", 146


class TestSkyPilotGcp(FeedContract):
    feed, fixture, cells = "skypilot", "gcp_v8.csv", 192


class TestSkyPilotVerda(FeedContract):
    feed, fixture, cells = "skypilot", "verda_v8.csv", 44


class TestSkyPilotShadeform(FeedContract):
    feed, fixture, cells = "skypilot", "shadeform_v8.csv", 48


class TestAwsOfferFile(FeedContract):
    feed, fixture, cells = "aws_price_list", "aws_offer_reshaped.json", 10


class TestAwsOfferFileOfOtherProducts(FeedContract):
    feed, fixture, cells = "aws_price_list", "aws_offer_us-east-2_excerpt.json", 3


class TestAwsOfferFileInYuan(FeedContract):
    feed, fixture, cells = "aws_price_list", "aws_offer_cny_excerpt.json", 1


class TestAwsGetProducts(FeedContract):
    feed, fixture, cells = "aws_price_list", "aws_getproducts_c4large_2016.json", 5


class TestAzureRetail(FeedContract):
    feed, fixture, cells = "azure_retail", "azure_retail_reshaped.json", 29


class TestOciPriceList(FeedContract):
    feed, fixture, cells = "oci_price_list", "oci_price_list.json", 44


class TestAwsCapacityBlocks(FeedContract):
    feed, fixture, cells = "aws_capacity_blocks", "aws_capacity_blocks_2024-12.csv", 6


class TestContractSheet(FeedContract):
    feed, fixture, cells = "contract_sheet", "contract_sheet.csv", 5


def test_gcp_host_and_accelerators_are_added() -> None:
    """A3 in us-east4-a costs its host's 9.46006 plus its GPUs' 78.37241 dollars an hour."""
    book = load_book(today=TODAY, feeds=[str(FIXTURES / "gcp_v8.csv")], snapshot=False)
    row = book.prices.filter((pl.col("zone") == "us-east4-a") & (pl.col("accelerator") == "H100"))
    row = row.filter(pl.col("price_kind") == "on_demand").row(0, named=True)
    assert row["price_micro_usd_per_unit_hour"] == 87_832_470
    assert (row["instance_type"], row["accelerators_per_unit"]) == ("a3-highgpu-8g", 8)


def test_tpu_slice_is_counted_in_chips() -> None:
    """tpu-v5p-12288 has 12,288 cores, so 6,144 chips, at the list price of 4.20 dollars each."""
    book = load_book(today=TODAY, feeds=[str(FIXTURES / "gcp_v8.csv")], snapshot=False)
    row = book.cheapest("TPU v5p").row(0, named=True)
    assert row["accelerators_per_unit"] == 6144
    assert row["usd_per_accelerator_hour"] == pytest.approx(4.2)


def test_empty_price_beside_a_spot_price_is_spot_only() -> None:
    """Verda's 2B300 has no on-demand price, which stays a known unknown, and a spot price."""
    book = load_book(today=TODAY, feeds=[str(FIXTURES / "verda_v8.csv")], snapshot=False)
    rows = book.offers.filter(pl.col("instance_type") == "2B300.60V").sort("price_kind")
    assert rows["status"].to_list() == ["unknown", "price"]


def test_marketplace_rows_belong_to_the_cloud_in_their_name() -> None:
    """Shadeform's rows carry the provider before the first underscore, and lambdalabs is Lambda."""
    quotes = read_file(str(FIXTURES / "shadeform_v8.csv"))
    assert {"massedcompute", "lambda", "crusoe", "scaleway"} <= set(quotes["provider"])


def test_partial_upfront_is_spread_over_the_term() -> None:
    """0.03 an hour and 263 once for a year are 0.060023 an hour (c4.large, December 2016)."""
    quotes = read_file(str(FIXTURES / "aws_getproducts_c4large_2016.json"))
    one_year = quotes.filter(pl.col("terms") == "Partial Upfront standard").sort("price_kind")
    assert one_year["price"].to_list() == pytest.approx([0.03 + 263 / 8760, 0.021 + 539 / 26280], abs=1e-6)


def _offer_file(tmp_path: Path, attributes: dict[str, str], price: dict[str, str]) -> str:
    content = {
        "offerCode": "AmazonEC2",
        "publicationDate": "2026-11-01T00:00:00Z",
        "products": {
            "A": {
                "productFamily": "Compute Instance",
                "attributes": {
                    "instanceType": "p5.48xlarge",
                    "regionCode": "us-east-1",
                    "gpu": "8",
                    **attributes,
                },
            }
        },
        "terms": {"OnDemand": {"A": {"A.B": {"priceDimensions": {"A.B.C": {"unit": "Hrs", "pricePerUnit": price}}}}}},
    }
    path = tmp_path / "offer.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    ("attributes", "price", "status", "rule"),
    [
        ({"marketoption": "CapacityBlock"}, {"USD": "0.0000000000"}, "rejected", "capacity_block_zero"),
        ({}, {"CNY": "310.5"}, "rejected", "foreign_currency"),
        ({}, {"USD": "0"}, "rejected", "zero_price"),
        ({}, {"USD": "-3"}, "rejected", "negative_price"),
        ({"operatingSystem": "Windows"}, {"USD": "55.04"}, "out_of_scope", "other_product"),
        ({"gpu": "12"}, {"USD": "55.04"}, "rejected", "wrong_count"),
        ({"instanceType": "trn2.48xlarge", "gpu": ""}, {"USD": "35.76"}, "price", ""),
    ],
)
def test_aws_oddities_never_become_a_price(
    tmp_path: Path, attributes: dict[str, str], price: dict[str, str], status: str, rule: str
) -> None:
    """Each oddity of an AWS price list ends with its status and its rule."""
    path = _offer_file(tmp_path, attributes, price)
    row = load_book(today=TODAY, feeds=[path], snapshot=False).offers.row(0, named=True)
    assert (row["status"], row["rule"]) == (status, rule)


def test_getproducts_answer_with_json_in_json(tmp_path: Path) -> None:
    """The API returns each product as JSON text within JSON."""
    items = json.loads((FIXTURES / "aws_getproducts_c4large_2016.json").read_text(encoding="utf-8"))
    path = tmp_path / "answer.json"
    path.write_text(json.dumps({"PriceList": [json.dumps(item) for item in items.values()]}), encoding="utf-8")
    assert read_file(str(path)).height == 5


def _azure_item(**changes: object) -> dict[str, object]:
    return {
        "currencyCode": "USD", "retailPrice": 98.32, "armRegionName": "eastus", "unitOfMeasure": "1 Hour",
        "effectiveStartDate": "2026-10-01T00:00:00Z", "meterId": "m", "type": "Consumption",
        "meterName": "ND96isr H100 v5", "skuName": "ND96isr H100 v5",
        "productName": "Virtual Machines ND96isr",
        "serviceName": "Virtual Machines", "armSkuName": "Standard_ND96isr_H100_v5", **changes,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "kind", "status", "price"),
    [
        ({}, "on_demand", "price", 98.32),
        ({"skuName": "ND96isr H100 v5 Spot", "retailPrice": 20.5}, "spot", "price", 20.5),
        ({"skuName": "ND96isr H100 v5 Low Priority"}, "on_demand", "out_of_scope", 98.32),
        ({"productName": "Virtual Machines ND96isr Windows"}, "on_demand", "out_of_scope", 98.32),
        (
            {"type": "Reservation", "reservationTerm": "1 Year", "retailPrice": 438_000.0},
            "reserved_1y",
            "price",
            50.0,
        ),
        (
            {"type": "Reservation", "reservationTerm": "3 Years", "retailPrice": 788_400.0},
            "reserved_3y",
            "price",
            30.0,
        ),
        ({"type": "DevTestConsumption"}, "on_demand", "out_of_scope", 98.32),
        ({"currencyCode": "EUR"}, "on_demand", "rejected", 98.32),
    ],
)
def test_azure_items(tmp_path: Path, changes: dict[str, object], kind: str, status: str, price: float) -> None:
    """Spot, Windows, reservations and currencies of Azure end as they should."""
    path = tmp_path / "azure.json"
    path.write_text(json.dumps({"Items": [_azure_item(**changes)]}), encoding="utf-8")
    row = load_book(today=TODAY, feeds=[str(path)], snapshot=False).offers.row(0, named=True)
    assert (row["price_kind"], row["status"], row["price"]) == (kind, status, price)


def test_oci_prices_are_per_accelerator_hour() -> None:
    """Oracle's H100 costs 10 dollars a GPU-hour and fits any number asked for."""
    book = load_book(today=TODAY, feeds=[str(FIXTURES / "oci_price_list.json")], snapshot=False)
    row = book.cheapest("H100", count=8, region="us").row(0, named=True)
    assert (row["price_basis"], row["usd_per_accelerator_hour"]) == ("accelerator_hour", 10.0)


def test_contract_by_the_megawatt_month() -> None:
    """900,000 dollars a megawatt-month over 427 chips and 730 hours is 2.887300 a chip-hour."""
    book = load_book(today=TODAY, contracts=[str(FIXTURES / "contract_sheet.csv")])
    row = book.offers.filter(pl.col("terms") == "mw_month").row(0, named=True)
    assert row["price_micro_usd_per_unit_hour"] == round(900_000 / 427 / 730 * 1e6)


def test_contracts_outside_their_dates_are_no_prices() -> None:
    """A contract that has ended and one that begins next year are kept, out of scope, with the reason."""
    book = load_book(today=TODAY, contracts=[str(FIXTURES / "contract_sheet.csv")], snapshot=False)
    rows = book.offers.filter(pl.col("provider") == "gcp")
    assert rows["status"].to_list() == ["out_of_scope"] * 2
    assert rows["rule"].to_list() == ["not_in_force"] * 2


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ("aws,,H1O0,accelerator_hour,1,2026-01-01,,x,", "accelerator"),
        ("aws,,H100,accelerator_hour,0,2026-01-01,,x,", "usd"),
        ("aws,,H100,accelerator_hour,nan,2026-01-01,,x,", "usd"),
        ("aws,,H100,accelerator_hour,1,2026-13-01,,x,", "valid_from"),
        ("aws,,H100,accelerator_hour,1,2026-02-01,2026-01-01,x,", "valid_until"),
        ("aws,,H100,node_hour,1,2026-01-01,,x,", "accelerators_per_unit"),
        ("aws,,H100,per_token,1,2026-01-01,,x,", "price_basis"),
    ],
)
def test_own_sheet_errors_name_line_and_field(tmp_path: Path, row: str, field: str) -> None:
    """The user's own sheet is refused at the line and field that is wrong."""
    path = tmp_path / "sheet.csv"
    header = (FIXTURES / "contract_sheet.csv").read_text(encoding="utf-8").splitlines()[0]
    path.write_text(f"{header}\n{row}\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_file(str(path))
    assert caught.value.place is not None
    assert (caught.value.place.line, caught.value.place.field) == (2, field)
