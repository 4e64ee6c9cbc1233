"""What holds of every decision on a call that has a record, whatever the row."""

from hypothesis import given
from hypothesis import strategies as st

from sealed_relay.calls.outcome import Outcome, Status
from sealed_relay.ledger.claim_rules import Busy, Claimed, Concluded, Duplicate, Free, Record, StoredRequest, Unanswered
from tests.support.records import ACCEPTED, NOW_MS, OPEN, OURS, decision, record

RECORDS = st.builds(
    record,
    st.sampled_from(Status),
    is_own=st.booleans(),
    is_same=st.booleans(),
    lease_ms=st.integers(-2, 2),
    updated_ms=st.integers(-2, 2),
)
REQUESTS = st.none() | st.builds(
    StoredRequest,
    st.just("a lease"),
    st.integers(NOW_MS - 2, NOW_MS + 2),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.integers(NOW_MS - 2, NOW_MS + 2),
)
OUTCOMES = st.none() | st.just(ACCEPTED)


@given(RECORDS, REQUESTS, OUTCOMES)
def test_an_open_call_is_never_claimed_while_its_request_is_unanswered_and_may_have_been_sent(
    met: Record, request_: StoredRequest | None, delivered: Outcome | None
) -> None:
    decided = decision(met, request_, delivered)

    is_unknown = request_ is not None and not request_.is_answered and request_.may_have_been_sent
    if is_unknown and not met.status.is_failure:
        assert not isinstance(decided, Claimed | Free | Concluded)


@given(RECORDS, REQUESTS, OUTCOMES)
def test_a_delivered_call_is_never_sent_again(
    met: Record, request_: StoredRequest | None, delivered: Outcome | None
) -> None:
    decided = decision(met, request_, delivered)

    if met.status.is_delivered or (request_ is not None and request_.is_answered and delivered and met.status in OPEN):
        assert not isinstance(decided, Claimed | Free | Unanswered)


@given(RECORDS, REQUESTS, OUTCOMES)
def test_a_duplicate_has_the_same_content_and_comes_in_another_message(
    met: Record, request_: StoredRequest | None, delivered: Outcome | None
) -> None:
    if isinstance(decision(met, request_, delivered), Duplicate):
        assert met.content_hash == OURS
        assert met.message_id != "own message"
        assert met.status.is_delivered or met.status is Status.UNRESOLVED or met.lease_expires_at_ms > NOW_MS


@given(RECORDS, REQUESTS, OUTCOMES)
def test_a_request_is_taken_over_only_when_its_lease_is_over(
    met: Record, request_: StoredRequest | None, delivered: Outcome | None
) -> None:
    match decision(met, request_, delivered):
        case Unanswered():
            assert request_ is not None
            assert request_.lease_expires_at_ms <= NOW_MS
        case Busy(until_ms):
            assert until_ms > NOW_MS
