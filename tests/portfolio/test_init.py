"""`acreage init` and `acreage schema`: a portfolio that validates, its schema, and nothing overwritten."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from acreage.catalog.accelerators import load_accelerators
from acreage.cli.commands.init import init
from acreage.cli.commands.schema import schema
from acreage.portfolio.read import read_portfolio
from acreage.portfolio.starter import portfolio_schema_text, starter_text, write_starter
from acreage.units.errors import InputError
from acreage.units.instants import instant

DAY = instant("2026-11-23")


def test_init_writes_a_portfolio_that_reads_and_its_schema(tmp_path: Path) -> None:
    """What init writes has two pools held, three offers and three kinds of workload, and no error."""
    target, beside = write_starter(tmp_path / "mine.yaml", name="mine", as_of_at=DAY, force=False)
    assert target.read_text().splitlines()[0] == "# yaml-language-server: $schema=portfolio.schema.json"
    assert json.loads(beside.read_text())["title"] == "Acreage portfolio"
    read, findings = read_portfolio(target, accelerators=load_accelerators(), list_price=lambda *_: None)
    assert (len(read.pools), len(read.leases), len(read.offers), len(read.workloads)) == (2, 2, 3, 3)
    assert read.name == "mine"
    assert read.uncertainty.futures == 12
    assert findings == ()


@pytest.mark.parametrize("month", range(1, 13))
def test_the_starter_reads_in_every_month(month: int, tmp_path: Path) -> None:
    """Its dates follow the month in which it is written."""
    target, _ = write_starter(tmp_path, name="m", as_of_at=instant(f"2027-{month:02}-28"), force=False)
    read, _ = read_portfolio(target, accelerators=load_accelerators(), list_price=lambda *_: None)
    assert read.as_of_at == instant(f"2027-{month:02}-01")


def test_nothing_is_overwritten_without_force(tmp_path: Path) -> None:
    """A portfolio or another schema that is there stays as it is; --force replaces it."""
    target = tmp_path / "portfolio.yaml"
    target.write_text("mine")
    with pytest.raises(InputError, match=r"portfolio\.yaml: it is there already; name another file, or --force"):
        write_starter(target, name="m", as_of_at=DAY, force=False)
    assert target.read_text() == "mine"
    assert not (tmp_path / "portfolio.schema.json").exists()
    write_starter(target, name="m", as_of_at=DAY, force=True)
    assert target.read_text() != "mine"
    write_starter(tmp_path / "second.yaml", name="m", as_of_at=DAY, force=False)


@pytest.mark.parametrize("name", ["a: b", "true", "12", '"quoted"', "2027-01-01", "Größe", "# no", "@month+1"])
def test_any_printable_name_stays_the_name(name: str, tmp_path: Path) -> None:
    """A name that YAML would read as something else is quoted."""
    target, _ = write_starter(tmp_path, name=name, as_of_at=DAY, force=False)
    read, _ = read_portfolio(target, accelerators=load_accelerators(), list_price=lambda *_: None)
    assert read.name == name


@pytest.mark.parametrize("name", ["", "  ", "a\nb: 1", "x" * 201])
def test_a_name_that_cannot_head_a_report_is_refused(name: str) -> None:
    """Line breaks, nothing and novels are no names."""
    with pytest.raises(InputError, match="cannot be a portfolio's name"):
        starter_text(name=name, file="p.yaml", as_of_at=DAY)


def test_the_commands_do_it(tmp_path: Path) -> None:
    """`init` says what it wrote and what is next; `schema portfolio` prints the schema."""
    target = tmp_path / "portfolio.yaml"
    said = CliRunner().invoke(init, [str(target), "--name", "lab"], catch_exceptions=False)
    assert said.exit_code == 0
    assert said.output.splitlines()[-1] == f"plan it with: acreage plan {target}"
    assert 'name: "lab"' in target.read_text()
    printed = CliRunner().invoke(schema, ["portfolio"], catch_exceptions=False)
    assert json.loads(printed.output) == json.loads(portfolio_schema_text())
