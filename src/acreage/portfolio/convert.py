"""Values into shapes: the library's complaints become one error with a place and what would be right."""

import difflib
import re
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
import msgspec.inspect

from acreage.portfolio.document import At, Document, path_text
from acreage.portfolio.shape import PortfolioShape, json_schema
from acreage.portfolio.validate import validate
from acreage.units.errors import InputError

S = TypeVar("S")

_AT = re.compile(r"^(?P<what>.*?)(?: - at `\$(?P<path>.*)`)?$", re.DOTALL)
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]")


def shaped(document: Document, at: At, shape: type[S], *, check: Callable[[Document], None] | None = validate) -> S:
    """The value at a path as a shape; raises `InputError` with its place.

    `check` finds the first mistake in the order of the file, in the words of a published schema.
    """
    value = document.value
    for key in at:
        value = value[key]
    try:
        return msgspec.convert(value, type=shape, strict=True)
    except msgspec.ValidationError as error:
        if check is not None:
            check(document)
        raise _explained(document, at, str(error), shape) from None


def _explained(document: Document, at: At, text: str, shape: Any) -> InputError:
    match = _AT.match(text)
    assert match is not None
    path = at + _steps(match["path"] or "")
    what, fix = _in_words(match["what"], document, path, shape, len(at))
    if what.startswith("unknown field"):
        path = (*path, _quoted(match["what"]))
    place = document.place(path)
    return InputError(
        what, fix=fix, place=type(place)(file=place.file, line=place.line, column=place.column, field=path_text(path))
    )


def _steps(path: str) -> At:
    steps: list[str | int] = []
    for name, index in _STEP.findall(path):
        if name:
            steps.append(name)
        elif index != "...":
            steps.append(int(index))
    return tuple(steps)


def _quoted(text: str) -> str:
    found = re.search(r"`([^`]*)`", text)
    return found[1] if found else ""


def _in_words(what: str, document: Document, path: At, shape: Any, depth: int) -> tuple[str, str]:
    """What is wrong and what would be right, in words."""
    if what.startswith("Object contains unknown field"):
        name = _quoted(what)
        near = difflib.get_close_matches(name, _fields_at(shape, path[depth:]), n=1, cutoff=0.5)
        near = near or difflib.get_close_matches(name, _FIELDS, n=1, cutoff=0.7)
        return f"unknown field {name!r}", f"did you mean {near[0]!r}?" if near else "see `acreage schema portfolio`"
    if what.startswith("Object missing required field"):
        return f"the field {_quoted(what)!r} is missing", "add it"
    if what.startswith("Invalid enum value"):
        return what.replace("Invalid enum value", "not one of the allowed values:"), _allowed(path)
    if "day|week|month|year" in what:
        return f"{_value(document, path)!r} is not a duration", _SPAN_HINT
    if "RFC3339" in what or "date" in what.lower().split():
        return f"{_value(document, path)!r} is not a date", _hint("date")
    found = re.fullmatch(r"Expected `(.+?)`, got `(.+?)`", what)
    if found:
        kind = found[1].removesuffix(" | null")
        hint = _SPAN_HINT if kind == "str" and path[-1:] and path[-1] in _SPANS else _hint(kind)
        return f"{_value(document, path)!r} is not {_KINDS.get(kind, kind)}", hint
    bound = re.fullmatch(r"Expected `(\w+)` (>=|>|<=|<) (\S+)", what)
    if bound:
        return f"{_value(document, path)!r} is out of range", f"it must be {bound[2]} {bound[3]}"
    return what, ""


_KINDS = {
    "str": "text",
    "float": "a number",
    "int": "a whole number",
    "bool": "true or false",
    "date": "a date",
    "array": "a list",
    "object": "a mapping of fields",
    "str | object": "a price",
}


def _hint(kind: str) -> str:
    return {
        "date": "write YYYY-MM-DD, for example 2027-03-01",
        "bool": "write true or false",
        "float": "write a plain number in the unit of the field's name",
        "int": "write a whole number",
        "str | object": "write the amount with its unit, for example 4.30 USD/accelerator_hour",
        "array": "write a list: lines that start with a dash",
        "object": "write name: value lines below it",
    }.get(kind, "")


def _value(document: Document, path: At) -> Any:
    value = document.value
    for key in path:
        try:
            value = value[key]
        except (KeyError, IndexError, TypeError):
            return value
    return str(value) if hasattr(value, "isoformat") else value


def _allowed(path: At) -> str:
    name = str(path[-1]) if path else ""
    for part in _SCHEMA["$defs"].values():
        found = part.get("properties", {}).get(name, {})
        if "enum" in found:
            return "write one of " + ", ".join(map(str, found["enum"]))
    return "see `acreage schema portfolio`"


def _fields_at(shape: Any, path: At) -> list[str]:
    """The fields of the mapping that stands at a path below a shape."""
    kind = _bare(msgspec.inspect.type_info(shape))
    for step in path:
        if isinstance(kind, msgspec.inspect.StructType):
            kind = _bare(next((f.type for f in kind.fields if f.encode_name == step), None))
        elif isinstance(kind, msgspec.inspect.ListType):
            kind = _bare(kind.item_type)
    return [f.encode_name for f in kind.fields] if isinstance(kind, msgspec.inspect.StructType) else []


def _bare(kind: Any) -> Any:
    """A type without its bounds and without the null of a field that may be left out."""
    while isinstance(kind, msgspec.inspect.Metadata):
        kind = kind.type
    if isinstance(kind, msgspec.inspect.UnionType):
        found = [_bare(one) for one in kind.types]
        return next((one for one in found if isinstance(one, msgspec.inspect.StructType)), found[0])
    return kind


_SPAN_HINT = "write for example 36 months, 182 days or 2 years"
_SPANS = {"term", "after", "firm_term", "duration", "lead_time_min", "lead_time_max", "term_min", "term_max"}
_SCHEMA = json_schema()
_FIELDS = sorted({field for part in _SCHEMA["$defs"].values() for field in part.get("properties", {})})
_FIELDS += [field for field in _SCHEMA["properties"] if field not in _FIELDS]


def portfolio_shape(document: Document) -> PortfolioShape:
    """The whole document as its shape, workloads still plain."""
    if not isinstance(document.value, dict):
        raise InputError("a portfolio is a mapping of fields", fix="see `acreage init`", place=document.place(()))
    return shaped(document, (), PortfolioShape)
