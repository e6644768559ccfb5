"""The examples that ship with the package: from the wheel, or from the checkout they are developed in."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

import acreage


@contextmanager
def example(name: str) -> Iterator[Path]:
    """The portfolio file of an example, for as long as the context lasts."""
    packed = resources.files(acreage) / "examples" / name / "portfolio.yaml"
    if packed.is_file():
        with resources.as_file(packed) as path:
            yield path
    else:
        yield Path(acreage.__file__).parents[2] / "examples" / name / "portfolio.yaml"
