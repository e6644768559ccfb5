"""Writes docs/reference from the commands' help, the published schemas and the docstrings.

`python docs/generate.py` writes; with `--check` it writes nothing and exits with code 1 if a page is out of date.
"""

import importlib
import inspect
import json
import sys
from importlib import resources
from pathlib import Path
from typing import Any

import click

from acreage.cli.main import COMMANDS, acreage
from acreage.portfolio.contract_shape import contract_schema
from acreage.portfolio.starter import portfolio_schema_text
from acreage.report.plan_json import plan_schema

REFERENCE = Path(__file__).parent / "reference"
MODULES = (
    "acreage.flow.planning",
    "acreage.flow.comparing",
    "acreage.flow.explaining",
    "acreage.plan.planner",
    "acreage.plan.audit",
    "acreage.demand.futures",
    "acreage.catalog.book",
    "acreage.catalog.query",
    "acreage.pricing.invoice",
    "acreage.report.notebook",
    "acreage.report.tables",
    "acreage.report.figures",
    "acreage.domain.plan",
    "acreage.flow.books",
    "acreage.ledger.contracts",
    "acreage.ledger.deliveries",
    "acreage.ledger.holds",
    "acreage.ledger.billing",
    "acreage.ledger.statements",
    "acreage.ledger.verify",
    "acreage.domain.contract",
    "acreage.domain.hold",
    "acreage.domain.match",
    "acreage.market.auctions.award",
    "acreage.market.auctions.payments",
    "acreage.market.venues.venue",
    "acreage.market.venues.order_book",
    "acreage.market.venues.replay",
    "acreage.ledger.venues",
    "acreage.flow.evaluating",
    "acreage.desk.protection.rules",
    "acreage.desk.protection.nested",
    "acreage.desk.protection.dynamic",
    "acreage.desk.protection.overbooking",
    "acreage.desk.protection.recall",
    "acreage.desk.prices.perishable",
    "acreage.desk.prices.price_table",
    "acreage.desk.prices.take_up",
    "acreage.desk.prices.tariff",
    "acreage.desk.online.booking",
    "acreage.desk.online.rent_or_commit",
    "acreage.desk.network.problem",
    "acreage.desk.network.tables",
    "acreage.desk.network.relaxation",
)
PUBLISHED = (
    (
        "rfq",
        "Fields of a request for quotes",
        "Generated from the schema of the files that `acreage rfq create` reads.",
    ),
    ("rfq-answer", "Fields of an answer to a request", "Generated from the schema that every vendor is sent."),
    ("auction", "Auction fields", "Generated from the schema of the files that `acreage auction run` reads."),
    ("world", "World fields", "Generated from the schema of the files that `acreage simulate market` reads."),
    ("desk", "Desk fields", "Generated from the schema of the document that `acreage desk` works from."),
)
"""Pages made from a schema that `acreage schema NAME` prints."""

WIDTH = 100


def commands_page() -> str:
    """Every command's help text."""
    parts = ["# Commands\n\nGenerated from the help texts.\n"]
    for name in COMMANDS:
        command = acreage.get_command(click.Context(acreage), name)
        assert command is not None
        parts.append(f"## acreage {name}\n\n```\n{_help(command, name)}\n```\n")
        if isinstance(command, click.Group):
            parts += [f"```\n{_help(inner, f'{name} {verb}')}\n```\n" for verb, inner in command.commands.items()]
    return "\n".join(parts)


def _help(command: click.Command, name: str) -> str:
    context = click.Context(command, info_name=f"acreage {name}", max_content_width=WIDTH, terminal_width=WIDTH)
    return command.get_help(context).rstrip()


def schema_page(title: str, schema: dict[str, Any], intro: str) -> str:
    """Every field of a schema with its type and description, object by object."""
    parts = [f"# {title}\n\n{intro}\n"]
    objects = {"(top)": schema, **schema.get("$defs", {})}
    for name, shape in objects.items():
        rows = list(_rows(shape, ""))
        if not rows:
            continue
        parts.append(f"## {name}\n")
        if shape.get("description"):
            parts.append(f"{_flat(shape['description'])}\n")
        parts += ["| field | type | meaning |", "|---|---|---|", *rows, ""]
    return "\n".join(parts)


def published_page(name: str, title: str, intro: str) -> str:
    """The page of a published schema file of the portfolio room."""
    text = resources.files("acreage.portfolio").joinpath(f"{name}.schema.json").read_text(encoding="utf-8")
    return schema_page(title, json.loads(text), intro)


def _rows(shape: dict[str, Any], prefix: str) -> list[str]:
    needed = set(shape.get("required", ()))
    rows = []
    for field, inner in shape.get("properties", {}).items():
        star = "" if field in needed else " (optional)"
        rows.append(f"| `{prefix}{field}`{star} | {_type(inner)} | {_flat(inner.get('description', ''))} |")
        deeper = inner.get("items", inner)
        if "properties" in deeper:
            rows += _rows(deeper, f"{prefix}{field}{'[]' if 'items' in inner else ''}.")
    return rows


def _type(shape: dict[str, Any]) -> str:
    if "$ref" in shape:
        return shape["$ref"].rsplit("/", 1)[-1]
    if "enum" in shape:
        return " or ".join(f"`{value}`" for value in shape["enum"])
    if "const" in shape:
        return f"`{shape['const']}`"
    for key in ("anyOf", "oneOf"):
        if key in shape:
            return " or ".join(dict.fromkeys(_type(inner) for inner in shape[key]))
    kind = shape.get("type", "any")
    kind = " or ".join(kind) if isinstance(kind, list) else kind
    return f"list of {_type(shape['items'])}" if kind == "array" and "items" in shape else kind


def _flat(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def python_page() -> str:
    """Public functions and classes of the modules that programs use."""
    parts = ["# Python\n\nGenerated from the docstrings.\n"]
    for name in MODULES:
        module = importlib.import_module(name)
        parts.append(f"## {name}\n\n{inspect.cleandoc(module.__doc__ or '')}\n")
        for label, thing in vars(module).items():
            mine = getattr(thing, "__module__", None) == name and not label.startswith("_")
            if mine and (inspect.isfunction(thing) or inspect.isclass(thing)):
                doc = inspect.cleandoc(thing.__doc__ or "") if not (thing.__doc__ or "").startswith(f"{label}(") else ""
                parts.append(f"### {label}\n\n```\n{label}{_signature(thing)}\n```\n\n{doc}\n")
    return "\n".join(parts)


def _signature(thing: Any) -> str:
    try:
        text = str(inspect.signature(thing))
    except ValueError:
        return ""
    # Addresses in default values would differ from run to run.
    return text if " at 0x" not in text else "(...)"


def pages() -> dict[str, str]:
    """Every page of the reference by file name."""
    return {
        "commands.md": commands_page(),
        "portfolio.md": schema_page(
            "Portfolio fields",
            json.loads(portfolio_schema_text()),
            "Generated from the schema that `acreage init` writes.",
        ),
        "contract.md": schema_page(
            "Contract fields",
            contract_schema(),
            "Generated from the schema of the files that `acreage lease propose` and `amend` read.",
        ),
        **{f"{name}.md": published_page(name, title, intro) for name, title, intro in PUBLISHED},
        "plan.md": schema_page("Plan fields", json.loads(plan_schema()), "Generated from the schema of `plan.json`."),
        "python.md": python_page(),
    }


def main() -> int:
    """Write the pages, or with --check compare them."""
    stale = []
    for name, text in pages().items():
        path, text = REFERENCE / name, text.rstrip() + "\n"
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(name)
        if "--check" not in sys.argv:
            REFERENCE.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
    if stale and "--check" in sys.argv:
        print(f"out of date: {', '.join(stale)}; run `make reference`")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
