"""Markets in YAML: what is read, and every mistake with its line and field."""

import json
from importlib import resources
from pathlib import Path

import jsonschema
import pytest
import yaml

from acreage.catalog.accelerators import load_accelerators
from acreage.domain.market_world import World
from acreage.portfolio.world_file import read_world
from acreage.portfolio.world_shape import world_schema
from acreage.units.errors import InputError

EXAMPLE = Path(__file__).parents[2] / "examples" / "market" / "world.yaml"
TEXT = """\
name: two
from: 2027-01-01
years: 2
tick: month
reference: H100
venue_floor: 0.50 USD/accelerator_hour
chips:
  - {accelerator: H100, speed: 1}
  - {accelerator: GB300, speed: 2.5, arrives: 2027-03-15, supply_per_quarter: 900}
clouds:
  - id: north
    closed_to: [birch]
    anchor:
      lab: aspen
      damages_usd_per_accelerator_hour: 8
      rights:
        - accelerator: H100
          price: 1.50 USD/accelerator_hour
          ramp: [{from: 2027-01-01, accelerators: 500}]
    pools:
      - accelerator: H100
        floor: 1.00 USD/accelerator_hour
        list_price: 2.00 USD/accelerator_hour
        builds: [{from: 2026-06-01, accelerators: 1000}]
      - accelerator: GB300
        floor: 2.50 USD/accelerator_hour
        list_price: 5.00 USD/accelerator_hour
        builds: [{from: 2027-04-01, accelerators: 100}]
labs:
  - id: aspen
    need_accelerators: 400
    growth_per_year: 1.5
    worth: 4.00 USD/accelerator_hour
    chips: [H100, GB300]
    leases:
      - {cloud: north, accelerator: H100, accelerators: 300, until: 2027-07-01, price: 1.80 USD/accelerator_hour}
  - {id: birch, need_accelerators: 100, growth_per_year: 2, worth: 3 USD/accelerator_hour, chips: [H100]}
events:
  - {at: 2027-05-02, lab: birch, need_factor: 2}
"""


def read(text: str, folder: Path) -> World:
    """The world in a file of this text."""
    file = folder / "world.yaml"
    file.write_text(text, encoding="utf-8")
    return read_world(file, accelerators=load_accelerators())


def test_dates_become_ticks_and_yearly_figures_become_those_of_a_tick(tmp_path: Path) -> None:
    """A date within a month counts from the next one on; growth compounds to the year; supply is of a month."""
    made = read(TEXT, tmp_path)
    assert (made.ticks, made.hours) == (24, 730)
    gb300, aspen = made.chips[1], made.labs[0]
    assert (gb300.arrives, gb300.supply, gb300.speed_milli) == (3, 300, 2_500)
    assert [[(b.at, b.accelerators) for b in p.builds] for p in made.clouds[0].pools] == [[(0, 1000)], [(3, 100)]]
    assert aspen.growth**12 == pytest.approx(1.5)
    assert (aspen.term, aspen.leases[0].until, made.events[0].at) == (12, 6, 5)


@pytest.mark.parametrize(
    ("old", "new", "where", "what"),
    [
        ("reference: H100", "reference: GB300", ":5:", "speed of the reference chip GB300 is not 1"),
        ("reference: H100", "reference: B200", ":5:", "unknown chip of this market"),
        ("closed_to: [birch]", "closed_to: [beech]", ":12:", "did you mean 'birch'"),
        ("closed_to: [birch]", "closed_to: [aspen]", ":12:", "closed to its own anchor"),
        ("from: 2027-04-01", "from: 2027-01-01", ":28:", "GB300 has not arrived on 2027-01-01"),
        ("list_price: 2.00 USD/accelerator_hour", "list_price: 0.90 USD/accelerator_hour", ":22:", "below the floor"),
        ("floor: 1.00 USD/accelerator_hour", "floor: 1.00", ":22:", "is not text"),
        ("floor: 1.00 USD/accelerator_hour", "floor: 1.00 EUR/accelerator_hour", ":22:", "EUR"),
        ("accelerators: 300, until", "accelerators: 3000, until", ":36:", "2,000 H100 fewer than are leased"),
        ("until: 2027-07-01", "until: 2026-07-01", ":36:", "over at the start"),
        ("chips: [H100, GB300]", "chips: [H100, TPU-v7]", ":34:", "unknown chip of this market"),
        ("- {id: birch", "- {id: 'bi:rch'", ":37:", "cannot be named in a change"),
        ("id: north", "id: nor+th", ":11:", "cannot be named in a change"),
        ("need_accelerators: 400", "need_accelerators: 0", ":31:", "out of range"),
        ("growth_per_year: 1.5", "growth_per_yr: 1.5", ":32:", "did you mean 'growth_per_year'"),
        ("- {accelerator: H100, speed: 1}", "- {accelerator: GB300, speed: 1}", ":", "two of one id"),
        ("lab: birch, need", "lab: oak, need", ":39:", "unknown lab 'oak'"),
        ("years: 2", "years: 200", ":3:", "out of range"),
    ],
)
def test_a_mistake_is_told_with_its_place(old: str, new: str, where: str, what: str, tmp_path: Path) -> None:
    """Nothing is simulated from a document that does not make sense."""
    assert TEXT.count(old) >= 1
    with pytest.raises(InputError) as caught:
        read(TEXT.replace(old, new, 1), tmp_path)
    assert what in str(caught.value)
    assert f"world.yaml{where}" in str(caught.value)


def test_the_published_schema_is_made_from_the_shapes_and_takes_the_example() -> None:
    """`acreage schema world` describes what is read."""
    published = json.loads(resources.files("acreage.portfolio").joinpath("world.schema.json").read_text("utf-8"))
    assert published == world_schema()
    plain = json.loads(json.dumps(yaml.safe_load(EXAMPLE.read_text(encoding="utf-8")), default=str))
    jsonschema.validate(plain, published)


def test_the_example_reads_and_names_its_schema() -> None:
    """Eight labs and six clouds over five years of quarters."""
    made = read_world(EXAMPLE, accelerators=load_accelerators())
    assert (len(made.labs), len(made.clouds), made.ticks) == (8, 6, 20)
    first = EXAMPLE.read_text(encoding="utf-8").splitlines()[0]
    assert (EXAMPLE.parent / first.split("=", 1)[1]).resolve().is_file()
