"""YAML becomes located values, and whatever is not one bounded document is one error with its place."""

import datetime
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acreage.portfolio.document import BYTES_MAX, Document, load_document, parse_document
from acreage.portfolio.starter import starter_text
from acreage.portfolio.validate import validate
from acreage.units.errors import InputError
from acreage.units.instants import instant

STARTER = starter_text(name="sample", file="portfolio.yaml", as_of_at=instant("2026-12-01"))

BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("4e26", 4e26),
        ("1E9", 1e9),
        ("4.0e+26", 4e26),
        ("30_000_000_000", 30_000_000_000),
        ("-3", -3),
        (".5", 0.5),
        ("010", 10),
        ("true", True),
        ("yes", "yes"),
        ("off", "off"),
        ("12:30", "12:30"),
        ("0x1F", "0x1F"),
        ("~", None),
        ("", None),
        ("2027-03-01", datetime.date(2027, 3, 1)),
        ("'2027-03-01'", "2027-03-01"),
        ('"7"', "7"),
        ("36 months", "36 months"),
    ],
)
def test_a_scalar_is_what_a_person_means(text: str, value: object) -> None:
    """Numbers with exponents or underscores are numbers; yes, off and 12:30 are text; quotes make text."""
    found = parse_document(f"a: {text}", "p.yaml").value["a"]
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3", "p.yaml:3:1: a: 'a' stands twice, first in line 1; keep one of them"),
        ("a: &x [1, *x]", "p.yaml:1:11: an alias that contains itself; write the value out"),
        (BOMB, "p.yaml:6:16: more than 400,000 names and values once aliases are expanded; write a smaller portfolio"),
        ("[" * 100_000, "p.yaml:1:61: nested too deeply; at most 60 levels"),
        (
            "a:\n\t- b",
            "p.yaml:2:1: not YAML: found character that cannot start any token; indent with spaces (never tabs) "
            "and quote text with special characters",
        ),
        ("a: 1\nb: \x01", "p.yaml:2:4: the control character U+0001; remove it"),
        ("a: x\x00", "p.yaml:1:5: the control character U+0000; remove it"),
        ("a: 1\n---\nb: 2", "p.yaml:2:1: a second document; keep one, without ---"),
        ("a: .nan", "p.yaml:1:4: a: .nan is not a number that can be planned with; write a finite number"),
        ("a:\n  - -.inf", "p.yaml:2:5: a[0]: -.inf is not a number that can be planned with; write a finite number"),
        ("a: 1e999", "p.yaml:1:4: a: 1e999 is too large for a number"),
        ("a: 2027-02-30", "p.yaml:1:4: a: 2027-02-30 is not a date of the calendar; write YYYY-MM-DD"),
        ("a: *b", "p.yaml:1:4: not YAML: found undefined alias"),
        (
            "a: !!python/name:os.system x",
            "p.yaml:1:4: the tag tag:yaml.org,2002:python/name:os.system; write the value without a tag",
        ),
        ("? [a]\n: b", "p.yaml:1:3: a key that is not text; write name: value"),
        ("", "p.yaml: the file is empty; `acreage init` writes one to start from"),
        ("# only a comment", "p.yaml: the file is empty; `acreage init` writes one to start from"),
    ],
)
def test_bad_text_is_one_error_with_its_place(text: str, message: str) -> None:
    """Each way of going wrong has a line, a column and a way out."""
    with pytest.raises(InputError) as raised:
        parse_document(text, "p.yaml")
    assert str(raised.value) == message


def test_merge_keys_are_expanded_and_own_fields_win() -> None:
    """Anchors and << save typing; what is written in the mapping itself wins."""
    found = parse_document("base: &b {x: 1, y: 2}\nmine: {<<: *b, y: 3}", "p.yaml")
    assert found.value["mine"] == {"x": 1, "y": 3}


def test_places_know_values_and_fall_back_to_ancestors() -> None:
    """A path that does not exist stands where its nearest ancestor does."""
    found = parse_document("a:\n  - {b: 1}\n", "p.yaml")
    assert str(found.place(("a", 0, "b"))) == "p.yaml:2:9: a[0].b"
    assert str(found.place(("a", 0, "c", 7))) == "p.yaml:2:5: a[0]"


def test_files_that_cannot_be_read_are_one_error_each(tmp_path: Path) -> None:
    """Missing, a folder, too big (seen before reading), not UTF-8, not a regular file."""
    big, latin, pipe = tmp_path / "big.yaml", tmp_path / "latin.yaml", tmp_path / "pipe.yaml"
    with big.open("wb") as file:
        file.truncate(50 * BYTES_MAX)
    latin.write_bytes(b"a: 1\nb: caf\xe9\n")
    os.mkfifo(pipe)
    cases = {
        tmp_path / "none.yaml": "none.yaml: there is no such file; `acreage init` writes one to start from",
        tmp_path: f"{tmp_path.name}: it is a folder; name a YAML file",
        big: "big.yaml: the file has 400 MiB; at most 8 MiB are read",
        latin: "latin.yaml:2:7: byte 11 is not UTF-8; save the file as UTF-8 text",
        pipe: "pipe.yaml: it is not a file; name a YAML file",
    }
    for path, message in cases.items():
        with pytest.raises(InputError) as raised:
            load_document(path)
        assert str(raised.value).removeprefix(f"{tmp_path.parent}/").removeprefix(f"{tmp_path.name}/") == message


MUTATIONS = st.lists(
    st.tuples(
        st.integers(0, len(STARTER)),
        st.integers(0, 12),
        st.one_of(
            st.text(max_size=4),
            st.sampled_from(["\t", "&a ", "*a", "{", "]", ": ", "\n", ".nan", "-", "<<: ", "!x ", "'"]),
        ),
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=60, deadline=None)
@given(MUTATIONS)
def test_a_mutated_portfolio_is_a_document_or_one_error_with_a_place(mutations: list[tuple[int, int, str]]) -> None:
    """Whatever is cut out of or put into a portfolio, there is no other exception."""
    text = STARTER
    for start, length, new in mutations:
        text = text[:start] + new + text[start + length :]
    error = answer(text)
    assert error is None or (error.place is not None and error.place.file == "p.yaml")


def answer(text: str) -> InputError | None:
    """The error a text is answered with, if it is not a portfolio."""
    try:
        document = parse_document(text, "p.yaml")
        assert isinstance(document, Document)
        validate(document)
    except InputError as error:
        return error
    return None
