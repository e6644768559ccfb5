"""What a plan is written as: JSON by its schema, tables that read back, a folder that loads again."""

import json
from pathlib import Path

import jsonschema
import polars as pl
import pytest

from acreage.domain.plan import SCHEMAS, Plan
from acreage.domain.portfolio import Portfolio
from acreage.report.figures import gap_by_period, supply_by_provider, unmet_by_workload
from acreage.report.notebook import PlanView
from acreage.report.plan_json import plan_document, plan_schema
from acreage.report.plan_store import load_plan, save_plan
from acreage.report.renderers.terminal import compare_screen, plan_screen
from acreage.report.tables import export_tables, tables_of
from acreage.report.words import money, percent
from acreage.units.errors import InputError

Planned = tuple[Plan, Portfolio]


def test_the_document_keeps_its_schema(planned: Planned) -> None:
    """plan.json validates, and every field of the schema is described."""
    schema = json.loads(plan_schema())
    jsonschema.Draft202012Validator.check_schema(schema)
    document = json.loads(json.dumps(plan_document(*planned), allow_nan=False))
    jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker()).validate(document)

    def described(shape: dict[str, object], at: str) -> None:
        for name, inner in shape.get("properties", {}).items():  # type: ignore[attr-defined]
            assert inner.get("description"), f"{at}.{name} is not described"
            described(inner, f"{at}.{name}")
            described(inner.get("items", {}), f"{at}.{name}[]")

    described(schema, "plan")


def test_tables_have_their_declared_columns(planned: Planned) -> None:
    """Every frame of an outcome has exactly the columns it declares."""
    plan, _ = planned
    for outcome in (plan.best, plan.without_new):
        for name, schema in SCHEMAS.items():
            assert dict(outcome.frames[name].schema) == dict(schema), name


def test_exports_read_back(planned: Planned, tmp_path: Path) -> None:
    """Parquet, CSV and the workbook hold the same signings; the workbook has a sheet a table."""
    export_tables(*planned, tmp_path, ("parquet", "csv", "xlsx"))
    tables = tables_of(*planned)
    assert pl.read_parquet(tmp_path / "signings.parquet").equals(tables["signings"])
    assert pl.read_csv(tmp_path / "cash.csv").height == tables["cash"].height
    sheets = pl.read_excel(tmp_path / "plan.xlsx", sheet_id=0)
    assert set(sheets) == set(tables)
    assert sheets["signings"]["accelerators"].to_list() == tables["signings"]["accelerators"].to_list()


def test_a_stored_plan_is_the_same_plan(planned: Planned, tmp_path: Path) -> None:
    """Saving and loading changes nothing; saving over something else is refused and leaves it alone."""
    plan, portfolio = planned
    save_plan(tmp_path / "p", plan, plan_document(plan, portfolio), {"portfolio.yaml": b"x"})
    again = load_plan(tmp_path / "p")
    assert (again.best.decision, again.best.figures, again.verdicts) == (
        plan.best.decision,
        plan.best.figures,
        plan.verdicts,
    )
    assert all(again.best.frames[name].equals(frame) for name, frame in plan.best.frames.items())
    other = tmp_path / "other"
    other.mkdir()
    (other / "thesis.txt").write_text("mine")
    with pytest.raises(InputError, match="not a plan"):
        save_plan(other, plan, {}, {})
    assert (other / "thesis.txt").read_text() == "mine"
    (tmp_path / "p" / "state.json").write_text("{")
    with pytest.raises(InputError):
        load_plan(tmp_path / "p")


def test_figures_add_up(planned: Planned) -> None:
    """Unmet is at most what is needed, supply is the capacity frame's, penalties are the service frame's."""
    plan, portfolio = planned
    gap = gap_by_period(plan, plan.best, portfolio)
    assert (gap["unmet_pflops"] <= gap["need_pflops"] * (1 + 1e-9)).all()
    chance = {f.name: f.probability for f in plan.futures}
    rows = plan.best.frames["capacity"].iter_rows(named=True)
    held = sum(row["accelerators"] * chance[row["future"]] for row in rows)
    assert supply_by_provider(plan, plan.best, portfolio)["accelerators"].sum() == pytest.approx(held)
    service = plan.best.frames["service"].iter_rows(named=True)
    penalty = sum(row["penalty_usd"] * chance[row["future"]] for row in service)
    assert unmet_by_workload(plan, plan.best, portfolio)["penalty_usd"].sum() == pytest.approx(penalty)


def test_the_screen_says_what_to_sign_in_one_screen(planned: Planned) -> None:
    """Offers, quantities, cost, gap, risk and proof are on a screen of 45 lines by 100 columns."""
    plan, portfolio = planned
    screen = plan_screen(plan, portfolio, ())
    assert len(screen.splitlines()) <= 45
    assert max(map(len, screen.splitlines())) <= 100
    for signing in plan.best.decision.signings:
        assert signing.offer in screen
        assert f"{signing.accelerators:,}" in screen
    for words in ("expected cost", "CVaR", "unmet", "HHI", "within", "audit passed"):
        assert words in screen
    assert "nan" not in screen
    assert "both sign the same" in compare_screen(plan, plan, ("a", "b"))


def test_a_notebook_gets_charts_and_tables(planned: Planned) -> None:
    """Charts and tables by name."""
    view = PlanView(*planned)
    assert {"supply", "offers", "outcomes", "cash", "placement", "marginal"} <= set(view.charts)
    assert "signings" in view.tables
    assert "SIGN" in repr(view)


@pytest.mark.parametrize(
    ("usd", "text"),
    [(0, "$0"), (999, "$999"), (1_234, "$1.23k"), (-45_000_000, "-$45.0M"), (999_960_000, "$1.00B"), (1.8e11, "$180B")],
)
def test_money_has_three_digits(usd: float, text: str) -> None:
    """Amounts are short and carry their unit."""
    assert money(usd) == text


def test_small_shares_keep_a_digit() -> None:
    """0.4 % is not 0 %."""
    assert [percent(x) for x in (0.004, 0.0994, 0.5)] == ["0.4%", "9.9%", "50%"]
