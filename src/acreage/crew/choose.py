"""The crew that a user names: `local`, `ray` or `ray://HOST:PORT`."""

import importlib
import importlib.util
import os
import secrets
import sys
from collections.abc import Callable

from acreage.crew.crew import Crew
from acreage.crew.local import HERE
from acreage.crew.steadfast import SteadfastCrew
from acreage.units.errors import InputError

LOCAL, RAY, RAY_CLIENT = "local", "ray", "ray://"
NAMES = "local, ray or ray://HOST:PORT"


def names_crew(text: str) -> bool:
    """Whether a text is meant to name a crew, rightly or not."""
    return text == LOCAL or text.startswith(RAY)


def crew_of(text: str, say: Callable[[str], None]) -> Crew:
    """The crew of this name, ready to work; `say` is told in words if a cluster goes away later.

    Raises `InputError` for what is no name of a crew, where Ray is not installed, and where the cluster cannot be
    reached or cannot work for this installation.
    """
    if text == LOCAL:
        return HERE
    if text != RAY and not _is_address(text):
        raise InputError(f"{text!r} names no crew", fix=f"say {NAMES}")
    if importlib.util.find_spec(RAY) is None:
        raise InputError(f"{text!r} needs Ray, which is not installed", fix="pip install 'acreage[ray]'")
    # Ray reads its settings when it is imported, which takes a second: only whoever asks for it waits.
    if text == RAY and RAY not in sys.modules:
        _lock()
    os.environ.setdefault("RAY_ENABLE_AUTO_CONNECT", "0")
    away: Crew = importlib.import_module("acreage.crew.ray.client").connected(text, say)
    return SteadfastCrew(away, HERE, say)


def _lock() -> None:
    """Let nobody but this process use the cluster that it starts."""
    if "RAY_AUTH_MODE" not in os.environ:
        os.environ |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}


def _is_address(text: str) -> bool:
    if not text.startswith(RAY_CLIENT):
        return False
    host, _, port = text.removeprefix(RAY_CLIENT).rpartition(":")
    return bool(host) and "/" not in host and port.isdecimal() and 0 < int(port) < 65_536
