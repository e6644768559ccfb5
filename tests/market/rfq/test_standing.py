"""The life of a request: what stands after its events, and which steps are refused with a reason."""

from dataclasses import replace

import pytest

from acreage.domain.contract import LeaseState
from acreage.domain.rfq import Ask, Award, Cancellation, Counter, PaymentRule, RfqEvent, Withdrawal
from acreage.market.rfq.standing import Stage, check_event, standing
from acreage.units.errors import InputError
from acreage.units.ids import OfferId
from acreage.units.instants import instant
from tests.market.rfq.cases import NORTH, RFQ, TERN, answer, happened, offer, round_

NOW = instant("2026-12-10")
ASK = Ask(offer=OfferId("plain"), vendor_id="plain", usd_per_accelerator_hour=3.9, words=("a price",))
AWARD = Award(
    rule=PaymentRule.PAY_AS_BID, winners=(), losers=(), ties=(), objective_usd=1.0, gap_frac=0.0, values_usd={}
)


def states(*events: RfqEvent, at: str = "2026-12-10") -> list[str]:
    """The states of all offers after some events."""
    found = standing(happened(*events), instant(at))
    assert found is not None
    return [one.state.value for one in found.offers]


def test_an_offer_is_proposed_until_replaced_withdrawn_or_expired() -> None:
    """The words are those of leases."""
    base = (RFQ, round_(), answer(offer("a"), offer("b")))
    assert states(*base) == ["Proposed", "Proposed"]
    assert states(*base, answer(offer("a"))) == ["Superseded", "Proposed", "Proposed"]
    assert states(*base, answer(withdrawn=("b",))) == ["Proposed", "Canceled"]
    assert states(*base, Withdrawal(offer=OfferId("a"))) == ["Canceled", "Proposed"]
    assert states(*base, Cancellation()) == ["Canceled", "Canceled"]
    lapsing = answer(offer("a", expires_at=instant("2026-12-20")))
    assert states(RFQ, round_(), lapsing, at="2026-12-19") == ["Proposed"]
    assert states(RFQ, round_(), lapsing, at="2026-12-20") == ["Expired"]


def test_the_stage_follows_the_events_and_the_clock() -> None:
    """Created, asking, closed when the deadline has passed, awarded, canceled."""
    for events, stage in (
        ((RFQ,), Stage.CREATED),
        ((RFQ, round_()), Stage.ASKING),
        ((RFQ, round_(until="2026-12-09")), Stage.CLOSED),
        ((RFQ, round_(), AWARD), Stage.AWARDED),
        ((RFQ, round_(), Cancellation()), Stage.CANCELED),
    ):
        found = standing(happened(*events), NOW)
        assert found is not None
        assert found.stage is stage
    assert standing((), NOW) is None


def test_a_new_round_has_heard_the_counters() -> None:
    """They are told with its documents and wait no longer."""
    counter = Counter(provider=NORTH, asks=(ASK,))
    before = standing(happened(RFQ, round_(), answer(offer()), counter), NOW)
    after = standing(happened(RFQ, round_(), answer(offer()), counter, round_(2)), NOW)
    assert before is not None
    assert after is not None
    assert before.counters == (counter,)
    assert after.counters == ()


FINAL = (RFQ, round_(final=True), answer(offer()))


@pytest.mark.parametrize(
    ("events", "event", "told"),
    [
        ((RFQ,), RFQ, "in the books already"),
        ((), round_(), "no such request"),
        ((RFQ,), round_(2), "the next round of spring is 1"),
        ((RFQ,), round_(until="2026-12-01"), "in the past"),
        ((RFQ,), answer(offer()), "was not sent yet"),
        ((RFQ, round_()), answer(offer(), round_=2), "answers round 2, and spring is in round 1"),
        ((RFQ, round_(), round_(2)), answer(offer()), "answers round 1, and spring is in round 2"),
        (
            (RFQ, round_()),
            answer(offer(), at="2026-12-16"),
            "after the deadline 2026-12-15T00:00:00Z; add",
        ),
        ((RFQ, round_()), answer(withdrawn=("gone",)), "withdraws 'gone', which is not on the table"),
        ((RFQ, round_()), Withdrawal(offer=OfferId("gone")), "no offer 'gone'"),
        ((RFQ, round_(), answer(offer())), Counter(provider=TERN, asks=(ASK,)), "is not of tern"),
        (FINAL, round_(2), "was best and final"),
        (FINAL, Counter(provider=NORTH, asks=(ASK,)), "was best and final"),
        ((RFQ, round_(), AWARD), answer(offer()), "spring is awarded"),
        ((RFQ, round_(), Cancellation()), round_(2), "spring is canceled"),
        ((RFQ, round_()), replace(answer(offer()), provider="nobody"), "was not asked"),  # type: ignore[type-var]
    ],
)
def test_a_step_that_cannot_be_taken_says_why(events: tuple[RfqEvent, ...], event: RfqEvent, told: str) -> None:
    """Nothing is changed by it."""
    with pytest.raises(InputError) as error:
        check_event(happened(*events), event, NOW)
    assert told in str(error.value)


def test_a_late_answer_is_taken_when_it_is_accepted_as_late() -> None:
    """And it stays known that it was."""
    late = answer(offer(), at="2026-12-16", late=True)
    check_event(happened(RFQ, round_()), late, instant("2026-12-17"))
    found = standing(happened(RFQ, round_(), late), NOW)
    assert found is not None
    assert [one.late for one in found.live] == [True]
    assert found.live[0].state is LeaseState.PROPOSED
