"""What-ifs in bulk as a section of the plan's page."""

from collections.abc import Callable
from typing import Any

from acreage.domain.bulk import Bulk
from acreage.report.bulk_words import HEADS, TITLES, headline, information_lines, rows_of, waiting_lines
from acreage.report.charts.bulk import bulk_charts
from acreage.report.charts.drawing import Figure


def bulk_section(bulk: Bulk, drawn: Callable[[Figure], dict[str, Any]]) -> dict[str, Any]:
    """What `what_if.html.j2` shows; `drawn` draws a chart."""
    lines = [*information_lines(bulk), *(waiting_lines(bulk.waiting) if bulk.waiting is not None else ())]
    tables = [
        {"id": kind.value, "title": TITLES[kind], "heads": HEADS[kind], "rows": rows}
        for kind in HEADS
        if (rows := rows_of(bulk, kind))
    ]
    return {
        "headline": headline(bulk),
        "lines": lines,
        "charts": [drawn(figure) for figure in bulk_charts(bulk)],
        "tables": tables,
    }
