"""The portfolio that `acreage init` writes: small, commented, planned from the month it is written in.

Its dates follow the day given, so that it never starts in the past. The schema lies beside it,
because the first line names it for editors.
"""

import re
from importlib import resources
from pathlib import Path

import yaml

from acreage.units.errors import InputError, Place
from acreage.units.instants import Instant, add_months, instant, iso_date

SCHEMA_NAME = "portfolio.schema.json"

_MONTH = re.compile(r"@month([+-]\d+)")
_NAME_LENGTH_MAX = 200


def portfolio_schema_text() -> str:
    """The published JSON Schema of a portfolio document."""
    return resources.files("acreage.portfolio").joinpath(SCHEMA_NAME).read_text(encoding="utf-8")


def starter_text(*, name: str, file: str, as_of_at: Instant) -> str:
    """The starter's YAML; its planning day is the first of the month of `as_of_at`.

    Raises `InputError` for a name that cannot head a report.
    """
    if not name.strip() or not name.isprintable() or len(name) > _NAME_LENGTH_MAX:
        fix = f"give 1 to {_NAME_LENGTH_MAX} printable characters"
        raise InputError(f"{name[:40]!r} cannot be a portfolio's name", fix=fix)
    first = instant(iso_date(as_of_at)[:8] + "01")
    text = resources.files("acreage.portfolio").joinpath("starter.yaml").read_text(encoding="utf-8")
    text = _MONTH.sub(lambda found: iso_date(add_months(first, int(found[1]))), text)
    quoted = yaml.safe_dump(name, allow_unicode=True, width=2 * _NAME_LENGTH_MAX, default_style='"').strip()
    return text.replace("@file", file).replace("name: @name", f"name: {quoted}", 1)


def write_starter(path: Path, *, name: str | None, as_of_at: Instant, force: bool) -> tuple[Path, Path]:
    """Write the starter and its schema; a folder gets a portfolio.yaml, no name means the folder's.

    Returns both paths. Raises `InputError` if one of them is there already and `force` is
    not given, or if they cannot be written.
    """
    target = path if path.suffix in (".yaml", ".yml") else path / "portfolio.yaml"
    schema = target.with_name(SCHEMA_NAME)
    named = name if name is not None else target.absolute().parent.name or "my-portfolio"
    text, schema_text = starter_text(name=named, file=target.name, as_of_at=as_of_at), portfolio_schema_text()
    there = target if target.exists() else schema if schema.exists() and not _is(schema, schema_text) else None
    if there is not None and not force:
        fix = "name another file, or --force to overwrite it"
        raise InputError("it is there already", fix=fix, place=Place(file=str(there)))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        schema.write_text(schema_text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", place=Place(file=str(target))) from None
    return target, schema


def _is(path: Path, text: str) -> bool:
    """Whether a file holds just this text."""
    try:
        return path.read_text(encoding="utf-8") == text
    except (OSError, UnicodeDecodeError):
        return False
