"""A doubt about data: kept and shown, never dropped in silence, never an exception."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How much a finding matters: an error keeps its row from becoming a price."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One doubt: the rule that raised it, where it stands and what it says.

    `source` is a file or feed, `row` its line or key there, `subject` the thing doubted.
    """

    severity: Severity
    rule: str
    source: str
    row: str
    subject: str
    message: str
