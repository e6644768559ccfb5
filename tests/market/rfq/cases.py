"""A request for quotes, its vendors and an offer to change, for tests of the market room."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from acreage.domain.lease import Offer
from acreage.domain.price import Price, PriceBasis, Provenance
from acreage.domain.provider import DelayModel, Provider
from acreage.domain.rfq import Answer, Asked, Disclosure, Happened, Need, Quote, Rfq, RfqEvent, Round, WantedTerms
from acreage.domain.terms import Terms, Tranche
from acreage.flow.rfq_comparing import late_surprises, with_recalls
from acreage.market.rfq.compare import Bid, start_of
from acreage.market.rfq.levelised import Yardstick
from acreage.units.ids import AcceleratorName, OfferId, PoolId, ProviderId, RfqId
from acreage.units.instants import Duration, Instant, instant
from acreage.units.money import micro_usd

SMALL_LAB = Path(__file__).with_name("small_lab.yaml")
TODAY = instant("2026-12-01")
B200, GB300 = AcceleratorName("B200"), AcceleratorName("GB300")
NORTH, TERN = ProviderId("northfield"), ProviderId("tern")

YARD = Yardstick(
    as_of_at=TODAY,
    discount_frac_per_year=0.10,
    reference=B200,
    effective_tflops={B200: 800.0, GB300: 900.0},
    replacement_usd_per_hour=9.0,
    price_sd_frac_per_year=0.3,
)
NEED = Need(
    id="lot",
    accelerators=(B200, GB300),
    quantity=1000,
    effective_pflops=None,
    from_at=instant("2027-03-01"),
    until_at=instant("2029-03-01"),
)
ON_TIME = DelayModel(on_time_frac=1.0, median_days=0.0, p90_days=0.0)
SURE = Provider(
    id=NORTH,
    name="Northfield",
    equity_group="northfield",
    delay=ON_TIME,
    outages_per_year=0.0,
    outage_days=0.0,
    outage_lost_frac=0.0,
    purchase_rules=(),
)


def price(usd: str = "4.00", basis: PriceBasis = PriceBasis.ACCELERATOR_HOUR, each: float = 1.0) -> Price:
    """A price."""
    return Price(
        basis=basis,
        amount_micro_usd=micro_usd(usd),
        accelerators_per_unit=each,
        provenance=Provenance(source="the test"),
    )


def offer(name: str = "plain", **changes: Any) -> Offer:
    """A plain offer of 1,000 B200 for two years from the day they are wanted."""
    plain = Offer(
        id=OfferId(name),
        provider=NORTH,
        pool=PoolId("northfield-b200"),
        product="",
        accelerators_per_block=500,
        blocks_min=1,
        blocks_max=4,
        start_from_at=instant("2027-03-01"),
        start_until_at=instant("2027-03-01"),
        term=Duration(months=24),
        tranches=(Tranche(share_frac=1.0, after=Duration()),),
        tiers=(),
        terms=Terms(price=price()),
        commitment=None,
        excludes=(),
        requires=(),
        expires_at=None,
        provenance=Provenance(source="the test"),
    )
    return replace(plain, **changes)


def bid(one: Offer, provider: Provider = SURE, chip: AcceleratorName = B200, **quote: Any) -> Bid:
    """An offer with the risks of its provider."""
    lab = SimpleNamespace(providers={provider.id: provider})
    late = late_surprises(one, lab)  # type: ignore[arg-type]
    return Bid(
        quote=Quote(offer=one, vendor_id=one.id, **quote),
        provider=provider,
        accelerator=chip,
        need=NEED,
        late=late,
        surprises=with_recalls(one, late, start_of(one, NEED, YARD)),
    )


RFQ = Rfq(
    id=RfqId("spring"),
    title="Spring",
    buyer="The lab",
    portfolio="portfolio.yaml",
    disclosure=Disclosure.SEALED,
    needs=(NEED,),
    wanted=WantedTerms(),
    vendors=(
        Asked(provider=NORTH, name="Northfield", reference="aaaaaaaa", pools=(PoolId("northfield-b200"),)),
        Asked(provider=TERN, name="Tern", reference="bbbbbbbb", pools=(PoolId("tern-gb300"),)),
    ),
    answers_within=Duration(days=14),
)


def answer(*offers: Offer, round_: int = 1, at: str = "2026-12-05", late: bool = False, **changes: Any) -> Answer:
    """An answer of Northfield's."""
    plain = Answer(
        provider=NORTH,
        round=round_,
        file="answer.csv",
        sha256="",
        received_at=instant(at),
        late=late,
        quotes=tuple(Quote(offer=one, vendor_id=str(one.id)) for one in offers),
    )
    return replace(plain, **changes)


def round_(number: int = 1, until: str = "2026-12-15", final: bool = False) -> Round:
    """A round."""
    return Round(number=number, answers_until_at=instant(until), best_and_final=final)


def happened(*events: RfqEvent) -> tuple[Happened, ...]:
    """Events one after the other."""
    return tuple(
        Happened(at=Instant(TODAY + i), actor="tester", fact=f"f{i}", event=event) for i, event in enumerate(events)
    )
