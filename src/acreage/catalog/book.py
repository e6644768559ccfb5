"""The price book: every offer read, with what became of it and every doubt about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import polars as pl

from acreage.catalog.accelerators import load_accelerators
from acreage.catalog.feeds import gpuhunt_live
from acreage.catalog.feeds.document import Document, open_document
from acreage.catalog.feeds.registry import feed_for
from acreage.catalog.judge import identified, judge
from acreage.catalog.query import Query, select
from acreage.catalog.table import DOUBTS, PRICE, QUOTES, STATUSES
from acreage.domain.finding import Finding, Severity
from acreage.domain.price import PriceKind
from acreage.units.errors import InputError, Place
from acreage.units.instants import Instant, moment

STALE_AFTER_DAYS = 180
_SNAPSHOT = Path(__file__).parent / "data" / "snapshot.parquet"
_READABLE = (".csv", ".json", ".parquet", ".jsonl")


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceBook:
    """Offers (schema table.OFFERS) and doubts (schema table.DOUBTS) as of `today`.

    The number of offers is the number of price cells read: those that are no price keep
    their row, with status unknown, rejected or out_of_scope and the reason.
    """

    offers: pl.DataFrame
    doubts: pl.DataFrame
    today: Instant

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The doubts as values, in the order in which the rules raised them."""
        return tuple(
            Finding(
                severity=Severity(row["severity"]),
                rule=row["rule"],
                source=row["source"],
                row=row["row"],
                subject=row["subject"],
                message=row["message"],
            )
            for row in self.doubts.iter_rows(named=True)
        )

    @property
    def prices(self) -> pl.DataFrame:
        """The offers that are prices."""
        return self.offers.filter(pl.col("status") == PRICE)

    @property
    def counts(self) -> pl.DataFrame:
        """Rows by file: columns file, read, and one for each status; read is their sum."""
        each = [(pl.col("status") == status).sum().alias(status) for status in STATUSES]
        return self.offers.group_by("file", maintain_order=True).agg(pl.len().alias("read"), *each)

    def cheapest(
        self,
        accelerator: str,
        *,
        count: int | None = None,
        region: str | None = None,
        kind: PriceKind = PriceKind.ON_DEMAND,
    ) -> pl.DataFrame:
        """Offers of an accelerator, cheapest per accelerator-hour first.

        `count` is the accelerators of one instance, None for any. Raises `InputError` for
        an accelerator or region that is not known.
        """
        return select(self.offers, Query(accelerator=accelerator, count=count, region=region, kinds=(kind,))).offers

    def write(self, path: str) -> None:
        """Save the quotes of the book as Parquet; `load_book` reads the file as a feed."""
        self.offers.select(list(QUOTES)).write_parquet(path)


def load_book(
    *,
    today: Instant,
    feeds: Sequence[str] = (),
    contracts: Sequence[str] = (),
    snapshot: bool = True,
    stale_after_days: int = STALE_AFTER_DAYS,
) -> PriceBook:
    """Read feeds and judge them together with the shipped snapshot.

    A feed is a path, a folder of files, `PROVIDER=PATH`, or `gpuhunt` for live prices.
    Raises `InputError` where a file cannot be read or has the shape of no feed.
    """
    shipped = read_snapshot()
    own = [
        *(quotes for feed in feeds for quotes in _read_feed(feed)),
        *(_read_contract(path) for path in contracts),
    ]
    quotes = pl.concat([shipped, *own]) if snapshot else pl.concat(own or [shipped.clear()])
    # Outliers are told by the snapshot's prices even where the snapshot itself is left out.
    reference = identified(shipped.clear() if snapshot else shipped)
    day = moment(today).date()
    judged = judge(quotes, today=day, stale_after_days=stale_after_days, reference=reference)
    doubts = pl.concat([judged.doubts, _without_price(judged.offers)])
    return PriceBook(offers=judged.offers, doubts=doubts, today=today)


@cache
def read_snapshot() -> pl.DataFrame:
    """The quotes of the shipped snapshot."""
    return pl.read_parquet(_SNAPSHOT)


def _read_feed(feed: str) -> list[pl.DataFrame]:
    provider, sign, path = feed.partition("=")
    if not sign or "/" in provider or Path(feed).exists():
        provider, path = "", feed
    if path == gpuhunt_live.ADDRESS:
        return [gpuhunt_live.FEED.read(Document(path=path, text=""))]
    if Path(path).is_dir():
        files = sorted(str(file) for file in Path(path).rglob("*") if file.suffix.lower() in _READABLE)
        if not files:
            raise InputError("no price files in the folder", fix="give CSV or JSON files", place=Place(file=path))
        return [read_file(file, provider=provider) for file in files]
    return [read_file(path, provider=provider)]


def read_file(path: str, *, provider: str = "") -> pl.DataFrame:
    """The quotes of one file (schema QUOTES); raises `InputError` where it is malformed or unknown."""
    if path.lower().endswith(".parquet"):
        return _read_saved(path)
    document = open_document(path, provider=provider)
    return feed_for(document).read(document)


def _read_saved(path: str) -> pl.DataFrame:
    place = Place(file=path)
    try:
        frame = pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        reason = str(error).partition("\n")[0]
        raise InputError(f"cannot be read as Parquet: {reason}", place=place) from None
    if dict(frame.schema) != dict(QUOTES):
        raise InputError("not a price book", fix="save one with PriceBook.write", place=place)
    # What rules said before is judged anew; what the feed itself said stays.
    return frame


def _read_contract(path: str) -> pl.DataFrame:
    document = open_document(path)
    feed = feed_for(document)
    if feed.name != "contract_sheet":
        fix = "its columns are provider, region, accelerator, price_basis, usd, valid_from, valid_until, source"
        raise InputError(f"not a contract price sheet but a {feed.name} feed", fix=fix, place=Place(file=path, line=1))
    return feed.read(document)


def _without_price(offers: pl.DataFrame) -> pl.DataFrame:
    """Accelerators that no row of the book prices: a known unknown, which a contract price would settle."""
    priced = set(offers.filter(pl.col("status") == PRICE)["accelerator"].unique())
    missing = [name for name in load_accelerators() if name not in priced]
    rows = {
        "severity": ["warning"] * len(missing),
        "rule": ["no_list_price"] * len(missing),
        "source": ["price book"] * len(missing),
        "row": [""] * len(missing),
        "subject": [str(name) for name in missing],
        "message": ["no list price is known: it lives by contract price"] * len(missing),
    }
    return pl.DataFrame(rows, schema=DOUBTS)
