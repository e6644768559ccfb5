"""Desk documents and requests: read as written, every mistake with its line, schemas as published."""

import json
from importlib import resources
from pathlib import Path

import pytest

from acreage.catalog.accelerators import load_accelerators
from acreage.domain.desk import Desk, LeaseRequest, Step, TakeUpCurve, Tier
from acreage.domain.tariff import Discounting, PriceFactors, QuantityStep, TimeOfUse
from acreage.portfolio.desk_file import read_desk, read_desk_text, read_request
from acreage.portfolio.desk_shape import desk_schema, request_schema
from acreage.portfolio.desk_starter import desk_starter
from acreage.units.errors import InputError
from acreage.units.instants import instant
from acreage.units.money import micro_usd

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "desk" / "desk.yaml"


def read(text: str) -> Desk:
    """A desk from text."""
    return read_desk_text(text, "desk.yaml", accelerators=load_accelerators())


def test_a_desk_is_read_as_it_is_written() -> None:
    """Pools, the anchor, tiers and rules of the example."""
    desk = read_desk(EXAMPLE, accelerators=load_accelerators())
    assert [pool.accelerator for pool in desk.pools] == ["GB300", "H200"]
    assert desk.pools[0].capacity[1] == Step(from_at=instant("2031-08-01"), accelerators=28_000)
    contract = desk.anchor.contracts[0]
    assert contract.options[0].probability_frac == 0.35
    assert [(tier.tier, tier.firm) for tier in desk.tiers] == [
        (Tier.CONTRACTED, True),
        (Tier.RESERVED, True),
        (Tier.ON_DEMAND, True),
        (Tier.SPOT, False),
    ]
    assert desk.tiers[0].floor_micro_usd == micro_usd("1.60")
    assert desk.rules.quote_valid_s == 48 * 3_600


def test_the_starter_is_a_desk_and_comments_do_not_change_which_one() -> None:
    """What `acreage desk template` prints reads; the digest follows the meaning and not the words around it."""
    desk = read(desk_starter())
    assert read(desk_starter() + "# a remark\n").digest == desk.digest
    assert read(desk_starter().replace("0.005", "0.006")).digest != desk.digest


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("accelerator: GB300", "accelerator: GB301", "unknown accelerator 'GB301'; did you mean"),
        ("    - pool: northwind/central/gb300\n      ramp", "    - pool: northwind/gb300\n      ramp", "unknown pool"),
        ("floor: 2.60 USD/accelerator_hour", "floor: 2.60 EUR/accelerator_hour", "the price is in EUR"),
        ("floor: 2.60 USD/accelerator_hour", "floor: 2.60", "is not text"),
        ("floor: 2.60 USD/accelerator_hour", "floor: 9 USD/accelerator_hour", "the list price is below the floor"),
        ("tier: spot", "tier: reserved", "stands in line"),
        ("tier: spot", "tier: gold", "gold"),
        ("{median: 768, p90: 2048}", "{median: 768, p90: 20}", "p90 20 is below the median 768"),
        ("anchor_short_max_frac: 0.005", "anchor_short_max_frac: 0", "0 is out of range"),
        ("overbooking_max_frac: 0.25", "overbooking_max: 0.25", "unknown field 'overbooking_max'"),
        ("{at: 2028-01-01, mean", "{at: 2025-01-01, mean", "is not after"),
        ("horizon_days: 365", "horizon_days: 0", "out of range"),
        ("requests_per_day: 0.04", "requests_per_day: soon", "'soon' is not a number"),
    ],
)
def test_a_mistake_is_named_with_its_line(old: str, new: str, words: str) -> None:
    """File, line and what would be right."""
    text = desk_starter()
    assert old in text
    with pytest.raises(InputError) as caught:
        read(text.replace(old, new, 1))
    assert words in str(caught.value)
    assert str(caught.value).startswith("desk.yaml:")
    assert caught.value.place is not None
    assert caught.value.place.line is not None


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("accelerators: 1024", "accelerators: many", "'many' is not a whole number"),
        ("accelerator: GB300 ", "accelerator: H100 ", "no pool of this desk has 'H100'"),
        ("accelerator: GB300 ", "pool: elsewhere ", "unknown pool 'elsewhere'"),
        ("accelerator: GB300 ", "pool: meridian/central/gb300\naccelerator: GB300 ", "where is not clear"),
        ("bid: 4.20 USD/accelerator_hour", "bid: 4.20 USD", "is not a price with its unit"),
        ("from: 2031-02-01", "from: soon", "'soon' is not a date"),
        ("lessee: birch\n", "", "the field 'lessee' is missing"),
    ],
)
def test_a_mistake_in_a_request_is_named_with_its_file(tmp_path: Path, old: str, new: str, words: str) -> None:
    """The same for requests."""
    desk = read_desk(EXAMPLE, accelerators=load_accelerators())
    text = (ROOT / "examples" / "desk" / "birch.yaml").read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "request.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_request(path, desk)
    assert words in str(caught.value)
    assert str(path) in str(caught.value)


def test_the_published_schemas_are_those_of_the_shapes() -> None:
    """`acreage schema desk` and `desk-request` say what is read."""
    for name, made in (("desk", desk_schema()), ("desk-request", request_schema())):
        text = resources.files("acreage.portfolio").joinpath(f"{name}.schema.json").read_text(encoding="utf-8")
        assert json.loads(text) == made


TARIFF = """    tariff:
      discounting: incremental
      steps: [{from_accelerators: 512, price_frac: 0.95}, {from_accelerators: 2048, price_frac: 0.9}]
      times: [{weekdays: [sat, sun], price_frac: 0.8}]
"""
CURVE = """    take_up:
      - {pool: northwind/central/gb300, middle_usd: 4.1, slope_per_usd: 1.5}
"""
AFTER = "    list_price: 4.20 USD/accelerator_hour\n"


def test_tariffs_and_take_up_curves_are_read_as_written() -> None:
    """Steps, weekdays from Monday 0, and the curve of a pool."""
    terms = read(desk_starter().replace(AFTER, AFTER + TARIFF)).tiers[1]
    assert terms.factors == PriceFactors(
        discounting=Discounting.INCREMENTAL,
        steps=(QuantityStep(units_min=512, price_frac=0.95), QuantityStep(units_min=2048, price_frac=0.9)),
        times=(TimeOfUse(weekdays=(5, 6), from_hour=0, until_hour=24, price_frac=0.8),),
    )
    curved = read(desk_starter().replace(AFTER, AFTER + CURVE)).tiers[1]
    assert curved.take_up == (TakeUpCurve(pool=curved.demand[0].pool, middle_usd=4.1, slope_per_usd=1.5),)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (TARIFF + CURVE, "a tier has a tariff or a take-up"),
        (TARIFF.replace("2048", "512"), "the step from 512 is not above the one from 512"),
        (TARIFF.replace("[sat, sun],", "[sat], from_hour: 9, until_hour: 9,"), "hours from 9 until 9"),
        (TARIFF.replace("0.95", "0"), "price_frac"),
        (TARIFF.replace("sat,", "Saturday,"), "Saturday"),
        (CURVE.replace("central", "nowhere"), "unknown pool"),
        (CURVE + CURVE.splitlines()[1] + "\n", "take-up of this tier in"),
    ],
)
def test_what_is_wrong_with_prices_is_said_with_its_line(more: str, words: str) -> None:
    """Steps out of order, hours that end before they begin, two curves of one pool."""
    with pytest.raises(InputError, match=words) as caught:
        read(desk_starter().replace(AFTER, AFTER + more))
    assert caught.value.place is not None
    assert caught.value.place.line is not None


def asked(tmp_path: Path, text: str) -> LeaseRequest:
    """A request from a file, to the example's desk."""
    file = tmp_path / "request.yaml"
    file.write_text(text, encoding="utf-8")
    return read_request(file, read_desk(EXAMPLE, accelerators=load_accelerators()))


def test_a_request_of_parts_is_read_as_a_whole() -> None:
    """Pools once each, the most at one time, from the first day to the last."""
    desk = read_desk(EXAMPLE, accelerators=load_accelerators())
    found = read_request(EXAMPLE.parent / "delta.yaml", desk)
    assert [(part.pool, part.accelerators) for part in found.parts] == [
        ("meridian/central/gb300", 512),
        ("meridian/central/gb300", 1_024),
        ("meridian/north/h200", 256),
    ]
    assert found.pools == ("meridian/central/gb300", "meridian/north/h200")
    assert (found.accelerators, found.from_at, found.until_at) == (1_280, instant("2031-02-01"), instant("2031-05-01"))
    assert found.accelerator_seconds == 86_400 * (512 * 28 + 1_024 * 61 + 256 * 59)


ONE_PART = "parts: [{pool: meridian/north/h200, accelerators: 8, from: 2031-02-01, until: 2031-03-01}]\n"
WHO = "lessee: delta\ntier: reserved\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (WHO + ONE_PART + "accelerators: 8\n", "accelerators stands beside parts"),
        (WHO + ONE_PART + "accelerators: 0\n", "accelerators stands beside parts"),
        (WHO + ONE_PART + "until: 2031-03-01\n", "until stands beside parts"),
        (WHO + ONE_PART + "pool: meridian/north/h200\n", "pool stands beside parts"),
        (WHO + ONE_PART.replace("north", "south"), "unknown pool 'meridian/south/h200'"),
        (WHO + ONE_PART.replace("8,", "8.5,"), "accelerators"),
        (WHO + "pool: meridian/north/h200\nfrom: 2031-02-01\nuntil: 2031-03-01\n", "accelerators is missing"),
        (WHO + "pool: meridian/north/h200\naccelerators: 8\nuntil: 2031-03-01\n", "from is missing"),
    ],
)
def test_what_is_wrong_with_a_request_is_said_with_its_place(tmp_path: Path, text: str, words: str) -> None:
    """Parts beside a whole, unknown pools, and what is missing without parts."""
    with pytest.raises(InputError, match=words) as caught:
        asked(tmp_path, text)
    assert caught.value.place is not None
