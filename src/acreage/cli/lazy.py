"""Loads what a command needs when it runs, so that `--help` imports nothing heavy."""

import importlib
from typing import Any


def load(name: str) -> Any:
    """The module of this full name."""
    return importlib.import_module(name)
