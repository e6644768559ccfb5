"""The examples are whole: they read without errors, are as large as promised, and name the source of every figure."""

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path

import pytest

from acreage.catalog.accelerators import load_accelerators
from acreage.catalog.book import load_book
from acreage.catalog.lookup import list_price
from acreage.domain.finding import Finding, Severity
from acreage.domain.portfolio import Portfolio, ShareLevel
from acreage.domain.price import Price, PriceBasis, PriceKind
from acreage.domain.terms import Terms
from acreage.domain.workload import PortState, ServingFleet, TrainingRun
from acreage.portfolio.read import read_portfolio
from acreage.units.ids import AcceleratorName
from acreage.units.instants import instant

EXAMPLES = Path(__file__).parents[2] / "examples"
NAMES = ("frontier-lab", "startup", "enterprise")
TODAY = instant("2026-12-01")
SCHEMA_LINE = "# yaml-language-server: $schema=../../src/acreage/portfolio/portfolio.schema.json"


@pytest.fixture(scope="module")
def read() -> dict[str, tuple[Portfolio, tuple[Finding, ...]]]:
    """Every example with what its reader doubts, priced from the snapshot that ships inside the package."""
    book = load_book(today=TODAY)

    def price(provider: str, region: str, accelerator: AcceleratorName, kind: PriceKind) -> Price | None:
        return list_price(book, provider=provider, region=region, accelerator=accelerator, kind=kind, today=TODAY)

    accelerators = load_accelerators()
    return {
        name: read_portfolio(EXAMPLES / name / "portfolio.yaml", accelerators=accelerators, list_price=price)
        for name in NAMES
    }


@pytest.mark.parametrize("name", NAMES)
def test_an_example_reads_without_an_error(name: str, read: dict[str, tuple[Portfolio, tuple[Finding, ...]]]) -> None:
    """A reader that finds an error in an example would turn a newcomer away."""
    _, findings = read[name]
    assert [f for f in findings if f.severity is Severity.ERROR] == []


@pytest.mark.parametrize("name", NAMES)
def test_the_first_line_names_a_schema_that_exists(name: str) -> None:
    """Editors complete and check the file by its first line."""
    first = (EXAMPLES / name / "portfolio.yaml").read_text(encoding="utf-8").splitlines()[0]
    assert first == SCHEMA_LINE
    assert (EXAMPLES / name / first.split("=", 1)[1]).resolve().is_file()


@pytest.mark.parametrize("name", NAMES)
def test_every_name_in_an_example_has_its_row_in_the_readme(
    name: str, read: dict[str, tuple[Portfolio, tuple[Finding, ...]]]
) -> None:
    """A figure whose source cannot be found cannot be trusted: each id stands in a table of the README."""
    portfolio, _ = read[name]
    named = set(re.findall(r"`([^`]+)`", _tables(EXAMPLES / name / "README.md")))
    ids = {
        *portfolio.providers,
        *portfolio.pools,
        *(lease.id for lease in portfolio.leases),
        *(commitment.id for commitment in portfolio.commitments),
        *(offer.id for offer in portfolio.offers),
    }
    if name != "frontier-lab":
        ids |= {workload.id for workload in portfolio.workloads}
    assert sorted(ids - named) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_readme_says_that_the_terms_are_fictional(name: str) -> None:
    """Real clouds are named, so nobody may take an invented deal for a real one."""
    assert "**Every contract term" in (EXAMPLES / name / "README.md").read_text(encoding="utf-8")


def test_the_frontier_lab_has_the_promised_size(
    read: dict[str, tuple[Portfolio, tuple[Finding, ...]]],
) -> None:
    """Speed is promised for at least this size."""
    lab, _ = read["frontier-lab"]
    assert len(lab.pools) >= 12
    assert len(lab.offers) >= 25
    assert len(lab.workloads) >= 20
    assert len(lab.periods) == 36
    assert lab.uncertainty.futures >= 20
    assert 3 <= len(lab.stresses) <= 4


def test_the_frontier_lab_has_its_big_run_and_fleets_that_grow_three_to_seven_times(
    read: dict[str, tuple[Portfolio, tuple[Finding, ...]]],
) -> None:
    """The story is that of a lab at the public scale of today."""
    lab, _ = read["frontier-lab"]
    runs = [w for w in lab.workloads if isinstance(w, TrainingRun)]
    fleets = [w for w in lab.workloads if isinstance(w, ServingFleet)]
    assert max(run.work for run in runs) == 4e26
    for fleet in fleets:
        growth = fleet.demand[4].rate / fleet.demand[0].rate
        assert 3.0 <= growth <= 7.0, fleet.id


def test_the_examples_use_every_commercial_rule_between_them(
    read: dict[str, tuple[Portfolio, tuple[Finding, ...]]],
) -> None:
    """Whoever looks for a clause finds it written down somewhere."""
    portfolios = [portfolio for portfolio, _ in read.values()]
    terms = [lease.terms for p in portfolios for lease in p.leases]
    terms += [offer.terms for p in portfolios for offer in p.offers]
    plain = _fields_left_alone(terms)
    assert plain == set()
    assert {t.price.basis for t in terms} == set(PriceBasis)
    offers = [o for p in portfolios for o in p.offers]
    for clause in ("tiers", "excludes", "requires", "commitment", "expires_at"):
        assert any(getattr(offer, clause) for offer in offers), clause
    tranches = [t for offer in offers for t in offer.tranches]
    for clause in ("grace_days", "late_discount_frac", "terminable_after_days", "delay"):
        assert any(getattr(tranche, clause) for tranche in tranches), clause
    assert {cap.level for p in portfolios for cap in p.policy.share_caps} == set(ShareLevel)
    assert any(cap.member for p in portfolios for cap in p.policy.share_caps)
    assert all(p.policy.budgets and p.stresses for p in portfolios)
    assert any(p.policy.survive_loss_frac for p in portfolios)
    rules = [rule for p in portfolios for provider in p.providers.values() for rule in provider.purchase_rules]
    assert any(not rule.cancellable for rule in rules)
    assert any(rule.lead_time_min for rule in rules)


def test_some_workload_needs_a_port_and_some_a_second_supplier(
    read: dict[str, tuple[Portfolio, tuple[Finding, ...]]],
) -> None:
    """Ports and minimum suppliers are part of what a plan decides."""
    workloads = [w for portfolio, _ in read.values() for w in portfolio.workloads]
    assert any(c.port_state is PortState.PORTABLE for w in workloads for c in w.capabilities)
    fleets = [w for w in workloads if isinstance(w, ServingFleet)]
    assert any(f.n_minus_1_keep_frac > 0 for f in fleets)
    assert any(f.supplier_share_max_frac < 1 for f in fleets)
    assert any(w.must for w in workloads)


def _tables(readme: Path) -> str:
    """The rows of a README's tables."""
    lines = readme.read_text(encoding="utf-8").splitlines()
    return "\n".join(line for line in lines if line.startswith("|"))


def _fields_left_alone(terms: list[Terms]) -> set[str]:
    """Clauses of `Terms` that no lease and no offer uses: they hold one value throughout."""
    return {name for name in _names(terms[0]) if len({repr(getattr(t, name)) for t in terms}) == 1}


def _names(value: object) -> Iterator[str]:
    assert is_dataclass(value)
    yield from (field.name for field in fields(value))
