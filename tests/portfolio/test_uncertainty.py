"""How futures are drawn is read from the portfolio: correlations, events, regimes, tails and stresses in words."""

from pathlib import Path

import pytest

from acreage.catalog.accelerators import load_accelerators
from acreage.domain.portfolio import Portfolio
from acreage.domain.price import Price
from acreage.domain.surprises import EventKind, Factor, Regime, TailSampling
from acreage.portfolio.read import Read, read_portfolio_text
from acreage.units.errors import InputError
from acreage.units.instants import instant

SAMPLE = (Path(__file__).parent / "sample.yaml").read_text(encoding="utf-8")
HEAD = SAMPLE[: SAMPLE.index("uncertainty:")]
FACTORS = "factors: [demand, price, scarcity, delay]"


def no_list_price(*_: object) -> Price | None:
    """A price book without prices."""
    return None


def read(tail: str) -> Read:
    """The sample with these sections in the place of its uncertainty and stresses."""
    return read_portfolio_text(HEAD + tail, "p.yaml", accelerators=load_accelerators(), list_price=no_list_price)


def read_uncertainty(lines: str) -> Portfolio:
    """The sample with these lines below `uncertainty`."""
    return read("uncertainty:\n" + "".join(f"  {line}\n" for line in lines.strip().splitlines()))[0]


def read_stress(line: str) -> Portfolio:
    """The sample with one stress."""
    return read(f"stresses:\n  - {{name: bad, probability_frac: 0.05, {line}}}\n")[0]


def test_nothing_said_is_one_factor_and_no_event() -> None:
    """A portfolio without an uncertainty section plans as it always did."""
    plain = read("")[0].uncertainty
    assert not any([plain.correlation, plain.weight_frac, plain.events, plain.regimes, plain.tail])


def test_a_correlation_is_put_into_the_order_of_the_factors() -> None:
    """Rows may come in any order, each named."""
    portfolio = read_uncertainty("""
correlation:
  factors: [delay, scarcity, price, demand]
  matrix: [[1, 0.6, 0.4, 0.5], [0.6, 1, 0.7, 0.8], [0.4, 0.7, 1, 0.3], [0.5, 0.8, 0.3, 1]]
weights: {delay: 0.2, demand: 1}
tail: {share_of_futures_frac: 0.4}
""")
    assert tuple(Factor) == (Factor.DEMAND, Factor.PRICE, Factor.SCARCITY, Factor.DELAY)
    assert portfolio.uncertainty.correlation == (
        (1.0, 0.3, 0.8, 0.5),
        (0.3, 1.0, 0.7, 0.4),
        (0.8, 0.7, 1.0, 0.6),
        (0.5, 0.4, 0.6, 1.0),
    )
    assert portfolio.uncertainty.weight_frac == {Factor.DEMAND: 1.0, Factor.DELAY: 0.2}
    assert portfolio.uncertainty.tail == TailSampling(share_of_futures_frac=0.4, shift_sd=1.5)


def test_events_are_read_with_the_pools_they_hit() -> None:
    """The narrowest thing of the target's name; quarters are 91 days; a default's deliveries never come if not said."""
    events = read_uncertainty("""
events:
  - {name: fire, kind: site_failure, target: kelvin, probability_frac_per_year: 0.1, duration: 6 weeks, lost_frac: 0.5}
  - {name: slip, kind: chip_late, target: b200, probability_frac_per_year: 0.2, late: 2 quarters, tightness_sd: 0.5}
  - {name: gone, kind: default, target: northfield, probability_frac_per_year: 0.03, duration: 1 year}
  - {name: late, kind: default, target: northfield, probability_frac_per_year: 0.03, late: 90 days}
""").uncertainty.events
    fire, slip, gone, late = events
    assert fire.kind is EventKind.SITE_FAILURE
    assert (fire.pools, fire.lost_days, fire.lost_frac, fire.late_days) == (("kelvin-h100",), 42, 0.5, 0)
    assert (slip.pools, slip.lost_days, slip.late_days, slip.tightness_sd) == (("northfield-b200",), 0, 182, 0.5)
    assert (gone.pools, gone.lost_days, gone.lost_frac, gone.late_days) == (("northfield-b200",), 365, 1.0, None)
    assert (late.lost_days, late.lost_frac, late.late_days) == (0, 0.0, 90)


def test_a_regime_is_read() -> None:
    """Durations in words, factors as numbers."""
    text = "regimes: [{name: r, entries_per_year: 0.5, mean_duration: 2 quarters, demand_factor: 1.2, late: 1 month}]"
    assert read_uncertainty(text).uncertainty.regimes == (
        Regime(name="r", entries_per_year=0.5, mean_days=182, demand_factor=1.2, late_days=30),
    )


def test_a_stress_in_words_is_the_stress_in_fields() -> None:
    """Late and lost providers and factors together, as one would say it."""
    stress = read_stress(
        "stress: {kelvin: 'late 2 quarters, lost from 2027-06-01', northfield: lost, demand: x2, limits: x0.5}"
    ).stresses[0]
    assert stress.late_days == {"kelvin": 182}
    assert stress.lost_from_at == {"kelvin": instant("2027-06-01"), "northfield": instant("2026-12-01")}
    factors = (stress.demand_factor, stress.market_price_factor, stress.market_limit_factor)
    assert factors == (2.0, 1.0, 0.5)
    fields = read_stress("late_days: {kelvin: 182}, demand_factor: 2").stresses[0]
    assert fields == read_stress("stress: {kelvin: late 2 quarters, demand: x2}").stresses[0]


def test_a_recall_where_nothing_can_be_taken_back_is_doubted() -> None:
    """It is read and said to change nothing."""
    text = "uncertainty: {events: [{name: e, kind: recall, target: kelvin, probability_frac_per_year: 0.1}]}\n"
    assert [f.rule for f in read(text)[1]] == ["no_recall_right"]


MATRICES = [
    ("[[1, 0], [0, 1]]", "the matrix has 2 rows"),
    ("[[1, 0, 0, 0], [0, 1, 0], [0, 0, 1, 0], [0, 0, 0, 1]]", "row 2 has 3 entries"),
    ("[[1, 0.2, 0, 0], [0.3, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]", "the matrix is not symmetric"),
    ("[[2, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]", "2 is no correlation"),
    ("[[0.5, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]", "correlation with itself is 0.5"),
    ("[[1, -1.5, 0, 0], [-1.5, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]", "-1.5 is no correlation"),
    (
        "[[1, 0.9, 0.9, 0], [0.9, 1, -0.9, 0], [0.9, -0.9, 1, 0], [0, 0, 0, 1]]",
        "the matrix has the eigenvalue -0.8; the nearest matrix that is one: [[1, 0.499, 0.5, 0], ",
    ),
    ("[[1, x, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]", "'x' is not a number"),
]


@pytest.mark.parametrize(("matrix", "message"), MATRICES)
def test_a_correlation_matrix_that_is_none_is_refused(matrix: str, message: str) -> None:
    """At the entry that is wrong, with what would be right."""
    with pytest.raises(InputError) as caught:
        read_uncertainty(f"correlation:\n  {FACTORS}\n  matrix: {matrix}")
    assert message in str(caught.value)
    assert str(caught.value).startswith("p.yaml:148:"), "the matrix is in this line"


def test_the_factors_of_a_correlation_are_the_four() -> None:
    """Each once."""
    with pytest.raises(InputError, match="not that of the four factors; name each once"):
        read_uncertainty("correlation: {factors: [demand, price], matrix: [[1, 0], [0, 1]]}")


EVENT = "events: [{{name: e, kind: {}, probability_frac_per_year: {}, target: {}}}]"
EVENTS = [
    (EVENT.format("site_failure", 0, "kelvin, duration: 1 day"), "0 is out of range; it is above 0"),
    (EVENT.format("site_failure", -0.1, "kelvin, duration: 1 day"), "-0.1 is out of range"),
    (EVENT.format("site_failure", 1, "kelvin, duration: 1 day"), "1 is out of range; it is below 1"),
    (EVENT.format("site_failure", 0.1, "kelvn, duration: 1 day"), "did you mean 'kelvin'?"),
    (EVENT.format("site_failure", 0.1, "kelvin"), "a site_failure without duration; add duration"),
    (EVENT.format("site_failure", 0.1, "kelvin, duration: -3 days"), "'-3 days' is not a duration"),
    (EVENT.format("site_failure", 0.1, "kelvin, duration: 0 days"), "'0 days' is not a duration"),
    (EVENT.format("site_failure", 0.1, "kelvin, duration: 500 years"), "longer than a contract can be"),
    (EVENT.format("site_failure", 0.1, "kelvin, duration: 1 day, late: never"), "a site_failure has no late"),
    (EVENT.format("chip_late", 0.1, "B20O, late: 1 quarter"), "unknown accelerator 'B20O'; did you mean 'B200'?"),
    (EVENT.format("chip_late", 0.1, "TPU-v7, late: 1 quarter"), "unknown target of a chip_late 'TPU-v7'"),
    (EVENT.format("chip_late", 0.1, "B200"), "a chip_late without late"),
    (EVENT.format("default", 0.1, "nobody"), "unknown target of a default 'nobody'; known are"),
    (EVENT.format("default", 0.1, "kelvin, lost_frac: 0.5"), "lost_frac without duration"),
    (EVENT.format("meteor", 0.1, "kelvin"), "'meteor' is not a choice here"),
    ("regimes: [{name: r, entries_per_year: 0, mean_duration: 1 month}]", "0 is out of range; it is above 0"),
    ("regimes: [{name: r, entries_per_year: 1, mean_duration: -1 month}]", "'-1 month' is not a duration"),
    ("regimes: [{name: r, entries_per_year: 1, mean_duration: 1 month, demand_factor: 0}]", "0 is out of range"),
    (
        "events: [{name: r, kind: default, target: kelvin, probability_frac_per_year: 0.1}]\n"
        "regimes: [{name: r, entries_per_year: 1, mean_duration: 1 month}]",
        "two of one id: event or regime 'r'",
    ),
    ("tail: {share_of_futures_frac: 0.95}", "0.95 is out of range; it is at most 0.9"),
    ("tail: {shift_sd: 0}", "0 is out of range; it is above 0"),
    ("weights: {demand: 1.2}", "1.2 is out of range; it is at most 1"),
]


@pytest.mark.parametrize(("lines", "message"), EVENTS)
def test_an_uncertainty_that_cannot_be_is_refused(lines: str, message: str) -> None:
    """Chances of nothing, targets that do not exist, lengths of time below zero: one error each, with its place."""
    with pytest.raises(InputError) as caught:
        read_uncertainty(lines)
    assert message in str(caught.value)
    assert caught.value.place is not None
    assert (caught.value.place.line or 0) >= 145


STRESSES = [
    ("stress: {kelvn: lost}", "unknown provider 'kelvn'; did you mean 'kelvin'?"),
    ("stress: {demnd: x2}", "did you mean 'demand'?"),
    ("stress: {demand: 2x}", "'2x' is no factor of demand; write for example x2"),
    ("stress: {demand: x-2}", "'x-2' is no factor of demand"),
    ("stress: {price: x0}", "'x0' is no factor of price"),
    ("stress: {kelvin: later}", "'later' is nothing that a provider can be; write late 2 quarters, lost"),
    ("stress: {kelvin: late -2 quarters}", "'-2 quarters' is not a length of time"),
    ("stress: {kelvin: lost from 2027-02-30}", "'2027-02-30' is not a date of the calendar"),
    ("stress: {kelvin: 'lost, lost'}", "said twice"),
    ("stress: {demand: x2}, demand_factor: 3", "said twice: here and by demand_factor"),
    ("stress: {kelvin: late 1 month}, late_days: {kelvin: 3}", "said twice: here and by late_days"),
]


@pytest.mark.parametrize(("line", "message"), STRESSES)
def test_words_of_a_stress_that_mean_nothing_are_refused(line: str, message: str) -> None:
    """At the word, with what can be written."""
    with pytest.raises(InputError) as caught:
        read_stress(line)
    assert message in str(caught.value)
    assert caught.value.place is not None
    assert caught.value.place.line == 146


@pytest.mark.parametrize(
    ("chances", "message"),
    [
        (("0",), "0 is out of range; it is above 0"),
        (("-0.2",), "-0.2 is out of range"),
        (("1",), "1 is out of range; it is below 1"),
        (("0.6", "0.4"), "the probabilities of the stresses sum to 1; leave something"),
    ],
)
def test_probabilities_of_stresses_that_cannot_be_are_refused(chances: tuple[str, ...], message: str) -> None:
    """None, less than none, all there is, alone or together."""
    lines = "".join(f"  - {{name: s{i}, probability_frac: {chance}}}\n" for i, chance in enumerate(chances))
    with pytest.raises(InputError) as caught:
        read("stresses:\n" + lines)
    assert message in str(caught.value)
