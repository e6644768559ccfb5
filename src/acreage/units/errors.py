"""The three ways something fails: the caller's mistake, the world's, and ours.

The caller's mistake is an `InputError` that says where, what and what would be right; the
world's is `Transient` (try again) or `Permanent`; ours is an `assert`.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where in the user's input something stands; lines and columns count from 1."""

    file: str
    line: int | None = None
    column: int | None = None
    field: str = ""

    def __str__(self) -> str:
        parts = [self.file]
        if self.line is not None:
            parts.append(str(self.line))
            if self.column is not None:
                parts.append(str(self.column))
        place = ":".join(parts)
        return f"{place}: {self.field}" if self.field else place


class InputError(Exception):
    """The caller's mistake: `what` is wrong, `fix` says what would be right, `place` where.

    The command line prints it as one line and exits with code 2.
    """

    def __init__(self, what: str, *, fix: str = "", place: Place | None = None) -> None:
        self.what = what
        self.fix = fix
        self.place = place
        super().__init__(str(self))

    def at(self, place: Place) -> "InputError":
        """Return the same error with a place, unless it already has one."""
        return self if self.place is not None else InputError(self.what, fix=self.fix, place=place)

    def __str__(self) -> str:
        where = f"{self.place}: " if self.place is not None else ""
        fix = f"; {self.fix}" if self.fix else ""
        return f"{where}{self.what}{fix}"


class Transient(Exception):
    """The world failed for a moment: the same call may succeed after `retry_after_s` seconds."""

    def __init__(self, what: str, *, retry_after_s: float) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(what)


class Permanent(Exception):
    """The world said no: the same call will fail again."""
