"""The seam of a crew: something large kept once, and one piece of work done on it for each of many items."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

T = TypeVar("T")
Item = TypeVar("Item")
Result = TypeVar("Result")

Tell = Callable[[int, int], None]
"""Told how many items are done of how many."""


@dataclass(frozen=True, slots=True)
class Kept(Generic[T]):
    """Something that a crew keeps where all who work can read it; `place` is known to the crew alone.

    Work may not change it: who would, works on a copy.
    """

    thing: T
    place: object = None


class Crew(Protocol):
    """Does one piece of work for every item.

    Work is a function of a module and depends on nothing but what is kept and its item: it may be done
    anywhere, and twice where whoever did it is lost. So every crew gives the same results.
    """

    @property
    def workers(self) -> int:
        """How many items are worked on at a time."""
        ...

    def keep(self, thing: T) -> Kept[T]:
        """Put something where all who work can read it, once for however many items."""
        ...

    def map(
        self, work: Callable[[T, Item], Result], kept: Kept[T], items: Sequence[Item], *, tell: Tell | None = None
    ) -> Iterator[Result]:
        """The results in the order of the items, as they come; what work raises is raised when it comes.

        Raises `ClusterLost` where there is nobody left who could do it.
        """
        ...

    def close(self) -> None:
        """Let everybody go; nothing is mapped afterwards."""
        ...


class ClusterLost(Exception):
    """The cluster has gone away; `found` are results by the number of their item that were not handed over yet."""

    def __init__(self, what: str, found: Mapping[int, object] | None = None) -> None:
        self.found = dict(found or {})
        super().__init__(what)
