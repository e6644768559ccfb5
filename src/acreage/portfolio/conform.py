"""Fits located values to a shape, and says what does not fit in words, at its place, with the nearest name."""

import datetime
import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import msgspec
from msgspec import inspect

from acreage.portfolio.document import At, Document
from acreage.portfolio.shape import Shape
from acreage.units.errors import InputError

T = TypeVar("T", bound=Shape)

_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]|\[\.\.\.\]")
_NAMED = {
    "str": "text",
    "float": "a number",
    "int": "a whole number",
    "bool": "true or false",
    "date": "a date such as 2027-03-01",
    "object": "a mapping (field: value)",
    "array": "a list",
    "null": "nothing",
}


def conform(document: Document, value: Any, shape: type[T], at: At) -> T:
    """`value`, which stands at `at`, as a `shape`; raises `InputError` for the first thing that does not fit."""
    try:
        return msgspec.convert(value, shape)
    except msgspec.ValidationError as error:
        raise _explained(document, value, shape, at, str(error)) from None


def nearest(name: object, known: Iterable[object]) -> str:
    """'did you mean x?', or the list of what there is."""
    names = [str(one) for one in known]
    by_lower = {one.lower(): one for one in reversed(names)}
    near = difflib.get_close_matches(str(name).lower(), by_lower, n=1, cutoff=0.5)
    if near:
        return f"did you mean {by_lower[near[0]]!r}?"
    if not names:
        return "there are none"
    return f"there are {', '.join(names[:8])}{' and more' if len(names) > 8 else ''}"


def _explained(document: Document, value: Any, shape: type[Shape], at: At, message: str) -> InputError:
    what, _, path = message.partition(" - at ")
    steps = _steps(path)
    here, found = _follow(value, steps)
    known = _shape_at(inspect.type_info(shape), here)
    unknown = re.match(r"Object contains unknown field `(.*)`", what)
    if unknown:
        place = document.place((*at, *here, unknown[1]))
        return InputError(f"unknown field {unknown[1]!r}", fix=nearest(unknown[1], _fields(known)), place=place)
    missing = re.match(r"Object missing required field `(.*)`", what)
    if missing:
        fix = _fields(known).get(missing[1], "")
        place = document.place((*at, *here))
        return InputError(f"the field {missing[1]!r} is missing", fix=fix and f"it is {fix}", place=place)
    place = document.place((*at, *here))
    options = _options(known)
    if options:
        return InputError(f"{_quoted(found)} is not a choice here", fix=nearest(found, options), place=place)
    if here[-1:] == ("price",) and isinstance(found, int | float) and not isinstance(found, bool):
        fix = f"write {found} USD/accelerator_hour, or {{usd: {found}, per: node_hour, accelerators_per_unit: 8}}"
        return InputError("a price without a unit", fix=fix, place=place)
    return InputError(f"{_quoted(found)} does not fit", fix=_needed(what, here), place=place)


def _steps(path: str) -> At:
    steps: list[str | int] = []
    for match in _STEP.finditer(path):
        if match[0] == "[...]":
            break
        steps.append(int(match[2]) if match[2] is not None else match[1])
    return tuple(steps)


def _follow(value: Any, steps: At) -> tuple[At, Any]:
    """As far along `steps` as the value goes, and what stands there."""
    for count, step in enumerate(steps):
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return steps[:count], value
    return steps, value


def _needed(what: str, here: At) -> str:
    """Msgspec's 'Expected `float` >= 0' in the words of the reader."""
    if "regex" in what and "day|week" in what:
        return "write a duration such as 36 months, 182 days or 2 years"
    if "date" in what and "Expected" not in what:
        return "write a date such as 2027-03-01"
    needed = re.search(r"Expected (.*?)(?:, got .*)?$", what)
    if needed is None:
        return what
    text = needed[1]
    for name, words in _NAMED.items():
        text = re.sub(rf"\b{name}\b", words, text)
    text = text.replace("`", "").replace(" | nothing", "").replace(" | ", " or ")
    text = text.replace(">=", "of at least").replace("<=", "of at most").replace(">", "above").replace("<", "below")
    return f"{here[-1] if here and isinstance(here[-1], str) else 'it'} is {text}"


def _quoted(found: Any) -> str:
    if isinstance(found, Mapping):
        return "a mapping"
    if isinstance(found, list):
        return "a list"
    if found is None:
        return "an empty value"
    if isinstance(found, bool):
        return str(found).lower()
    if isinstance(found, datetime.date):
        return f"the date {found}"
    return repr(found) if len(repr(found)) <= 60 else repr(found)[:57] + "..."


def _shape_at(kind: Any, steps: At) -> Any:
    """The type that stands at `steps` below `kind`, optional and metadata wrappers taken off."""
    kind = _bare(kind)
    for step in steps:
        if isinstance(kind, inspect.StructType):
            found = [field.type for field in kind.fields if field.encode_name == step]
            kind = _bare(found[0]) if found else None
        elif isinstance(kind, inspect.ListType):
            kind = _bare(kind.item_type)
        elif isinstance(kind, inspect.DictType):
            kind = _bare(kind.value_type)
        else:
            return None
    return kind


def _bare(kind: Any) -> Any:
    while isinstance(kind, inspect.Metadata):
        kind = kind.type
    if isinstance(kind, inspect.UnionType):
        bare = [_bare(one) for one in kind.types]
        liked = [one for one in bare if isinstance(one, inspect.StructType | inspect.ListType | inspect.LiteralType)]
        return liked[0] if liked else bare[0]
    return kind


def _fields(kind: Any) -> dict[str, str]:
    """Field names of a mapping, each with what it wants in words."""
    if not isinstance(kind, inspect.StructType):
        return {}
    return {field.encode_name: _wanted(field.type) for field in kind.fields}


def _wanted(kind: Any) -> str:
    extra = ""
    if isinstance(kind, inspect.Metadata):
        extra = str((kind.extra_json_schema or {}).get("description", ""))
    kind = _bare(kind)
    if isinstance(kind, inspect.LiteralType):
        return f"one of {', '.join(str(value) for value in kind.values)}"
    words = {
        inspect.StrType: "text",
        inspect.FloatType: "a number",
        inspect.IntType: "a whole number",
        inspect.BoolType: "true or false",
        inspect.DateType: "a date such as 2027-03-01",
        inspect.ListType: "a list",
        inspect.StructType: "a mapping",
        inspect.DictType: "a mapping",
    }.get(type(kind), "")
    return f"{words}: {extra.rstrip('.')}" if words and extra else words or extra


def _options(kind: Any) -> tuple[str, ...]:
    return tuple(str(value) for value in kind.values) if isinstance(kind, inspect.LiteralType) else ()
