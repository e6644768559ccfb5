"""The desk's chains and what a pool's claims add up to, on each engine."""

import pytest

from acreage.domain.desk import (
    Answer,
    Because,
    LeaseRequest,
    Quote,
    Reason,
    Tier,
    Verdict,
)
from acreage.ledger.claims import SCHEMA, claims
from acreage.ledger.desk_log import (
    Outcome,
    QuoteState,
    first_quote,
    give_quote,
    look,
    quote_id,
    quote_with_id,
    quotes,
    settled,
    sights,
    write,
)
from acreage.ledger.holds import place_holds, post_hold, release_hold, void_hold
from acreage.ledger.ledger import Ledger
from acreage.units.errors import InputError
from acreage.units.ids import LesseeName, PoolId, QuoteId
from acreage.units.instants import Instant
from acreage.units.money import MicroUsd
from tests.ledger.cases import DAY, POOL, START, asks, delivered
from tests.ledger.test_lettings import let, letting

BIRCH, CEDAR = LesseeName("birch"), LesseeName("cedar")


def quote(id_: QuoteId, lessee: LesseeName = BIRCH, accelerators: int = 8) -> Quote:
    """A refusal, with every figure."""
    request = LeaseRequest(
        lessee=lessee,
        tier=Tier.RESERVED,
        pools=(PoolId("p"),),
        accelerators=accelerators,
        from_at=Instant(START + DAY),
        until_at=Instant(START + 2 * DAY),
        bid_micro_usd=MicroUsd(4_000_000),
    )
    reason = Reason(
        because=Because.CAPACITY,
        pool=PoolId("p"),
        tightest_at=START,
        free=-1,
        capacity=10,
        firm=9,
        recallable=2,
        protected=0,
        contracted=0,
        short_before_frac=0.1,
        short_after_frac=0.2,
        short_max_frac=0.005,
        recall_frac=0.0,
        displacement_usd=12.5,
        revenue_usd=0.0,
        floor_micro_usd=MicroUsd(1),
    )
    answer = Answer(verdict=Verdict.REFUSE, offer=None, counters=(), reason=reason)
    return Quote(
        id=id_, request=request, answer=answer, tables="t", given_at=START, valid_until_at=Instant(START + DAY)
    )


def test_quotes_are_logged_and_settled(ledger: Ledger) -> None:
    """As given, then lost, then admitted; once admitted nothing changes it."""
    given = quote(quote_id(BIRCH, None))
    give_quote(ledger, given, "desk")
    assert [one.state for one in quotes(ledger)] == [QuoteState.GIVEN]
    assert quote_with_id(ledger, given.id) == quotes(ledger)[0]
    for key, admitted in (("a", False), ("b", True), ("c", False)):
        outcome = Outcome(lease="let-1" if admitted else "", why="" if admitted else "no room")
        write(ledger, settled(given.id, key, START, outcome, admitted=admitted))
    (logged,) = quotes(ledger)
    assert (logged.quote, logged.state, logged.leases) == (given, QuoteState.ADMITTED, ("let-1",))
    assert quote_with_id(ledger, given.id) == logged
    assert quote_with_id(ledger, QuoteId("nothing")) is None


def test_ids_are_random_or_made_of_the_lessee_and_its_key(ledger: Ledger) -> None:
    """Two lessees' keys never meet; the same key for another request is an error that names no id."""
    assert quote_id(BIRCH, None) != quote_id(BIRCH, None)
    assert quote_id(BIRCH, "k") == quote_id(BIRCH, "k") != quote_id(CEDAR, "k")
    given = quote(quote_id(BIRCH, "k"))
    give_quote(ledger, given, "desk")
    assert first_quote(ledger, given.id, given.request) == given
    with pytest.raises(InputError, match="used for something else"):
        first_quote(ledger, given.id, quote(given.id, accelerators=9).request)


def test_who_looked_at_what_is_kept(ledger: Ledger) -> None:
    """Giving a quote is a look; so is every look recorded."""
    given = quote(quote_id(BIRCH, None))
    give_quote(ledger, given, "lessee:birch")
    look(ledger, "auditor", "list", ("x", "y"))
    assert [(one.role, one.act, one.subjects) for one in sights(ledger)] == [
        ("lessee:birch", "quote", (given.id,)),
        ("auditor", "list", ("x", "y")),
    ]


def test_claims_are_what_holds_still_claim_with_the_labels_of_what_is_let(ledger: Ledger) -> None:
    """Posted in part, voided, released, refused and let: each as it stands."""
    assert claims(ledger, POOL).schema == SCHEMA
    delivered(ledger)
    holds = [asks(name, 10, START + DAY, START + 9 * DAY, timeout_s=60) for name in ("part", "void")]
    place_holds(ledger, [*holds, asks("end", 10, START + DAY, START + 9 * DAY)])
    place_holds(ledger, [asks("no", 99, START + DAY, START + 2 * DAY)])
    post_hold(ledger, "part", key="p", accelerators=4)
    void_hold(ledger, "void", key="v")
    release_hold(ledger, "end", key="e", at=Instant(START + 5 * DAY))
    assert letting(ledger, let("let-1", 60), "k").done
    found = {row["id"]: row for row in claims(ledger, POOL).iter_rows(named=True)}
    assert [found[name]["accelerators"] for name in ("part", "void", "end", "let-1/hold")] == [4, 0, 10, 60]
    assert (found["end"]["until_at"], found["end"]["asked_until_at"]) == (START + 5 * DAY, START + 9 * DAY)
    assert (found["no"]["state"], found["let-1/hold"]["lessee"]) == ("refused", "Birch")
    assert found["end"]["lease"] is None
