"""What is well-formed and still cannot be: one error each, at its place, with what would be right."""

from itertools import pairwise
from pathlib import Path

import pytest

from acreage.catalog.accelerators import load_accelerators
from acreage.domain.portfolio import Portfolio
from acreage.domain.price import Price
from acreage.domain.workload import ServingFleet
from acreage.portfolio.read import Read, read_portfolio_text
from acreage.units.errors import InputError
from acreage.units.instants import iso_date

SAMPLE = (Path(__file__).parent / "sample.yaml").read_text(encoding="utf-8")


def no_list_price(*_: object) -> Price | None:
    """A price book without prices."""
    return None


def read(text: str) -> Read:
    """Read a text with the shipped chips and no list prices."""
    return read_portfolio_text(text, "p.yaml", accelerators=load_accelerators(), list_price=no_list_price)


def changed(old: str, new: str) -> str:
    """The sample with the first `old` replaced."""
    assert old in SAMPLE, old
    return SAMPLE.replace(old, new, 1)


REFUSED = [
    ("accelerator: H100  ", "accelerator: H10O  ", "unknown accelerator 'H10O'; did you mean 'H100'?"),
    ("provider: kelvin\n", "provider: kelwin\n", "unknown provider 'kelwin'; did you mean 'kelvin'?"),
    ("pool: kelvin-h100\n", "pool: kelvin-h10\n", "unknown pool 'kelvin-h10'; did you mean 'kelvin-h100'?"),
    ("provider: kelvin\n    pool", "provider: northfield\n    pool", "pool kelvin-h100 belongs to kelvin"),
    ("price: 2.45 USD/accelerator_hour", "price: 2.45 USD", "is not a price with its unit"),
    ("price: 2.45 USD/accelerator_hour", "price: 2.45 EUR/accelerator_hour", "the price is in EUR"),
    ("price: 2.45 USD/accelerator_hour", "price: 2.45 USD/furlong", "'furlong' is not a unit of price"),
    ("price: 2.45 USD/accelerator_hour", "price: 0 USD/accelerator_hour", "a price of zero"),
    ("price: 2.45 USD/accelerator_hour", "price: 20 USD/node_hour", "needs accelerators_per_unit"),
    ("price: 2.45 USD/accelerator_hour", "price: catalog reserved_1y", "write a contract price"),
    ("price: 2.45 USD/accelerator_hour", "price: .nan", ".nan is not a number"),
    ("deadline: 2027-07-01", "deadline: 2027-01-01", "is not after release"),
    ("ends: 2027-08-01", "ends: 2026-01-01", "is not after starts"),
    ("due: 2026-06-01", "due: 2028-06-01", "it must be due before 2027-08-01"),
    ("until: 2027-06-01}", "until: 2026-12-15}", "the start window ends"),
    ("id: northfield-b200-held", "id: kelvin-h100-held", "'kelvin-h100-held' stands in line"),
    ("id: kelvin-h100-6m", "id: kelvin-h100-held", "'kelvin-h100-held' stands in line"),
    ("id: northfield-b200\n", "id: kelvin-h100\n", "'kelvin-h100' stands in line"),
    ("research_share: research", "research_share: chat", "'chat' stands in line"),
    ("share_frac: 0.5", "share_frac: 0.6", "sum to 1.1"),
    ("level_frac: 1.3", "level_frac: 1.4", "mean level of the load blocks is 1.05"),
    ("hours_frac: 0.5", "hours_frac: 0.4", "hours of the load blocks sum to 0.9"),
    ("blocks: {min: 1, max: 4}", "blocks: {min: 5, max: 4}", "max 4 is below min 5"),
    ("late_days: {northfield: 90}", "late_days: {norfield: 90}", "did you mean 'northfield'?"),
    ("median_days: 15, p90_days: 45", "median_days: 55, p90_days: 45", "is below median_days"),
    ("{from: 2027-01-01, until: 2027-06-01}", "{from: 2025-01-01, until: 2025-06-01}", "before the planning day"),
    ("{from: 2027-02-01, until: 2027-07-01}", "{from: 2026-12-05, until: 2026-12-10}", "can be delivered"),
    ("term: 12 months", "term: 2 months", "shorter than 'reserved' allows"),
    ("term: 12 months", "term: 999999999 years", "longer than a contract can be"),
    ("as_of: 2026-12-01", "as_of: 9999-12-01", "the year 9999 is out of range"),
    ("flop: 2.0e+24", "flop: 2.0e+24, accelerator_hours: 5", "either flop or accelerator_hours"),
]


@pytest.mark.parametrize(("old", "new", "message"), REFUSED)
def test_a_mistake_is_refused_with_its_line(old: str, new: str, message: str) -> None:
    """The message says what is wrong, and the place is where the sample was changed or below it."""
    with pytest.raises(InputError) as caught:
        read(changed(old, new))
    assert message in str(caught.value)
    place = caught.value.place
    assert place is not None
    assert (place.line or 0) >= 1
    assert place.column is not None


def test_a_gang_that_fits_no_pool_names_the_largest() -> None:
    """Held, offered and hourly capacity together say what a pool could ever hold."""
    text = SAMPLE.replace("gang_min: 256, gang_max: 1024", "gang_min: 25600, gang_max: 102400")
    text = text.replace("gang_min: 128, gang_max: 768", "gang_min: 12800, gang_max: 76800")
    with pytest.raises(InputError, match=r"its gang fits no pool: the best is .* with at most"):
        read(text)


def test_suppliers_min_becomes_a_cap_on_shares() -> None:
    """With at least three suppliers no two of them carry it all: each at most 0.9 / 2."""
    portfolio, _ = read(changed("    rate_unit: tokens/s\n", "    rate_unit: tokens/s\n    suppliers_min: 3\n"))
    fleet = next(w for w in portfolio.workloads if isinstance(w, ServingFleet))
    assert fleet.supplier_share_max_frac == pytest.approx(0.45)


def test_a_mixed_grid_runs_without_gaps() -> None:
    """Weeks, then months: each period begins where the one before ends."""
    grid = "  - {every: week, count: 13}\n  - {every: month, count: 18}"
    portfolio, _ = read(changed("  - {every: month, count: 18}", grid))
    periods = portfolio.periods
    assert len(periods) == 31
    assert all(a.until_at == b.from_at for a, b in pairwise(periods))
    assert iso_date(periods[12].until_at) == "2027-03-02"


def test_every_id_has_its_place() -> None:
    """Messages that come later can say where an offer or workload stands."""
    portfolio: Portfolio = read(SAMPLE)[0]
    lines = SAMPLE.splitlines()
    for name in [*portfolio.pools, *portfolio.providers, *(o.id for o in portfolio.offers)]:
        line = portfolio.places[name].line
        assert line is not None
        assert f"id: {name}" in lines[line - 1]


def test_a_deadline_beyond_the_horizon_is_a_doubt() -> None:
    """The plan is still made; the finding says that the grid is short."""
    _, findings = read(changed("deadline: 2027-07-01", "deadline: 2029-07-01"))
    assert any(finding.rule == "beyond_horizon" for finding in findings)


def run_with(resources: str) -> str:
    """The sample's training run with a SkyPilot block in place of its capabilities."""
    start = SAMPLE.index("    capabilities:")
    end = SAMPLE.index("  - serving_fleet")
    return SAMPLE[:start] + f"    resources: {resources}\n" + SAMPLE[end:]


def test_each_alternative_of_a_skypilot_block_keeps_its_own_place() -> None:
    """H100 anywhere stays allowed although another alternative names a cloud."""
    text = run_with('{any_of: [{infra: northfield, accelerators: "B200:8"}, {accelerators: "h100:8"}]}')
    run = read(text)[0].workloads[0]
    assert set(run.pools) == {"kelvin-h100", "northfield-b200"}
    text = run_with('{any_of: [{infra: kelvin, accelerators: "B200:8"}, {accelerators: "H100:8"}]}')
    assert read(text)[0].workloads[0].pools == ("kelvin-h100",)


def test_a_skypilot_block_runs_at_the_planning_share_of_peak() -> None:
    """FLOP are done at peak x planning MFU x goodput; the gang is the number asked for."""
    run = read(run_with("{accelerators: {H100: 8}, disk_size: 256}"))[0].workloads[0]
    (capability,) = run.capabilities
    assert capability.gang_min == 8
    peak = load_accelerators()[capability.accelerator].peak_dense_bf16_tflops
    assert peak is not None
    assert capability.rate_per_accelerator == pytest.approx(peak * 1e12 * 0.4 * 0.9)


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ("{acelerators: H100}", "SkyPilot has no field 'acelerators'"),
        ("{accelerators: X9000:8}", "unknown accelerator 'X9000'"),
        ("{accelerators: H100:half}", "is not a number of accelerators"),
        ("{infra: aws, accelerators: H100}", "no pool matches"),
        ("{cpus: 8}", "names no accelerators"),
    ],
)
def test_a_wrong_skypilot_block_is_refused(block: str, message: str) -> None:
    """Mistakes of the block are errors at the block."""
    with pytest.raises(InputError, match=message):
        read(run_with(block))
