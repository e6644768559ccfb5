"""Published problem files: what is read is what was written, and what is broken says where."""

import numpy as np
import pytest

from acreage.desk.network.hub_files import read_hub_file
from acreage.desk.network.problem import Network
from acreage.units.errors import InputError, Place
from tests.desk.network.published import ROUTES, published


def written(network: Network) -> str:
    """The network in the layout of the published files."""
    lines = ["# number of time periods", str(network.periods), "", "# flights", str(network.resources)]
    for name, seats in zip(network.resource_names, network.capacity, strict=True):
        lines.append(f"{name.replace('-', ' ')} {seats}")
    lines += ["", "# itineraries - from to class fare", str(network.products)]
    keys = [f"{a} {b} {kind}" for a, b, *_ in ROUTES for kind in (0, 1)]
    lines += [f"{key} {fare}" for key, fare in zip(keys, network.fare_usd, strict=True)]
    lines += ["", "# probabilities - time period itinerary probability"]
    for t, row in enumerate(network.arrival_prob):
        lines.append(f"{t}\t" + "".join(f"[ {key} ]\t{p!r}\t" for key, p in zip(keys, row.tolist(), strict=True)))
    return "\n".join(lines) + "\n"


def test_a_published_file_is_read_as_the_problem_it_holds() -> None:
    """Seats, fares, flights taken and probabilities come back."""
    network = published(200, 1.2, 8)
    again = read_hub_file(written(network), name="rm_200_4_1.2_8.0.txt")
    assert again.resource_names == network.resource_names
    assert (again.capacity == network.capacity).all()
    assert (again.fare_usd == network.fare_usd).all()
    assert (again.usage() == network.usage()).all()
    assert np.array_equal(again.arrival_prob, network.arrival_prob)


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("200\n", "many\n", 2),
        ("0 1 0 24.0", "0 1 24.0", 17),
        ("[ 0 1 0 ]", "[ 9 1 0 ]", 59),
        ("[ 4 3 1 ]\t0.0\t\n1\t", "\n1\t", 59),
        ("# probabilities", "8\t# probabilities", 58),
    ],
)
def test_a_broken_file_says_where(old: str, new: str, line: int) -> None:
    """What is no number, a missing field, an unknown itinerary, a missing or surplus entry: each names its line."""
    text = written(published(200, 1.2, 8))
    assert old in text
    with pytest.raises(InputError) as caught:
        read_hub_file(text.replace(old, new, 1), name="broken.txt")
    assert caught.value.place == Place(file="broken.txt", line=line)


def test_a_file_cut_short_is_refused() -> None:
    """A file with a period too few is no problem with fewer periods."""
    text = "\n".join(written(published(200, 1.2, 8)).splitlines()[:-1])
    with pytest.raises(InputError, match="ends too early"):
        read_hub_file(text, name="short.txt")
