"""Every feed there is, one line each, in the order in which they are tried."""

from acreage.catalog.feeds import (
    aws_capacity_blocks,
    aws_price_list,
    azure_retail,
    contract_sheet,
    gpuhunt_live,
    normalised,
    oci_price_list,
    skypilot,
)
from acreage.catalog.feeds.document import Document
from acreage.catalog.feeds.feed import Feed
from acreage.units.errors import InputError, Place

FEEDS: tuple[Feed, ...] = (
    gpuhunt_live.FEED,
    normalised.FEED,
    skypilot.FEED,
    contract_sheet.FEED,
    aws_capacity_blocks.FEED,
    aws_price_list.FEED,
    azure_retail.FEED,
    oci_price_list.FEED,
)


def feed_for(document: Document) -> Feed:
    """The feed whose shape a document has; raises `InputError` where it has none of them."""
    for feed in FEEDS:
        if feed.recognises(document):
            return feed
    if document.is_json:
        document.json  # a file cut short is more likely than a shape nobody knows  # noqa: B018
    known = "; ".join(feed.summary for feed in FEEDS)
    what = f"no feed reads this file{_header(document)}"
    raise InputError(what, fix=f"known are: {known}", place=Place(file=document.path, line=1))


def _header(document: Document) -> str:
    return f" with columns {', '.join(document.header[:8])}" if document.header else ""
