"""Any answer as one page that opens offline: cards on top, then sections of text, a picture and a table each."""

from dataclasses import dataclass
from typing import Any

import vl_convert
from jinja2 import Environment, PackageLoader, StrictUndefined

TEMPLATE = "page.html.j2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A figure that must be seen first."""

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextTable:
    """A table of texts ready to be shown; columns in `numbers` are set flush right, rows in `strong` stand out.

    Columns in `unbroken` stay on one line.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: frozenset[str] = frozenset()
    strong: frozenset[int] = frozenset()
    unbroken: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading, what it says, and perhaps a chart (a Vega-Lite chart of altair) and a table."""

    id: str
    title: str
    paragraphs: tuple[str, ...] = ()
    chart: Any = None
    table: TextTable | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A whole page."""

    title: str
    subtitle: str
    cards: tuple[Card, ...] = ()
    sections: tuple[Section, ...] = ()


def render_page(page: Page, version: str) -> str:
    """The page's HTML; it needs no network, and every text is escaped."""
    environment = Environment(
        loader=PackageLoader("acreage.report.renderers", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    sections = [_section(section) for section in page.sections]
    return environment.get_template(TEMPLATE).render(page=page, sections=sections, version=version)


def _section(section: Section) -> dict[str, Any]:
    return {
        "id": section.id,
        "title": section.title,
        "paragraphs": section.paragraphs,
        "svg": vl_convert.vegalite_to_svg(section.chart.to_dict()) if section.chart is not None else "",
        "table": section.table,
        "rows": _rows(section.table) if section.table is not None else [],
    }


def _rows(table: TextTable) -> list[list[dict[str, Any]]]:
    return [
        [
            {
                "text": cell,
                "number": name in table.numbers,
                "strong": i in table.strong and j == 0,
                "unbroken": name in table.unbroken,
            }
            for j, (name, cell) in enumerate(zip(table.columns, row, strict=True))
        ]
        for i, row in enumerate(table.rows)
    ]
