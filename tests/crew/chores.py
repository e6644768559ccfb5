"""Work that crews are given in tests; the workers of a cluster import it by name."""

import os
import signal
import time
from pathlib import Path

from acreage.crew.local import cores
from acreage.units.errors import InputError


def product(factor: int, number: int) -> int:
    """Times what is kept."""
    return factor * number


def slow_product(factor: int, number: int) -> int:
    """The same, taking a moment."""
    time.sleep(0.2)
    return factor * number


def where(kept: object, number: int) -> tuple[int, int]:
    """The number, and the process that it came to."""
    time.sleep(0.1)
    return number, os.getpid()


def threads(kept: object, number: int) -> int:
    """How many threads this process may keep busy."""
    return cores()


def deadly_once(mark: Path, number: int) -> int:
    """Kills its own process with number 5, the first time."""
    time.sleep(0.05)
    if number == 5 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return -number


def refuse(kept: object, number: int) -> int:
    """Number 3 is wrong."""
    if number == 3:
        raise KeyError("three")
    return number


def blame(kept: object, number: int) -> int:
    """The user is wrong."""
    raise InputError("wrong", fix="be right")


def change(kept: list[int], number: int) -> list[int]:
    """A copy of what is kept, with more in it."""
    return [*kept, number]
