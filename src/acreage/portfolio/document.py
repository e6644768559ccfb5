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
DEPTH_MAX = 60

Key = str | int
At = tuple[Key, ...]

_NUMBER = re.compile(r"[-+]?(\d[\d_]*)(\.[\d_]*)?([eE][-+]?\d+)?|[-+]?\.\d[\d_]*([eE][-+]?\d+)?")
_DATE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}")
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
    place = Place(file=str(path))
    try:
        if path.is_dir():
            raise InputError("it is a folder", fix="name a YAML file", place=place)
        size = path.stat().st_size
        if size > BYTES_MAX:
            raise InputError(
                f"the file has {size / 2**20:.0f} MiB", fix=f"at most {BYTES_MAX // 2**20} MiB are read", place=place
            )
        text = path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        raise InputError("there is no such file", fix="`acreage init` writes one to start from", place=place) from None
    except OSError as error:
        raise InputError(f"the file cannot be read: {error.strerror}", place=place) from None
    except UnicodeDecodeError as error:
        raise InputError(f"byte {error.start} is not UTF-8", fix="save the file as UTF-8 text", place=place) from None
    return parse_document(text, str(path))


def parse_document(text: str, file: str) -> Document:
    """Parse YAML text; `file` is the name used in errors."""
    try:
        root = yaml.compose(text, Loader=yaml.CSafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = Place(file=file, line=mark.line + 1, column=mark.column + 1) if mark else Place(file=file)
        raise InputError(f"not YAML: {error.problem or error.context}", place=where) from None
    except yaml.YAMLError as error:
        raise InputError(f"not YAML: {str(error).splitlines()[0]}", place=Place(file=file)) from None
    except RecursionError:
        raise InputError("nested too deeply", fix=f"at most {DEPTH_MAX} levels", place=Place(file=file)) from None
    if root is None:
        raise InputError("the file is empty", fix="`acreage init` writes one to start from", place=Place(file=file))
    reader = _Reader(file)
    value = reader.read(root, (), frozenset())
    return Document(file=file, value=value, places=reader.places)


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
