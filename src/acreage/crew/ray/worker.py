"""What runs on the workers of a cluster."""

import pickle
import platform
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import ray

_unpacked: dict[str, object] = {}
"""What this process unpacked last, by its reference: it serves the next task, and makes room for the next thing."""


def task(work: Callable[[Any, Any], Any], place: list[Any], item: Any) -> Any:
    """One item's work on what is kept at a place."""
    name = place[0].hex()
    if name not in _unpacked:
        thing = pickle.loads(ray.get(place[0]))
        _unpacked.clear()
        _unpacked[name] = thing
    return work(_unpacked[name], item)


def versions(_: object, names: Sequence[str]) -> dict[str, str]:
    """Versions of Python and of those libraries that are there."""
    found = {"Python": platform.python_version()}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
