"""Why there is no plan: the smallest set of demands and rules that cannot hold together."""

from dataclasses import dataclass

from acreage.units.errors import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Clash:
    """One demand or rule of a conflict, and what would relax it enough for a plan to exist."""

    name: str
    description: str
    relief: str
    place: Place | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """A smallest conflicting set: drop or relax any one of them and the others can hold."""

    clashes: tuple[Clash, ...]
