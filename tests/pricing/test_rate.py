"""Every price basis normalizes to the same accelerator-hour."""

import pytest

from acreage.domain.price import Price, PriceBasis, Provenance
from acreage.pricing.rate import RULES, micro_usd_per_accelerator_second, usd_per_accelerator_hour

MONTH_30_DAYS_S = 30 * 86_400


def price(basis: PriceBasis, usd: float, per_unit: float = 1.0) -> Price:
    return Price(
        basis=basis,
        amount_micro_usd=round(usd * 1e6),
        accelerators_per_unit=per_unit,
        provenance=Provenance(source="made up"),
    )


@pytest.mark.parametrize(
    ("basis", "usd", "per_unit", "expected_usd_per_hour"),
    [
        (PriceBasis.ACCELERATOR_HOUR, 2.50, 1.0, 2.50),
        (PriceBasis.NODE_HOUR, 98.32, 8.0, 12.29),
        (PriceBasis.THROUGHPUT_UNIT_HOUR, 6.0, 0.5, 12.0),
        (PriceBasis.MW_MONTH, 1_460_000.0, 500.0, 4.0),
        (PriceBasis.MONTHLY_LUMP, 730_000.0, 250.0, 4.0),
    ],
)
def test_normalizes_to_one_accelerator_hour(
    basis: PriceBasis, usd: float, per_unit: float, expected_usd_per_hour: float
) -> None:
    """Hand-computed: amount / accelerators per unit / 730 h where the unit lasts a month."""
    assert usd_per_accelerator_hour(price(basis, usd, per_unit)) == pytest.approx(expected_usd_per_hour, rel=1e-12)


def test_every_basis_has_a_rule() -> None:
    """A basis without a rule would be a price nobody can charge."""
    assert set(RULES) == set(PriceBasis)


def test_rate_is_the_decimal_that_was_written() -> None:
    """0.1 accelerators a unit means a tenth, not its binary neighbor."""
    rate = micro_usd_per_accelerator_second(price(PriceBasis.NODE_HOUR, 3.6, 0.1), MONTH_30_DAYS_S)
    assert rate == 10_000


def test_only_a_monthly_lump_is_due_whatever_the_take_or_pay_share() -> None:
    """The other bases leave their variable share to use."""
    assert [basis for basis, rule in RULES.items() if rule.always_fixed] == [PriceBasis.MONTHLY_LUMP]
