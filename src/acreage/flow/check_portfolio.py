"""Answers `acreage check PORTFOLIO`: reads portfolios and lists what is doubtful about them."""

from collections.abc import Sequence
from pathlib import Path

from acreage.flow.planning import portfolio_at


def check_portfolios(paths: Sequence[str]) -> list[str]:
    """A line for each doubt about the portfolios; raises `InputError` for what cannot be read."""
    return [
        f"{found.severity}: {found.source}:{found.row}: {found.message}"
        for path in paths
        for found in portfolio_at(Path(path)).findings
    ]
