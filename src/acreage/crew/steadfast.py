"""A crew that is never lost: where a cluster goes away, this process goes on with what is left to do."""

from collections.abc import Callable, Iterator, Sequence

from acreage.crew.crew import ClusterLost, Crew, Item, Kept, Result, T, Tell


class SteadfastCrew:
    """Works `away` for as long as that is there, then `here`, and says so once; results are the same.

    What was already found away is not done again.
    """

    def __init__(self, away: Crew, here: Crew, say: Callable[[str], None]) -> None:
        self._away: Crew | None = away
        self._here = here
        self._say = say

    @property
    def workers(self) -> int:
        """Those of whoever works now."""
        return self._now.workers

    @property
    def _now(self) -> Crew:
        return self._away or self._here

    def keep(self, thing: T) -> Kept[T]:
        """Kept away, and known here."""
        if self._away is not None:
            try:
                return self._away.keep(thing)
            except ClusterLost as lost:
                self._leave(lost)
        return self._here.keep(thing)

    def map(
        self, work: Callable[[T, Item], Result], kept: Kept[T], items: Sequence[Item], *, tell: Tell | None = None
    ) -> Iterator[Result]:
        """See `Crew`; `ClusterLost` is never raised."""
        handed, found = 0, dict[int, object]()
        if self._away is not None:
            try:
                for result in self._away.map(work, kept, items, tell=tell):
                    yield result
                    handed += 1
                return
            except ClusterLost as lost:
                found = lost.found
                self._leave(lost)
        left = [number for number in range(handed, len(items)) if number not in found]
        known = len(items) - len(left)
        here = self._here.map(
            work,
            self._here.keep(kept.thing),
            [items[number] for number in left],
            tell=tell and (lambda done, _: tell(known + done, len(items))),
        )
        for number in range(handed, len(items)):
            yield found[number] if number in found else next(here)  # type: ignore[misc]

    def _leave(self, lost: ClusterLost) -> None:
        """From now on everything is done here."""
        if self._away is not None:
            self._away.close()
            self._away = None
            self._say(f"{lost}; going on with this machine alone, with the same results")

    def close(self) -> None:
        """Let both go."""
        self._now.close()
