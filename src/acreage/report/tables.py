"""A plan's tables for other tools: polars frames, and Parquet, CSV or one Excel workbook."""

from collections.abc import Mapping
from pathlib import Path

import polars as pl
import xlsxwriter

from acreage.domain.plan import DETAIL, OfferVerdict, Plan, expectation
from acreage.domain.portfolio import Portfolio
from acreage.report import figures
from acreage.units.instants import moment

FORMATS = ("parquet", "csv", "xlsx")
SHEET_ROWS_MAX = 1_048_575
"""Rows of an Excel sheet below its heading."""


def tables_of(plan: Plan, portfolio: Portfolio) -> dict[str, pl.DataFrame]:
    """Every table of a plan by name: signings, offers, what_ifs, gap, supply, and the frames of the best plan.

    Of a thinned plan also what is kept of all futures: expectations, paths and fates.
    """
    summary = plan.best.summary
    kept = {f"expected_{name}": frame for name, frame in summary.expected.items()} if summary is not None else {}
    if summary is not None:
        kept |= {"paths": summary.paths, "fates": summary.fates}
    return {
        "signings": _signings(plan),
        "offers": _offers(plan),
        "what_ifs": _what_ifs(plan),
        "gap": figures.gap_by_period(plan, plan.best, portfolio),
        "supply": figures.supply_by_provider(plan, plan.best, portfolio),
        **plan.best.frames,
        **kept,
    }


def _signings(plan: Plan) -> pl.DataFrame:
    rows = [
        {
            "offer": str(s.offer),
            "blocks": s.blocks,
            "accelerators": s.accelerators,
            "starts_at": moment(s.starts_at),
            "ends_at": moment(s.ends_at),
            "extended": s.extended,
            "ends_early": s.ends_early,
            "price_frac": s.price_frac,
        }
        for s in plan.best.decision.signings
    ]
    time = pl.Datetime("us", "UTC")
    schema = {
        "offer": pl.String(),
        "blocks": pl.Int64(),
        "accelerators": pl.Int64(),
        "starts_at": time,
        "ends_at": time,
        "extended": pl.Boolean(),
        "ends_early": pl.Boolean(),
        "price_frac": pl.Float64(),
    }
    return pl.DataFrame(rows, schema=schema)


def _offers(plan: Plan) -> pl.DataFrame:
    number = pl.Float64()
    ranges = ("walk_away_usd_per_accelerator_hour", "worth_usd")
    schema = {"offer": pl.String(), "signed": pl.Boolean(), "asked_usd_per_accelerator_hour": number}
    schema |= {f"{name}{part}": number for name in ranges for part in ("_low", "", "_high")}
    schema |= {
        "at_accelerators": pl.Int64(),
        "confirmed": pl.Boolean(),
        "others_kept": pl.Boolean(),
        "reason": pl.String(),
    }
    return pl.DataFrame([_offer_row(v) for v in plan.verdicts], schema=schema)


def _offer_row(verdict: OfferVerdict) -> dict[str, object]:
    row: dict[str, object] = {
        "offer": str(verdict.offer),
        "signed": verdict.signed,
        "asked_usd_per_accelerator_hour": verdict.asked_usd_per_accelerator_hour,
        "at_accelerators": verdict.at_accelerators,
        "confirmed": verdict.confirmed,
        "others_kept": verdict.others_kept,
        "reason": verdict.reason,
    }
    for name, found in (
        ("walk_away_usd_per_accelerator_hour", verdict.walk_away_usd_per_accelerator_hour),
        ("worth_usd", verdict.worth_usd),
    ):
        if found is not None:
            row |= {f"{name}_low": found.low, name: found.found, f"{name}_high": found.high}
    return row


def _what_ifs(plan: Plan) -> pl.DataFrame:
    rows = [
        {
            "kind": w.kind,
            "subject": w.subject,
            "description": w.description,
            "objective_usd": w.objective_usd,
            "extra_usd_low": w.extra_usd.low,
            "extra_usd": w.extra_usd.found,
            "extra_usd_high": w.extra_usd.high,
        }
        for w in plan.what_ifs
    ]
    words = ("kind", "subject", "description")
    numbers = ("objective_usd", "extra_usd_low", "extra_usd", "extra_usd_high")
    return pl.DataFrame(rows, schema={**dict.fromkeys(words, pl.String()), **dict.fromkeys(numbers, pl.Float64())})


def export_tables(plan: Plan, portfolio: Portfolio, folder: Path, formats: tuple[str, ...]) -> None:
    """Write every table of a plan: a Parquet or CSV file each, or all in plan.xlsx.

    In the workbook tables with a row for each future are given as their expectation over futures.
    """
    if not formats:
        return
    folder.mkdir(parents=True, exist_ok=True)
    tables = tables_of(plan, portfolio)
    for format_ in formats:
        if format_ == "xlsx":
            shown = {n: expectation(plan, plan.best, n) if n in DETAIL else t for n, t in tables.items()}
            shown = {n: t for n, t in shown.items() if not n.startswith("expected_")}
            write_tables(shown, folder / "plan.xlsx", format_)
        else:
            write_tables(tables, folder, format_)


def write_tables(tables: Mapping[str, pl.DataFrame], path: Path, format_: str) -> None:
    """Write tables by name: a Parquet or CSV file each in the folder `path`, or all in the workbook `path`."""
    if format_ == "xlsx":
        _write_workbook(path, tables)
        return
    path.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        if format_ == "parquet":
            table.write_parquet(path / f"{name}.parquet")
        else:
            table.write_csv(path / f"{name}.csv", datetime_format="%Y-%m-%dT%H:%M:%SZ")


def _write_workbook(path: Path, tables: Mapping[str, pl.DataFrame]) -> None:
    """One sheet a table; texts stay texts, whatever they begin with."""
    with xlsxwriter.Workbook(path, {"remove_timezone": True, "strings_to_formulas": False}) as book:
        for name, table in tables.items():
            shown = table.with_columns(pl.col(pl.Datetime("us", "UTC")).dt.replace_time_zone(None))
            shown.head(SHEET_ROWS_MAX).write_excel(
                book,
                worksheet=name,
                autofit=shown.height < 2_000,
                freeze_panes=(1, 0),
                dtype_formats={pl.Datetime("us"): "yyyy-mm-dd"},
            )
