"""What the commands of a venue list: the columns of each listing, their JSON types and meanings."""

from collections.abc import Mapping

from acreage.flow.column_types import COUNT, NUMBER, TEXT, YES

_USD = "USD as a decimal string"
_USD_HOUR = f"{_USD}, an accelerator-hour"
_FILL = {
    "id": (TEXT, "The fill."),
    "buyer": (TEXT, "To whom it goes."),
    "seller": (TEXT, "From whom."),
    "product": (TEXT, "The pool or accelerator."),
    "accelerators": (COUNT, "How many."),
    "from_at": (TEXT, "From when."),
    "until_at": (TEXT, "Until when."),
    "price_usd": (TEXT, f"At, {_USD_HOUR}."),
    "amount_usd": (TEXT, f"In all, {_USD}."),
}

VENUE_KINDS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "venues": {
        "name": (TEXT, "Its name."),
        "description": (TEXT, "What it is for."),
        "opened_at": (TEXT, "When it was opened."),
        "orders": (COUNT, "Orders that stand."),
        "trades": (COUNT, "Fills so far."),
        "traded_usd": (TEXT, f"Their sum, {_USD}."),
    },
    "venue_orders": {
        "id": (TEXT, "The order."),
        "owner": (TEXT, "Whose it is."),
        "side": (TEXT, "buy or sell."),
        "product": (TEXT, "The pool or accelerator."),
        "accelerators": (COUNT, "What is left of it over this window."),
        "from_at": (TEXT, "From when."),
        "until_at": (TEXT, "Until when."),
        "limit_usd": (TEXT, f"Its limit, {_USD_HOUR}."),
        "partial": (TEXT, "What may be filled of it: any, quantity or all_or_nothing."),
        "expires_at": (TEXT, "When it leaves the book if it still stands."),
    },
    "venue_holdings": {
        "owner": (TEXT, "Whose it is."),
        "product": (TEXT, "The pool or accelerator."),
        "accelerators": (COUNT, "How many."),
        "on_sale": (COUNT, "Of these, on sale."),
        "from_at": (TEXT, "From when."),
        "until_at": (TEXT, "Until when."),
    },
    "venue_trades": {**_FILL, "settled": (YES, "Whether it was paid and handed over.")},
    "venue_quotes": {
        "accelerator_hours": (NUMBER, "What the order would get at once."),
        "asked_hours": (NUMBER, "What it asks for in all."),
        "amount_usd": (TEXT, f"For how much, {_USD}."),
        "mean_price_usd": (TEXT, f"On average, {_USD_HOUR}; null where nothing would be had."),
    },
    "venue_fills": _FILL,
    "venue_differences": {
        "at": (TEXT, "When the order was posted."),
        "order": (TEXT, "The order."),
        "actor": (TEXT, "Who posted it."),
    },
}
"""Listings by name: column -> JSON type and meaning."""
