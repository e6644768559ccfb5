"""What-ifs in bulk as they are shown: the golden screen, the document by its schema, the section in a browser."""

import json
import os
from dataclasses import replace
from pathlib import Path

import jsonschema

from acreage.domain.plan import OfferVerdict, OtherFutures, Plan, Range
from acreage.domain.portfolio import Portfolio
from acreage.report.bulk_words import OPEN, difference_words, value_words, walk_away_words
from acreage.report.charts.bulk import bulk_charts
from acreage.report.plan_json import plan_document, plan_schema
from acreage.report.renderers.html import render_report
from acreage.report.renderers.what_if_screen import what_if_screen
from tests.report.bulk_case import BULK

GOLDEN = Path(__file__).parent / "golden" / "what_if.txt"


def test_the_screen_is_as_it_was() -> None:
    """Word for word; ACREAGE_GOLDEN=write writes it anew."""
    screen = what_if_screen(BULK) + "\n"
    if os.environ.get("ACREAGE_GOLDEN") == "write":
        GOLDEN.write_text(screen, encoding="utf-8")
    assert screen == GOLDEN.read_text(encoding="utf-8")


def test_the_document_keeps_its_schema(planned: tuple[Plan, Portfolio]) -> None:
    """Every field of every kind validates; instants are ISO-8601, kinds their words."""
    document = json.loads(json.dumps(plan_document(*planned, bulk=BULK), allow_nan=False))
    jsonschema.Draft202012Validator(json.loads(plan_schema())).validate(document)
    found = document["what_if"]
    assert found["waiting"]["until_at"] == "2027-04-01T00:00:00Z"
    assert found["concentration"][2]["objective_usd"] is None
    assert found["sensitivities"][0]["lever"] == "price"
    assert found["unanswered"] == ["price of most"]
    assert all("other_futures" in offer for offer in document["offers"])


def test_what_the_gap_leaves_open_is_said() -> None:
    """Only a range on one side of zero is a difference."""
    assert OPEN not in difference_words(Range(low=2e3, found=3e3, high=4e3))
    assert OPEN in difference_words(Range(low=-1e3, found=3e3, high=4e3))
    assert difference_words(Range(low=0.0, found=0.0, high=0.0)) == "$0"
    assert OPEN in value_words(Range(low=0.0, found=3e3, high=4e3))
    assert OPEN not in value_words(Range(low=2e3, found=3e3, high=4e3))


def test_walk_away_prices_have_both_intervals() -> None:
    """The proof and other futures; few futures in the tail are said to be few."""
    verdict = OfferVerdict(
        offer="deal",
        signed=True,
        asked_usd_per_accelerator_hour=3.0,
        walk_away_usd_per_accelerator_hour=Range(low=3.71, found=3.79, high=3.85),
        at_accelerators=512,
        worth_usd=None,
        confirmed=True,
        others_kept=False,
        reason="",
        other_futures=OtherFutures(low=3.6, high=3.98, tail_futures=7),
    )
    assert walk_away_words(verdict) == "proven $3.71 to $3.85; other futures $3.60 to $3.98"
    thin = replace(verdict, other_futures=OtherFutures(low=3.6, high=3.98, tail_futures=2))
    assert walk_away_words(thin).endswith("at least, few in the tail")
    assert walk_away_words(replace(verdict, other_futures=None)) == "proven $3.71 to $3.85"


def test_plans_have_both_intervals(planned: tuple[Plan, Portfolio]) -> None:
    """Walk-away prices of a real plan come with an interval over other futures, and the page shows it."""
    plan, portfolio = planned
    priced = [v for v in plan.verdicts if v.walk_away_usd_per_accelerator_hour is not None]
    assert priced
    assert all(v.other_futures is not None and v.other_futures.low <= v.other_futures.high for v in priced)
    assert "other futures $" in render_report(plan, portfolio, (), "0.0.0")


def test_the_page_has_the_section(planned: tuple[Plan, Portfolio]) -> None:
    """Every chart is in it with its table, and names are escaped; without answers there is no section."""
    odd = replace(BULK, unanswered=("<b>price</b>",))
    page = render_report(*planned, (), "0.0.0", None, odd)
    assert [figure.id for figure in bulk_charts(BULK)] == ["frontier", "concentration", "tornado", "information"]
    for mark in ("what-if", "frontier", "concentration", "tornado", "information", "table-what-if-sensitivity"):
        assert f'id="{mark}"' in page
    assert "<b>price" not in page
    assert 'id="what-if"' not in render_report(*planned, (), "0.0.0")


def test_charts_say_what_they_find() -> None:
    """Titles are findings, not names."""
    titles = {figure.id: figure.title for figure in bulk_charts(BULK)}
    assert titles["frontier"] == "$5.00M more of expected cost would buy $8.00M less of CVaR"
    assert titles["concentration"] == "A cap of 60% on any supplier costs $4.00M more"
    assert titles["tornado"] == "The cost depends most on: market prices"
    assert titles["information"] == "Knowing when deal is delivered today would be worth $2.00M"
