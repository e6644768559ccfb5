"""What-ifs in bulk as a part of plan.json: fields by their own names, instants as ISO-8601."""

from dataclasses import fields, is_dataclass
from typing import Any

from acreage.domain.bulk import Bulk
from acreage.units.instants import Instant, moment


def bulk_document(bulk: Bulk) -> dict[str, Any]:
    """The answers as plain values; see plan.schema.json for every field."""
    document = {field.name: _plain(getattr(bulk, field.name), field.name) for field in fields(bulk)}
    return {**document, "seconds": round(bulk.seconds, 3)}


def _plain(value: Any, name: str) -> Any:
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name), field.name) for field in fields(value)}
    if isinstance(value, tuple):
        return [_plain(one, name) for one in value]
    if name.endswith("_at"):
        return f"{moment(Instant(value)):%Y-%m-%dT%H:%M:%SZ}"
    return str(value) if isinstance(value, str) else value
