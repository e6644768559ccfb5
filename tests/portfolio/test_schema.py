"""The published schema and the shapes that are read name the same fields."""

import json

from acreage.portfolio.shape import json_schema
from acreage.portfolio.starter import portfolio_schema_text


def test_the_published_schema_and_the_shapes_have_the_same_fields() -> None:
    """A field added to one and not to the other would be completed by editors and then refused, or the reverse."""
    published, made = json.loads(portfolio_schema_text()), json_schema()
    assert set(published["properties"]) == set(made["properties"])
    named = {f"{name}Shape": set(part.get("properties", ())) for name, part in published["$defs"].items()}
    for name, part in made["$defs"].items():
        assert named.get(name) == set(part["properties"]), name
