"""`acreage prices` and `acreage check` as people and programs see them."""

import json
import zipfile
from decimal import Decimal
from importlib import resources
from pathlib import Path

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from acreage.catalog.book import load_book
from acreage.catalog.lookup import list_price
from acreage.cli.commands.check import check
from acreage.cli.commands.prices import prices
from acreage.domain.price import PriceBasis, PriceKind
from acreage.units.errors import InputError
from acreage.units.instants import instant

FIXTURES = Path(__file__).parent / "fixtures"
GOLDEN = Path(__file__).parent / "golden"
TODAY = instant("2026-11-23")
DAY = ("--as-of", "2026-11-23")


def run(command: object, *arguments: str, code: int = 0) -> str:
    """What a command prints."""
    result = CliRunner().invoke(command, [*arguments, *DAY], catch_exceptions=False)  # type: ignore[arg-type]
    assert result.exit_code == code
    return result.output


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("spot_us", ("H100:8", "--region", "us", "--spot")),
        ("any_count_limited", ("H100", "--limit", "5", "--sort", "value")),
        ("no_price", ("Trn2",)),
        ("contract", ("Trn2:16", "--contract", str(FIXTURES / "contract_sheet.csv"))),
        ("contract_over_list", ("H100:8", "--region", "eastus", "--contract", str(FIXTURES / "contract_sheet.csv"))),
    ],
)
def test_table(name: str, arguments: tuple[str, ...]) -> None:
    """The table looks as it was last looked at."""
    assert run(prices, *arguments) == (GOLDEN / f"prices_{name}.txt").read_text(encoding="utf-8")


def _schema(name: str) -> Draft202012Validator:
    text = resources.files("acreage.catalog").joinpath(f"{name}.schema.json").read_text(encoding="utf-8")
    return Draft202012Validator(json.loads(text))


def test_json_keeps_its_schema_and_is_exact() -> None:
    """Prices are decimal strings; eight accelerators make up the instance to the micro-dollar."""
    answer = json.loads(run(prices, "H100:8", "--region", "us", "--limit", "0", "-o", "json"))
    _schema("prices").validate(answer)
    each = [Decimal(offer["usd_per_accelerator_hour"]) for offer in answer["offers"]]
    assert each == sorted(each)
    for offer, one in zip(answer["offers"], each, strict=True):
        assert abs(Decimal(offer["usd_per_instance_hour"]) - 8 * one) <= Decimal("0.000004")


def test_csv_has_a_row_for_each_offer() -> None:
    """CSV is a header and the rows asked for."""
    assert len(run(prices, "H100:8", "-o", "csv", "--limit", "7").splitlines()) == 8


def test_max_age_leaves_out_and_counts() -> None:
    """Prices older than asked for are not shown, and it is said how many they are."""
    answer = json.loads(run(prices, "H100:8", "--max-age", "130", "--limit", "0", "-o", "json"))
    assert answer["too_old"] > 0
    assert all(offer["age_days"] <= 130 for offer in answer["offers"])


@pytest.mark.parametrize("asked", [("H10O",), ("H100:0",), ("H100:x",), ("H100", "--provider", "awz")])
def test_wrong_questions_are_input_errors(asked: tuple[str, ...]) -> None:
    """The caller's mistake is an InputError, which the command line prints as one line."""
    with pytest.raises(InputError):
        run(prices, *asked)


def test_check_groups_by_rule_and_fails_only_if_strict() -> None:
    """Doubts alone exit with 0, with --strict with 1; the JSON keeps its schema."""
    feed = str(FIXTURES / "azure_v6.csv")
    text = run(check, feed, "--no-snapshot")
    assert "wrong_count (6 error)" in text
    run(check, feed, "--no-snapshot", "--strict", code=1)
    found = json.loads(run(check, feed, "--no-snapshot", "-o", "json"))
    _schema("check").validate(found)
    assert sum(rule["count"] for rule in found["rules"]) == len(found["findings"])


def test_lookup_prefers_the_contract_and_names_its_source() -> None:
    """A contract in force wins over the list; without one the list's price and day are given."""
    book = load_book(today=TODAY, contracts=[str(FIXTURES / "contract_sheet.csv")])
    asked = {"provider": "azure", "region": "eastus", "accelerator": "H100", "today": TODAY}
    contract = list_price(book, kind=PriceKind.ON_DEMAND, **asked)  # type: ignore[arg-type]
    assert contract is not None
    assert (contract.amount_micro_usd, contract.kind, contract.basis) == (
        3_500_000, PriceKind.CONTRACT, PriceBasis.ACCELERATOR_HOUR,
    )  # fmt: skip
    assert contract.provenance.source.startswith("master agreement")
    plain = list_price(load_book(today=TODAY), kind=PriceKind.ON_DEMAND, **asked)  # type: ignore[arg-type]
    assert plain is not None
    assert plain.amount_micro_usd == 11_061_000
    assert plain.provenance.as_of_at == instant("2026-06-18")
    asked["accelerator"] = "Trn2"
    assert list_price(book, kind=PriceKind.ON_DEMAND, **asked) is None  # type: ignore[arg-type]


def test_gpuhunt_live_through_a_catalog_of_our_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The live feed reads whatever catalog gpuhunt is pointed at, offline."""
    header = (
        "instance_name,location,price,cpu,memory,gpu_count,gpu_name,gpu_memory,spot,disk_size,"
        "gpu_vendor,flags,cpu_arch,provider_data\n"
    )
    for name in ["aws", "azure", "verda", "gcp", "lambdalabs", "nebius", "oci", "runpod", "cloudrift"]:
        folder = tmp_path / name / "20261120-1"
        folder.mkdir(parents=True)
        (tmp_path / name / "version").write_text("20261120-1")
        rows = "gpu_8x_h100,us-east-1,31.92,208,1800,8,H100,80,False,,nvidia,,x86,{}\n" if name == "lambdalabs" else ""
        with zipfile.ZipFile(folder / "catalog.zip", "w") as archive:
            archive.writestr(f"{name}.csv", header + rows)
    monkeypatch.setenv("GPUHUNT_CATALOG_URL", tmp_path.as_uri())
    book = load_book(today=TODAY, feeds=["gpuhunt"], snapshot=False)
    row = book.prices.filter(book.prices["provider"] == "lambda").row(0, named=True)
    assert (row["accelerator"], row["accelerators_per_unit"], row["usd_per_accelerator_hour"]) == ("H100", 8, 3.99)
    assert str(row["as_of"]) == "2026-11-20"
