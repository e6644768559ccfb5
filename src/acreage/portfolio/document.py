"""YAML as located values: every value knows the line and column it stands at.

Bounds on size, depth and expansion answer hostile or accidental bombs at once. Numbers are what a
person means: 4e26 and 30_000_000_000 are numbers, yes and 12:30 are text, NaN is an error.
"""

import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from acreage.units.errors import InputError, Place

BYTES_MAX = 8 * 1024 * 1024
VALUES_MAX = 200_000
NODES_MAX = 2 * VALUES_MAX
DEPTH_MAX = 60

Key = str | int
At = tuple[Key, ...]

_NUMBER = re.compile(r"[-+]?(\d[\d_]*)(\.[\d_]*)?([eE][-+]?\d+)?|[-+]?\.\d[\d_]*([eE][-+]?\d+)?")
_DATE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
_START = "`acreage init` writes one to start from"
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)|[-+]?(inf|infinity|nan)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A parsed document: plain values, and the place of every value by its path."""

    file: str
    value: Any
    places: Mapping[At, Place]

    def place(self, at: At) -> Place:
        """Where a path stands, or its nearest known ancestor."""
        while at not in self.places and at:
            at = at[:-1]
        return self.places.get(at, Place(file=self.file))


def load_document(path: Path) -> Document:
    """Read a YAML file; raises `InputError` for what cannot be read or is not one document."""
    return parse_document(_text_of(path), str(path))


def parse_document(text: str, file: str) -> Document:
    """Parse YAML text; `file` is the name used in errors.

    Raises `InputError` with line and column for whatever is not one bounded YAML document.
    """
    text = text.removeprefix("\ufeff")
    odd = _CONTROL.search(text)
    if odd is not None:
        line = text.count("\n", 0, odd.start()) + 1
        column = odd.start() - text.rfind("\n", 0, odd.start())
        where = Place(file=file, line=line, column=column)
        raise InputError(f"the control character U+{ord(odd[0]):04X}", fix="remove it", place=where)
    try:
        survey = _Survey(file)
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            survey.take(event)
        root = yaml.compose(text, Loader=yaml.CSafeLoader)
    except yaml.MarkedYAMLError as error:
        raise _not_yaml(error, file) from None
    except yaml.YAMLError as error:
        raise InputError(f"not YAML: {str(error).splitlines()[0]}", place=Place(file=file)) from None
    if root is None:
        raise InputError("the file is empty", fix=_START, place=Place(file=file))
    reader = _Reader(file)
    value = reader.read(root, (), frozenset())
    return Document(file=file, value=value, places=reader.places)


def _text_of(path: Path) -> str:
    place = Place(file=str(path))
    try:
        if path.is_dir():
            raise InputError("it is a folder", fix="name a YAML file", place=place)
        size = path.stat().st_size
        if size > BYTES_MAX:
            fix = f"at most {BYTES_MAX // 2**20} MiB are read"
            raise InputError(f"the file has {size / 2**20:.0f} MiB", fix=fix, place=place)
        if not path.is_file():
            raise InputError("it is not a file", fix="name a YAML file", place=place)
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        raise InputError("there is no such file", fix=_START, place=place) from None
    except UnicodeDecodeError as error:
        before = error.object[: error.start]
        column = error.start - before.rfind(b"\n")
        where = Place(file=str(path), line=before.count(b"\n") + 1, column=column)
        raise InputError(f"byte {error.start} is not UTF-8", fix="save the file as UTF-8 text", place=where) from None
    except OSError as error:
        raise InputError(f"the file cannot be read: {error.strerror}", place=place) from None
    except ValueError as error:
        raise InputError(f"the file cannot be read: {error}", place=place) from None


def _not_yaml(error: yaml.MarkedYAMLError, file: str) -> InputError:
    """A syntax error in words: tabs, which YAML forbids as indentation, get their own."""
    mark = error.problem_mark or error.context_mark
    where = Place(file=file, line=mark.line + 1, column=mark.column + 1) if mark else Place(file=file)
    problem = error.problem or error.context or "it cannot be parsed"
    fix = "indent with spaces (never tabs) and quote text with special characters" if "token" in problem else ""
    return InputError(f"not YAML: {problem}", fix=fix, place=where)


class _Survey:
    """Refuses nesting, expansion, tags, loops and further documents before anything is built.

    Events are taken one by one and without recursion: the C composer would overflow its
    stack on deep nesting, and a few lines of aliases can stand for billions of values.
    """

    def __init__(self, file: str) -> None:
        self.file = file
        self.total = 0
        self.documents = 0
        self.open: list[tuple[str | None, int]] = []
        self.sizes: dict[str, int] = {}

    def take(self, event: yaml.Event) -> None:
        """Count one event in; raises `InputError` at its place when a bound is passed."""
        if isinstance(event, yaml.DocumentStartEvent):
            self.documents += 1
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event)
        elif isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent):
            self._node(event)
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before = self.open.pop()
            if anchor is not None:
                self.sizes[anchor] = self.total - before
        if self.documents > 1:
            raise self._refused(event, "a second document", "keep one, without ---")
        if len(self.open) > DEPTH_MAX:
            raise self._refused(event, "nested too deeply", f"at most {DEPTH_MAX} levels")
        if self.total > NODES_MAX:
            what = f"more than {NODES_MAX:,} names and values once aliases are expanded"
            raise self._refused(event, what, "write a smaller portfolio")

    def _alias(self, event: yaml.AliasEvent) -> None:
        if any(anchor == event.anchor for anchor, _ in self.open):
            raise self._refused(event, "an alias that contains itself", "write the value out")
        self.total += self.sizes.get(str(event.anchor), 0)

    def _node(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent) -> None:
        if event.tag is not None:
            raise self._refused(event, f"the tag {event.tag}", "write the value without a tag")
        self.total += 1
        if isinstance(event, yaml.CollectionStartEvent):
            self.open.append((event.anchor, self.total - 1))
        elif event.anchor is not None:
            self.sizes[event.anchor] = 1

    def _refused(self, event: yaml.Event, what: str, fix: str) -> InputError:
        mark = event.start_mark
        assert mark is not None
        return InputError(what, fix=fix, place=Place(file=self.file, line=mark.line + 1, column=mark.column + 1))


class _Reader:
    """Walks a node tree once; aliases are expanded, within bounds."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.places: dict[At, Place] = {}

    def place(self, node: yaml.Node, at: At) -> Place:
        mark = node.start_mark
        return Place(file=self.file, line=mark.line + 1, column=mark.column + 1, field=path_text(at))

    def read(self, node: yaml.Node, at: At, above: frozenset[int]) -> Any:
        place = self.place(node, at)
        if id(node) in above:
            raise InputError("an alias that contains itself", fix="write the value out", place=place)
        if len(at) > DEPTH_MAX:
            raise InputError("nested too deeply", fix=f"at most {DEPTH_MAX} levels", place=place)
        self.places[at] = place
        if len(self.places) > VALUES_MAX:
            raise InputError(f"more than {VALUES_MAX:,} values once aliases are expanded", place=place)
        above = above | {id(node)}
        if isinstance(node, yaml.SequenceNode):
            return [self.read(item, (*at, i), above) for i, item in enumerate(node.value)]
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, at, above)
        return self._scalar(node, place)

    def _mapping(self, node: yaml.MappingNode, at: At, above: frozenset[int]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        lines: dict[str, int] = {}
        merged: list[yaml.Node] = []
        for key_node, value_node in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":
                merged += value_node.value if isinstance(value_node, yaml.SequenceNode) else [value_node]
                continue
            key = str(key_node.value) if isinstance(key_node, yaml.ScalarNode) else ""
            if not isinstance(key_node, yaml.ScalarNode):
                raise InputError("a key that is not text", fix="write name: value", place=self.place(key_node, at))
            if key in found:
                raise InputError(
                    f"{key!r} stands twice, first in line {lines[key]}",
                    fix="keep one of them",
                    place=self.place(key_node, (*at, key)),
                )
            lines[key] = key_node.start_mark.line + 1
            found[key] = self.read(value_node, (*at, key), above)
        for other in merged:
            extra = self.read(other, (*at, "<<"), above)
            if not isinstance(extra, dict):
                raise InputError("<< merges mappings only", place=self.place(other, at))
            found = {**extra, **found}
        return found

    def _scalar(self, node: yaml.Node, place: Place) -> Any:
        text = str(node.value)
        if "\x00" in text:
            raise InputError("a NUL character", fix="remove it", place=place)
        if getattr(node, "style", None) in ("'", '"', "|", ">"):
            return text
        return plain(text, place)


def plain(text: str, place: Place) -> Any:
    """The value of an unquoted scalar."""
    if text in ("", "~", "null", "Null", "NULL"):
        return None
    if text in ("true", "True", "TRUE", "false", "False", "FALSE"):
        return text.lower() == "true"
    if _NOT_FINITE.fullmatch(text):
        raise InputError(f"{text} is not a number that can be planned with", fix="write a finite number", place=place)
    if _NUMBER.fullmatch(text):
        digits = text.replace("_", "")
        if re.fullmatch(r"[-+]?\d+", digits):
            return int(digits) if len(digits) <= 40 else _too_long(place)
        number = float(digits)
        if number in (float("inf"), float("-inf")):
            raise InputError(f"{text} is too large for a number", place=place)
        return number
    if _DATE.fullmatch(text):
        try:
            return datetime.date(*(int(part) for part in text.split("-")))
        except ValueError:
            raise InputError(f"{text} is not a date of the calendar", fix="write YYYY-MM-DD", place=place) from None
    return text


def _too_long(place: Place) -> int:
    raise InputError("a number of more than 40 digits", place=place)


def path_text(at: At) -> str:
    """A path as people write it: offers[3].price."""
    text = ""
    for key in at:
        text += f"[{key}]" if isinstance(key, int) else (f".{key}" if text else str(key))
    return text
