"""An explanation in words: what `acreage explain` says, whoever prints it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A title and labelled lines; an empty label continues the line before it."""

    title: str
    lines: tuple[tuple[str, str], ...]
