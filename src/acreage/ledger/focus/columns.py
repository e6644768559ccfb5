"""The columns of FOCUS and their allowed values, as facts in two small tables beside this file.

`columns.csv` lists Cost and Usage up to FOCUS 1.2 and the Contract Commitment data set of FOCUS 1.3: id,
feature level, whether nulls are allowed, type, and the version that introduced it, in the specification's
order. `allowed_values.csv` lists the closed value sets of FOCUS 1.2. Both are facts taken from the FOCUS
specification of the FinOps Foundation (github.com/FinOps-Open-Cost-and-Usage-Spec/FOCUS_Spec), which is
licensed CC BY 4.0, its code under the Open Web Foundation agreement; no text of it is kept here.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources
from types import MappingProxyType

import polars as pl

from acreage.units.errors import InputError

VERSIONS = ("0.5", "1.0-preview", "1.0", "1.1", "1.2", "1.3")
"""Every version that introduced a column, oldest first."""

NEWEST = "1.2"
"""The version of Cost and Usage that everything is read into."""

_WRITABLE = ("1.0", "1.1", "1.2")


class DataSet(StrEnum):
    """The data sets of FOCUS that are read or written."""

    COST_AND_USAGE = "cost_and_usage"
    CONTRACT_COMMITMENT = "contract_commitment"


class Kind(StrEnum):
    """What a column holds: text (JSON too), an exact number, or a date with time."""

    TEXT = "text"
    NUMBER = "number"
    INSTANT = "instant"


PLACES = 18
"""Decimal places kept of numbers: real bills carry 15, and costs that went through a float of theirs 17."""

INSTANT = pl.Datetime("us", "UTC")


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column: its verbatim id, `mandatory` by feature level, `nullable`, and the version it came with."""

    id: str
    mandatory: bool
    nullable: bool
    kind: Kind
    introduced: str

    @property
    def dtype(self) -> pl.DataType:
        """The polars type: String, Decimal(38, 18) or Datetime("us", "UTC")."""
        if self.kind is Kind.NUMBER:
            return pl.Decimal(38, PLACES)
        return INSTANT if self.kind is Kind.INSTANT else pl.String()


@cache
def columns_of(version: str = NEWEST) -> tuple[Column, ...]:
    """The Cost and Usage columns of FOCUS "1.0", "1.1" or "1.2", in the specification's order.

    Raises `InputError` for any other version.
    """
    if version not in _WRITABLE:
        raise InputError(f"FOCUS version {version!r} is not known", fix=f"use one of {', '.join(_WRITABLE)}")
    newest = VERSIONS.index(version)
    return tuple(c for c in _columns(DataSet.COST_AND_USAGE) if VERSIONS.index(c.introduced) <= newest)


@cache
def commitment_columns() -> tuple[Column, ...]:
    """The columns of FOCUS 1.3 Contract Commitment, in the specification's order."""
    return tuple(_columns(DataSet.CONTRACT_COMMITMENT))


@cache
def allowed_values() -> Mapping[str, Sequence[str]]:
    """The values each column with a closed set may take, keyed by column id."""
    values: dict[str, tuple[str, ...]] = {}
    for row in _rows("allowed_values.csv"):
        values[row["column"]] = (*values.get(row["column"], ()), row["value"])
    return MappingProxyType(values)


def schema_of(columns: Sequence[Column]) -> pl.Schema:
    """The polars schema of these columns."""
    return pl.Schema({column.id: column.dtype for column in columns})


def _columns(data_set: DataSet) -> Iterator[Column]:
    for row in _rows("columns.csv"):
        if row["data_set"] == data_set:
            yield Column(
                id=row["column"],
                mandatory=row["level"] == "mandatory",
                nullable=row["nulls"] == "yes",
                kind=Kind(row["type"]),
                introduced=row["introduced"],
            )


def _rows(name: str) -> Iterator[dict[str, str]]:
    text = resources.files("acreage.ledger.focus").joinpath(name).read_text(encoding="utf-8")
    return csv.DictReader(text.splitlines())
