"""The first mistake in file order is told in words, with its place, the nearest name or an example."""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from acreage.portfolio.document import parse_document
from acreage.portfolio.shape import json_schema
from acreage.portfolio.starter import portfolio_schema_text, starter_text
from acreage.portfolio.validate import validate
from acreage.units.errors import InputError
from acreage.units.instants import instant

STARTER = starter_text(name="sample", file="p.yaml", as_of_at=instant("2026-12-01"))
SCHEMA = json.loads(portfolio_schema_text())

CASES = [
    ("term: 24 months", "term: 24", "p.yaml:85:11: offers[1].term: 24 is not a duration; write for example 24 months"),
    (
        "term: 24 months",
        "trem: 24 months",
        "p.yaml:85:11: offers[1].trem: unknown field 'trem' (and 1 more); did you mean 'term'?",
    ),
    (
        "    term: 24 months\n",
        "",
        "p.yaml:79:5: offers[1].term: the field 'term' is missing; "
        "it is: How long the lease runs from its start (duration), for example 36 months",
    ),
    (
        "price: 2.05 USD/accelerator_hour",
        "price: 2.05",
        "p.yaml:86:12: offers[1].price: a price without its unit; write for example 2.05 USD/accelerator_hour",
    ),
    (
        "per: node_hour",
        "per: nod_hour",
        "p.yaml:67:30: leases[1].price.per: 'nod_hour' is not a choice here; did you mean 'node_hour'?",
    ),
    (
        "must: true",
        "must: yes",
        "p.yaml:126:11: workloads[1].must: 'yes' is not true or false; "
        "write true or false (yes, no, on and off are text)",
    ),
    (
        "as_of: 2026-12-01 ",
        "as_of: soon ",
        "p.yaml:11:8: as_of: 'soon' is not a date; write YYYY-MM-DD, for example 2027-03-01",
    ),
    (
        "goodput_frac: 0.90, gang_min: 256",
        "goodput_frac: 1.9, gang_min: 256",
        "p.yaml:114:59: workloads[0].capabilities[0].goodput_frac: 1.9 is out of range; it is at most 1",
    ),
    ("usd: 36.00", "usd: 0", "p.yaml:67:18: leases[1].price.usd: 0 is out of range; it is above 0"),
    (
        "training_run: base-model",
        "trainin_run: base-model",
        "p.yaml:106:5: workloads[0]: a workload has one kind; "
        "begin it with one of training_run: NAME, serving_fleet: NAME, research_share: NAME",
    ),
    (
        "min: 1, max: 3",
        "min: 1.5, max: 3",
        "p.yaml:83:19: offers[1].blocks.min: 1.5 is not a whole number; it is: Fewest blocks, if any, for example 1",
    ),
    ("  seed: 1", "  sed: 1\n  futurs: 3", "p.yaml:146:8: uncertainty.sed: unknown field 'sed'; did you mean 'seed'?"),
]


def told(text: str) -> str:
    """What is said about a text."""
    with pytest.raises(InputError) as raised:
        validate(parse_document(text, "p.yaml"))
    return str(raised.value)


@pytest.mark.parametrize(("old", "new", "message"), CASES)
def test_a_mistake_is_told_with_its_place_and_a_way_out(old: str, new: str, message: str) -> None:
    """One mistake put into the starter gives just this line."""
    assert old in STARTER
    assert told(STARTER.replace(old, new, 1)) == message


@pytest.mark.parametrize("text", ["3", "[]", "{}", "name: x"])
def test_what_is_no_portfolio_at_all_is_one_error(text: str) -> None:
    """Even the wrong kind of document has a place and advice."""
    assert told(text).startswith("p.yaml:1:1: ")


def test_the_schema_is_a_schema() -> None:
    """The published file is valid draft 2020-12."""
    Draft202012Validator.check_schema(SCHEMA)


def properties(schema: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Mapping name -> its fields, bare of words."""
    parts = {"": schema, **schema["$defs"]}
    return {name.removesuffix("Shape"): part["properties"] for name, part in parts.items() if "properties" in part}


def bare(value: Any) -> Any:
    """A schema without its words, so that only its rules are compared."""
    if isinstance(value, dict):
        return {key: bare(one) for key, one in value.items() if key not in ("description", "examples", "title")}
    if isinstance(value, list):
        return [bare(one) for one in value]
    return value.removesuffix("Shape") if isinstance(value, str) else value


def test_the_schema_and_the_reader_have_the_same_fields_and_rules() -> None:
    """The published schema says what the reader's shapes say, and more words."""
    assert bare(properties(SCHEMA)) == bare(properties(json_schema()))


def test_every_field_says_what_it_is() -> None:
    """An editor shows a description at every field, and most have an example that fits the field's own rules."""
    for name, fields in properties(SCHEMA).items():
        for field, rules in fields.items():
            assert len(rules["description"]) > 8, (name, field)
            for example in rules.get("examples", ()):
                Draft202012Validator({**rules, "$defs": SCHEMA["$defs"]}).validate(example)


def test_no_mapping_takes_fields_it_does_not_know() -> None:
    """A misspelled field is never silently ignored."""
    assert all(part["additionalProperties"] is False for part in (SCHEMA, *SCHEMA["$defs"].values()))
