"""Malformed feeds are one clear error with file and line."""

from pathlib import Path

import pytest

from acreage.catalog.book import load_book, read_file
from acreage.units.errors import InputError
from acreage.units.instants import instant

TODAY = instant("2026-11-23")
HEADER = (
    "provider,region,instance_type,accelerator,accelerators_per_instance,pricing_model,"
    "usd_per_instance_hour,as_of,source"
)
GOOD = "aws,us-east-1,p5.48xlarge,H100,8,on_demand,55.04,2026-07-20,test"


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (f"{HEADER}\n{GOOD}\n{GOOD.replace('55.04', 'NaN')}\n", 3, "not a number"),
        (f"{HEADER}\n{GOOD}\naws,us-east-1\n", 3, "fields"),
        (f"{HEADER}\n{GOOD},more\n", 2, "fields"),
        (f'{HEADER}\n{GOOD}\n"aws,{GOOD}\n', 3, "not valid CSV"),
        ("provider,price\naws,1\n", 1, "no feed reads"),
        (HEADER.replace("source", "region") + "\n", 1, "no column source"),
        ('{"Items": [{"retailPrice": 1.0, ', 1, "not valid JSON"),
        ('{"Items":\n [{"retailPrice": NaN}]}', 2, "not a number"),
        ("", 1, "empty"),
    ],
)
def test_refused_with_line(tmp_path: Path, text: str, line: int, words: str) -> None:
    """The error names the file, the line and the fault."""
    path = tmp_path / "feed.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=words) as caught:
        read_file(str(path))
    assert caught.value.place is not None
    assert caught.value.place.line == line


def test_missing_file_and_empty_folder(tmp_path: Path) -> None:
    """A path that is not there and a folder without feeds are said to be so."""
    with pytest.raises(InputError, match="cannot be read"):
        load_book(today=TODAY, feeds=[str(tmp_path / "none.csv")])
    with pytest.raises(InputError, match="no price files"):
        load_book(today=TODAY, feeds=[str(tmp_path)])


def test_feed_without_rows_is_an_empty_book(tmp_path: Path) -> None:
    """A header alone is a feed with nothing in it."""
    path = tmp_path / "feed.csv"
    path.write_text(HEADER + "\n", encoding="utf-8")
    assert load_book(today=TODAY, feeds=[str(path)], snapshot=False).offers.is_empty()


def test_saved_book_reads_back(tmp_path: Path) -> None:
    """A book saved as Parquet is a feed like any other."""
    feed = tmp_path / "feed.csv"
    feed.write_text(f"{HEADER}\n{GOOD}\n", encoding="utf-8")
    book = load_book(today=TODAY, feeds=[str(feed)], snapshot=False)
    saved = str(tmp_path / "book.parquet")
    book.write(saved)
    again = load_book(today=TODAY, feeds=[saved], snapshot=False)
    assert again.offers.equals(book.offers)
    (tmp_path / "bad.parquet").write_bytes(b"PAR1 not really")
    with pytest.raises(InputError, match="Parquet"):
        read_file(str(tmp_path / "bad.parquet"))
