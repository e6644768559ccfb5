"""Checks a document against the published schema and says the first mistake in the words of its author.

The schema's own descriptions and examples make the advice, so that editors and messages never differ.
"""

import datetime
import difflib
import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from acreage.portfolio.document import At, Document, path_text
from acreage.portfolio.starter import portfolio_schema_text
from acreage.units.errors import InputError, Place

_KINDS = ("training_run", "serving_fleet", "research_share")
_WORDS = {
    "string": "text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping (field: value)",
}
_BOUNDS = {"minimum": "at least", "maximum": "at most", "exclusiveMinimum": "above", "exclusiveMaximum": "below"}
_SHOWN_MAX = 60


class _Day(str):
    """A date of the document, as the text the schema knows."""

    __slots__ = ()


def validate(document: Document) -> None:
    """Raise `InputError` for the first mistake in file order, if there is one, and say how many more there are."""
    mistakes = [leaf for error in _validator().iter_errors(_plain(document.value)) for leaf in _leaves(error)]
    if not mistakes:
        return
    mistakes.sort(key=lambda error: _order(document, error))
    first, more = _told(document, mistakes[0]), len(mistakes) - 1
    if more:
        first = InputError(f"{first.what} (and {more} more)", fix=first.fix, place=first.place)
    raise first


@cache
def _validator() -> Draft202012Validator:
    schema = json.loads(portfolio_schema_text())
    checker: Any = extend
    validator: Draft202012Validator = checker(Draft202012Validator, {"format": _check_format})(schema)
    return validator


def _check_format(
    validator: Draft202012Validator, name: str, value: object, schema: Mapping[str, Any]
) -> Iterator[ValidationError]:
    if name == "date" and isinstance(value, str) and not isinstance(value, _Day):
        yield ValidationError("not a date")


def _plain(value: Any) -> Any:
    """The value as JSON knows it."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return _Day(value.isoformat()) if isinstance(value, datetime.date) else value


def _leaves(error: ValidationError) -> Iterator[ValidationError]:
    """The mistakes within the alternative that was meant; the error itself where none can be told."""
    if error.validator not in ("anyOf", "oneOf"):
        yield error
        return
    branches: dict[object, list[ValidationError]] = {}
    for one in error.context or ():
        branches.setdefault(one.relative_schema_path[0], []).append(one)
    meant = [errors for errors in branches.values() if not any(_strange(one) for one in errors)]
    if len(meant) != 1:
        yield error
        return
    for one in meant[0]:
        yield from _leaves(one)


def _strange(error: ValidationError) -> bool:
    """Whether an alternative cannot have been meant: another type, or another kind of workload."""
    if error.relative_path:
        return False
    missing = error.validator == "required" and any(kind in error.message for kind in _KINDS)
    return error.validator == "type" or missing


def _order(document: Document, error: ValidationError) -> tuple[int, int, bool]:
    """By line and column; an unknown field before the missing one that it may be meant for."""
    place = document.place(tuple(error.absolute_path))
    return place.line or 0, place.column or 0, error.validator == "required"


def _told(document: Document, error: ValidationError) -> InputError:
    at: At = tuple(error.absolute_path)
    known = error.schema if isinstance(error.schema, Mapping) else {}
    if error.validator == "additionalProperties" and isinstance(error.instance, dict):
        name = next(key for key in error.instance if key not in known.get("properties", {}))
        return _mistake(document, (*at, name), f"unknown field {name!r}", _nearest(name, known["properties"]))
    if error.validator == "required":
        present: Any = error.instance
        name = next(one for one in known["required"] if one not in present)
        return _mistake(document, (*at, name), f"the field {name!r} is missing", _advice(known["properties"][name]))
    return _mistake(document, at, *_wrong_value(error, known, at))


def _mistake(document: Document, at: At, what: str, fix: str) -> InputError:
    place = document.place(at)
    named = Place(file=place.file, line=place.line, column=place.column, field=path_text(at))
    return InputError(what, fix=fix, place=named)


def _wrong_value(error: ValidationError, known: Mapping[str, Any], at: At) -> tuple[str, str]:
    """What is wrong with one value, and what would be right."""
    value, shown = error.instance, _shown(error.instance)
    limit: Any = error.validator_value
    if at and at[-1] == "price" and isinstance(value, int | float) and not isinstance(value, bool):
        return "a price without its unit", f"write for example {value} USD/accelerator_hour"
    if at[:1] == ("workloads",) and error.validator == "oneOf":
        return "a workload has one kind", f"begin it with one of {', '.join(f'{kind}: NAME' for kind in _KINDS)}"
    if error.validator == "enum":
        return f"{shown} is not a choice here", _nearest(str(value), limit)
    if _is_duration(known) and value is not None:
        example = f"{value} months" if isinstance(value, int) and not isinstance(value, bool) else "36 months"
        return f"{shown} is not a duration", f"write for example {example}"
    if known.get("format") == "date" and value is not None:
        return f"{shown} is not a date", "write YYYY-MM-DD, for example 2027-03-01"
    if error.validator in _BOUNDS:
        return f"{shown} is out of range", f"it is {_BOUNDS[str(error.validator)]} {limit:g}"
    if error.validator in ("minItems", "minLength"):
        return "it is empty", "; ".join(part for part in ("write at least one", _advice(known)) if part)
    if error.validator == "maxLength":
        return f"it has {len(str(value))} characters", f"write at most {limit}"
    if limit == "boolean":
        return f"{shown} is not true or false", "write true or false (yes, no, on and off are text)"
    needed = _WORDS.get(str(limit), "what belongs here")
    return f"{shown} is not {needed}", _advice(known)


def _is_duration(known: Mapping[str, Any]) -> bool:
    options = [known, *known.get("anyOf", ())]
    return any("month" in str(one.get("pattern", "")) for one in options)


def _shown(value: Any) -> str:
    if value is None:
        return "an empty value"
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    text = str(value).lower() if isinstance(value, bool) else str(value) if isinstance(value, _Day) else repr(value)
    return text if len(text) <= _SHOWN_MAX else text[: _SHOWN_MAX - 3] + "..."


def _advice(known: Mapping[str, Any]) -> str:
    """What the schema says of a field, with its example."""
    about = str(known.get("description", "")).rstrip(".")
    examples = known.get("examples", ())
    example = f"for example {_written(examples[0])}" if examples else ""
    return ", ".join(part for part in (f"it is: {about}" if about else "", example) if part)


def _written(value: Any) -> str:
    """A value as one writes it in YAML, on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_written(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_written(one) for one in value) + "]"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _nearest(name: str, known: Any) -> str:
    near = difflib.get_close_matches(name.lower(), [str(one) for one in known], n=1, cutoff=0.5)
    return f"did you mean {near[0]!r}?" if near else f"there are {', '.join(str(one) for one in known)}"
