"""What-ifs in bulk on the terminal: a table a kind, sensitivities cut to those that matter."""

from rich.console import RenderableType
from rich.text import Text

from acreage.domain.bulk import Bulk, Kind
from acreage.report.bulk_words import HEADS, TITLES, headline, information_lines, rows_of, waiting_lines
from acreage.report.renderers.terminal import rendered, table

ROWS_MAX = 14


def what_if_screen(bulk: Bulk) -> str:
    """Everything answered in bulk; the page has the rows that are cut here."""
    parts: list[RenderableType] = [f"WHAT IF: {headline(bulk)}"]
    for kind, heads in HEADS.items():
        rows = rows_of(bulk, kind)
        if not rows:
            continue
        # What would be signed in each group is for the page.
        columns = len(heads) - (kind is Kind.INFORMATION)
        found = table(*((head.lower(), "left") for head in heads[:columns]))
        for row in rows[:ROWS_MAX]:
            found.add_row(*(Text(cell) for cell in row[:columns]))
        parts += ["", TITLES[kind].upper(), found]
        if len(rows) > ROWS_MAX:
            parts.append(f"and {len(rows) - ROWS_MAX} more, all in the report")
        if kind is Kind.INFORMATION:
            parts += [Text(line) for line in information_lines(bulk)]
    if bulk.waiting is not None:
        parts += ["", TITLES[Kind.WAITING].upper(), *(Text(line) for line in waiting_lines(bulk.waiting))]
    return rendered(parts)
