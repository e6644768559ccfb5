"""Whatever is done to a portfolio, the answer is a portfolio or one error with a place."""

import copy
import datetime
from pathlib import Path
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from acreage.catalog.accelerators import load_accelerators
from acreage.domain.portfolio import Portfolio
from acreage.portfolio.read import read_portfolio_text
from acreage.units.errors import InputError, Place

TEMPLATE = (Path(__file__).parent / "sample.yaml").read_text(encoding="utf-8")
SAMPLE = yaml.safe_load(TEMPLATE)

ODD = st.sampled_from(
    [
        None, True, False, 0, -1, 1, 3, 10**30, -(10**30), 1e300, 1e-300, 0.5, "", "x", "yes", "12:30", "0 months",
        "999999999999 years", "99 years", "catalog", "catalog spot", "4.30 USD/node_hour", "0 USD/accelerator_hour",
        "-1 USD/accelerator_hour", "4,30 EUR/accelerator_hour", "H100", "alder", "alder-h100", "alder-1y", [], {}, [{}],
        [None], {"a": 1}, datetime.date(1, 1, 1), datetime.date(9999, 12, 31), datetime.date(2027, 2, 1),
    ]
)  # fmt: skip


def paths(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every path of a plain document."""
    found = [at] if at else []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in items:
        found += paths(child, (*at, key))
    return found


PATHS = paths(SAMPLE)


def refused(text: str) -> Place | None:
    """None for a text that is read; else where the one error stands."""
    try:
        portfolio, _ = read_portfolio_text(
            text, "plan.yaml", accelerators=load_accelerators(), list_price=lambda *_: None
        )
    except InputError as error:
        return error.place or Place(file="nowhere")
    assert isinstance(portfolio, Portfolio)
    return None


def changed(at: tuple[Any, ...], how: str, odd: Any) -> Any:
    """The sample with one node dropped, replaced, doubled or renamed."""
    document = copy.deepcopy(SAMPLE)
    parent = document
    for key in at[:-1]:
        parent = parent[key]
    if how == "drop":
        del parent[at[-1]]
    elif how == "replace":
        parent[at[-1]] = odd
    elif how == "double" and isinstance(parent, list):
        parent.append(copy.deepcopy(parent[at[-1]]))
    elif isinstance(parent, dict):
        parent[f"{at[-1]}_x"] = parent.pop(at[-1])
    return document


@settings(max_examples=400, deadline=None)
@given(at=st.sampled_from(PATHS), how=st.sampled_from(["drop", "replace", "replace", "double", "rename"]), odd=ODD)
def test_a_changed_portfolio_is_read_or_refused_with_a_place(at: tuple[Any, ...], how: str, odd: Any) -> None:
    """No change of one node makes anything but a portfolio or an InputError that says where."""
    text = yaml.safe_dump(changed(at, how, odd), sort_keys=False)
    place = refused(text)
    assert place is None or (place.file == "plan.yaml" and place.line is not None)


@settings(max_examples=200, deadline=None)
@given(start=st.integers(0, len(TEMPLATE)), length=st.integers(0, 40), other=st.text(max_size=8))
def test_a_scribbled_text_is_read_or_refused_with_a_place(start: int, length: int, other: str) -> None:
    """No scribble over the text makes anything but a portfolio or an InputError."""
    text = TEMPLATE[:start] + other + TEMPLATE[start + length :]
    place = refused(text)
    assert place is None or place.file == "plan.yaml"
