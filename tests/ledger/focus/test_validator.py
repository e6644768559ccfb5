"""The FinOps Foundation's own validator accepts what is written, and rejects what is broken.

focus-validator 1.0.0 is installed into an environment of its own, for it wants old libraries. Five of its rules
for FOCUS 1.0 still ask for names of FOCUS 0.5 (InvoiceIssuer, Provider, Publisher, ResourceID, ChargeType), which
FOCUS 1.0 does not have, so that every file fails them; they are switched off by the validator's own override file.
Another test shows that they are the only ones that fail, so that switching them off hides nothing.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from acreage.ledger.focus.reading import read_focus
from acreage.ledger.focus.writing import charge_rows, cost_and_usage, with_old_names, write_focus
from tests.ledger.focus.bills import every_kind, write_bill

STAMPS = Path(__file__).parents[3] / ".stamps"
REQUIREMENTS = ("focus-validator==1.0.0", "multimethod<2")
STALE = [
    "InvoiceIssuer_Required",
    "Provider_Required",
    "Publisher_Required",
    "ResourceID_Required",
    "SkuPriceId_Nullable",
]


@pytest.fixture(scope="session")
def validator() -> Path:
    """The site-packages of the validator's environment, made once and kept for later runs.

    It is built aside and renamed, so that several test processes at a time do no harm.
    """
    home = STAMPS / "focus-validator"
    if not (home / "installed").exists():
        aside = STAMPS / f"focus-validator.{os.getpid()}"
        try:
            _install(aside)
            if home.exists() and not (home / "installed").exists():
                shutil.rmtree(home)
            if not home.exists():
                aside.rename(home)
        except OSError:
            assert (home / "installed").exists(), f"cannot move {aside} to {home}"
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    return next(home.glob("lib*/python*/site-packages"))


def _install(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    site = folder / "lib" / f"python3.{sys.version_info.minor}" / "site-packages"
    for command in (
        [sys.executable, "-m", "venv", "--without-pip", str(folder)],
        [
            sys.executable,
            "-m",
            "pip",
            "install",
            "-q",
            "--disable-pip-version-check",
            "--target",
            str(site),
            *REQUIREMENTS,
        ],
    ):
        done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
        if done.returncode:
            pytest.fail(f"the public validator could not be installed: {' '.join(command)}\n{done.stderr[-2000:]}")
    (folder / "installed").write_text("\n".join(REQUIREMENTS))


def verdict(validator: Path, path: Path, *, skip: list[str]) -> tuple[bool, set[str]]:
    """Whether a file passes, and the names of the rules that fail."""
    override = path.with_suffix(".yaml")
    override.write_text("overrides:\n" + "".join(f"  - {rule}\n" for rule in skip) if skip else "overrides: []\n")
    python = validator.parents[2] / "bin" / "python"
    command = [str(python), "-m", "focus_validator.main", "--data-file", str(path.resolve())]
    command += ["--validate-version", "1.0", "--override-file", str(override.resolve())]
    # It looks for its list of currencies below the folder it is run in.
    done = subprocess.run(command, cwd=validator, capture_output=True, text=True, timeout=300, check=False)
    passed = done.stdout.rstrip().endswith("Validation succeeded.")
    assert passed or done.stdout.rstrip().endswith("Validation failed!"), done.stdout + done.stderr
    return passed, set(re.findall(r"^(\w[\w.]*) failed:$", done.stdout, re.MULTILINE))


@pytest.fixture
def bill(tmp_path: Path) -> pl.DataFrame:
    """Charges of every kind and three rows of another provider, in the columns of FOCUS 1.0."""
    others = [
        {"AvailabilityZone": "eu-1a", "SubAccountId": "sub", "SubAccountName": "Sub", "ListUnitPrice": "4"},
        {"ChargeCategory": "Tax", "PricingQuantity": "", "PricingUnit": "", "ContractedUnitPrice": "", "Tags": ""},
        {"BilledCost": "-1e-07", "ChargeClass": "Correction", "ChargeDescription": 'a "quoted", text'},
    ]
    rows = pl.concat(
        [charge_rows(every_kind()), read_focus(write_bill(tmp_path, *others)).select(charge_rows([]).columns)]
    )
    assert len(rows) >= 12
    return cost_and_usage(rows, "1.0")


def test_the_public_validator_accepts_what_is_written(validator: Path, bill: pl.DataFrame, tmp_path: Path) -> None:
    """A file with charges of every kind passes every rule that FOCUS 1.0 has."""
    path = tmp_path / "out.csv"
    write_focus(bill, path)
    assert verdict(validator, path, skip=STALE) == (True, set())


def test_with_the_old_names_the_public_validator_accepts_with_no_rule_switched_off(
    validator: Path, bill: pl.DataFrame, tmp_path: Path
) -> None:
    """The five columns it misses are added under the names it asks for."""
    path = tmp_path / "out.csv"
    priced = bill.with_columns(pl.col("SkuPriceId").fill_null(pl.col("SkuId")).fill_null("list"))
    write_focus(with_old_names(priced), path)
    assert verdict(validator, path, skip=[]) == (True, set())


def test_only_rules_of_an_older_version_are_switched_off(validator: Path, bill: pl.DataFrame, tmp_path: Path) -> None:
    """With every rule on, those fail that ask for names FOCUS 1.0 does not have, and no others."""
    path = tmp_path / "out.csv"
    write_focus(bill, path)
    passed, failed = verdict(validator, path, skip=[])
    assert not passed
    assert failed == set(STALE)


@pytest.mark.parametrize(
    ("column", "text", "rule"),
    [
        ("ChargeFrequency", "Monthly", "ChargeFrequency_Enum"),
        ("BillingCurrency", "Dollar", "BillingCurrency_IsCurrencyCode"),
        ("BilledCost", None, "BilledCost_NotNull"),
        ("ServiceCategory", "Chips", "ServiceCategory_Enum"),
        ("Tags", "team", "Tags_IsJSONObject"),
    ],
)
def test_the_public_validator_rejects_what_is_broken(
    validator: Path, bill: pl.DataFrame, tmp_path: Path, column: str, text: str | None, rule: str
) -> None:
    """The verdict can be no: one wrong cell is found by the rule that is meant for it."""
    path = tmp_path / "out.csv"
    broken = pl.when(pl.int_range(pl.len()) == 1).then(pl.lit(text, bill.schema[column])).otherwise(pl.col(column))
    write_focus(bill.with_columns(broken.alias(column)), path)
    assert verdict(validator, path, skip=STALE) == (False, {rule})


def test_a_missing_column_is_rejected(validator: Path, bill: pl.DataFrame, tmp_path: Path) -> None:
    """The validator looks at which columns there are."""
    path = tmp_path / "out.csv"
    write_focus(bill.drop("ServiceName"), path)
    passed, failed = verdict(validator, path, skip=STALE)
    assert not passed
    assert "ServiceName_Required" in failed
