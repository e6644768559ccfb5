"""References between parts of a document: known names, nearest names, order of dates, doubles."""

import datetime
import difflib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

from acreage.catalog.accelerators import find
from acreage.domain.accelerator import Accelerator
from acreage.portfolio.document import At, Document
from acreage.portfolio.shape import PortfolioShape
from acreage.units.errors import InputError
from acreage.units.ids import AcceleratorName, PoolId, ProviderId

YEARS = (1990, 2150)


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What may be referred to in one document."""

    document: Document
    shape: PortfolioShape
    accelerators: Mapping[AcceleratorName, Accelerator]

    def wrong(self, what: str, fix: str, at: At) -> NoReturn:
        """Raise an error at a path."""
        raise InputError(what, fix=fix, place=self.document.place(at))

    def known(self, kind: str, name: str, names: Collection[str], at: At) -> str:
        """The name, if it is one of those known; else an error with the nearest."""
        if name not in names:
            near = difflib.get_close_matches(name, names, n=1, cutoff=0.4)
            fix = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(sorted(names)[:12])}"
            self.wrong(f"unknown {kind} {name!r}", fix, at)
        return name

    def provider(self, name: str, at: At) -> ProviderId:
        """A known provider."""
        return ProviderId(self.known("provider", name, [p.id for p in self.shape.providers], at))

    def pool(self, name: str, at: At) -> PoolId:
        """A known pool."""
        return PoolId(self.known("pool", name, [p.id for p in self.shape.pools], at))

    def accelerator(self, name: str, at: At) -> AcceleratorName:
        """A known chip."""
        found = find(name)
        if found is not None and found in self.accelerators:
            return found
        return AcceleratorName(self.known("accelerator", name, list(self.accelerators), at))

    def day(self, day: datetime.date, at: At) -> None:
        """Raise an error for a date that no contract has."""
        if not YEARS[0] <= day.year <= YEARS[1]:
            self.wrong(f"the year {day.year} is out of range", f"dates are of {YEARS[0]} to {YEARS[1]}", at)

    def distinct(self, kind: str, section: str, ids: list[str]) -> None:
        """Raise an error for an id that stands twice in a section."""
        self.distinct_across(kind, [(name, (section, i)) for i, name in enumerate(ids)])

    def distinct_across(self, kind: str, named: Sequence[tuple[str, At]]) -> None:
        """The same over several sections."""
        first: dict[str, At] = {}
        for name, at in named:
            if name in first:
                line = self.document.place(first[name]).line
                self.wrong(f"two of one id: {kind} {name!r} stands in line {line} already", "rename one", at)
            first[name] = at

    def in_order(self, first: datetime.date, then: datetime.date, name: str, other: str, at: At) -> None:
        """Raise an error unless `then` is after `first`."""
        if then <= first:
            self.wrong(f"{name} {then} is not after {other} {first}", "put the dates in order", at)
