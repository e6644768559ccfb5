"""The desk document that `acreage desk template` prints."""

from importlib import resources


def desk_starter() -> str:
    """The commented document."""
    return resources.files("acreage.portfolio").joinpath("desk.yaml").read_text(encoding="utf-8")
