"""Listings as text for a terminal: the columns there is room for, numbers flush right."""

from typing import Any

from acreage.flow.books_columns import COUNT, KINDS, NUMBER, Listing
from acreage.flow.text_table import text_table


def listing_text(listing: Listing) -> str:
    """A listing as a table under its name; what is empty says so."""
    columns = KINDS[listing.kind]
    shown = list(listing.shown or columns)
    if not listing.rows:
        return f"{listing.kind}: none"
    rows = [[_cell(name, row[name]) for name in shown] for row in listing.rows]
    right = {name for name in shown if columns[name][0] in (COUNT, NUMBER) or name.endswith("usd")}
    return "\n".join([f"{listing.kind}:", *text_table(shown, rows, right=right, indent="  ")])


def _cell(name: str, value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float) and name.endswith("_frac"):
        return f"{value:.2%}"
    if isinstance(value, float) and name.startswith(("usd_per", "bid")):
        return f"{value:.2f}"
    if isinstance(value, float):
        return f"{value:,.1f}"
    text = str(value)
    if name.endswith("usd"):
        whole, _, part = text.partition(".")
        sign, digits = ("-", whole[1:]) if whole.startswith("-") else ("", whole)
        return f"{sign}{int(digits):,}" + (f".{part:0<2}" if part else "")
    # Midnight is written as its day: most of these instants are dates of contracts.
    return text.removesuffix("T00:00:00Z") if name.endswith("at") else text
