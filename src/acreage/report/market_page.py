"""A simulated market's page: prices, who is short, concentration and use, and what each change does, with intervals."""

from acreage.domain.market_outcome import BASE, EVERYBODY, Interval, MarketOutcome, Measure
from acreage.report.charts import market as charts
from acreage.report.market_tables import CHIPS, CLOUDS, LABS, MARKET, UNITS, market_table, replications_text, stated
from acreage.report.renderers.page import Card, Page, Section, TextTable, render_page
from acreage.units.instants import add_months, iso_date

_CARDS = {
    Measure.PRICE: "USD a reference accelerator-hour, new business",
    Measure.UNMET: "% of all need is not met",
    Measure.UTILISATION: "% of all compute is used",
    Measure.HHI: "concentration of clouds (HHI, 1 is a monopoly)",
}
_READ = (
    "Means over replications with 95 % intervals (Student's t). A change is compared with the base pair by pair, on "
    "the same needs; * marks a difference whose interval leaves out zero. One in twenty such marks is chance."
)


_READ_ONE = "A single replication: how much of a difference is chance cannot be told."


def render_market(outcome: MarketOutcome, version: str) -> str:
    """The page's HTML; it needs no network."""
    world = outcome.world
    until = iso_date(add_months(world.from_at, world.ticks * world.tick_months))
    return render_page(
        Page(
            title=f"{world.name}: a simulated market",
            subtitle=f"{iso_date(world.from_at)} to {until}, {len(world.labs)} labs, {len(world.clouds)} clouds, "
            f"{replications_text(outcome)}, seed {outcome.seed}. All {outcome.audited} runs passed their audit.",
            cards=tuple(_card(outcome, measure, label) for measure, label in _CARDS.items()),
            sections=tuple(_sections(outcome)),
        ),
        version,
    )


def _card(outcome: MarketOutcome, measure: Measure, label: str) -> Card:
    value, _, half = stated(measure, _of(outcome, measure)).partition(" ")
    ends = outcome.series.filter(world=BASE, measure=measure.value, subject=EVERYBODY).sort("tick")["mean"]
    first, last = (f"{ends[i] * UNITS[measure].scale:,.{UNITS[measure].decimals}f}" for i in (0, -1))
    return Card(label=label, value=value, note=f"{half}; {first} at first, {last} in the end".removeprefix("; "))


def _of(outcome: MarketOutcome, measure: Measure) -> Interval:
    return next(found for one, subject, found in outcome.base if one is measure and subject == EVERYBODY)


def _sections(outcome: MarketOutcome) -> list[Section]:
    description = (outcome.world.description,) if outcome.world.description else ()
    found = [
        Section(
            id="market",
            title="The market as a whole, and what each change adds" if outcome.changes else "The market as a whole",
            paragraphs=(*description, _READ if outcome.replications > 1 else _READ_ONE),
            chart=charts.effects(outcome, MARKET) if outcome.changes else None,
            table=market_table(outcome, MARKET),
        )
    ]
    if outcome.changes:
        found.append(_changes(outcome))
    found += [
        Section(
            id="prices",
            title="Prices by chip",
            paragraphs=("Of leases signed and hours sold in each period, in the base, with their 95 % intervals.",),
            chart=charts.chip_prices(outcome),
            table=market_table(outcome, CHIPS),
        ),
        Section(
            id="time",
            title="Price, need not met, use and concentration over time",
            paragraphs=("The shade is the 95 % interval of the base.",),
            chart=charts.over_time(outcome, (Measure.PRICE, Measure.UNMET, Measure.UTILISATION, Measure.HHI)),
        ),
        Section(
            id="short",
            title="Who is short, and when",
            paragraphs=("The share of each lab's need that is not met, in the base.",),
            chart=charts.who_is_short(outcome),
            table=market_table(outcome, LABS),
        ),
    ]
    if outcome.changes:
        found.append(Section(id="gains", title="Whom each change leaves shorter", chart=charts.lab_effects(outcome)))
    return [*found, Section(id="clouds", title="The clouds", table=market_table(outcome, CLOUDS)), _method(outcome)]


def _changes(outcome: MarketOutcome) -> Section:
    rows = tuple((change.name, change.words) for change in outcome.changes)
    return Section(id="changes", title="The changes", table=TextTable(columns=("change", "what it is"), rows=rows))


def _method(outcome: MarketOutcome) -> Section:
    return Section(
        id="method",
        title="How it is played",
        paragraphs=(
            "Every period chips come, labs use what they lease and anchors call their rights; what is idle is sold "
            "for the period in sealed second-price auctions; then each lab that expects to be short asks its vendors, "
            "whose desks answer with their tables, and awards its need by winner determination within its walk-away "
            "price.",
            "Every run is audited: capacity, promises, dealings, each balance to the micro-dollar and each shortage "
            f"are worked out again from its events alone. Document {outcome.world.digest[:12]}.",
        ),
    )
