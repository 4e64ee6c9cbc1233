"""The work of a batch follows from the answers to its claims."""

import pytest

from sealed_relay.admission.control import Deferral
from sealed_relay.batch.plan import PlannedRequest
from sealed_relay.batch.sort_claims import SortedClaims, sort_claims
from sealed_relay.calls.call import Call
from sealed_relay.calls.outcome import Outcome, Reason, Status
from sealed_relay.delivery.request import ClaimedCall, Request
from sealed_relay.ledger.call_records import Claimed, Met
from sealed_relay.ledger.claim_rules import Decision, Tries
from tests.support.messages import make_call

A, B = make_call("a"), make_call("b")
TRIES = Tries(2, 1)
NOW_MS = 9_000
ACCEPTED = Outcome(Status.ACCEPTED, "SUCCESS", 200)
REJECTED = Outcome(Status.REJECTED, "NO_DATA_AVAILABLE", 213, api_request_id="api-1")


def met(decision: Decision, outcome: Outcome = ACCEPTED, *, is_own: bool = False) -> Met:
    return Met(decision, "old request", outcome, TRIES, busy_until_ms=5_000, is_own=is_own)


def sort(*answers: Claimed | Met, unsent: Outcome | Deferral | None = None) -> SortedClaims:
    """Sort the answers to the claims of A and then of B, which share a planned request."""
    calls = (A, B)[: len(answers)]
    planned = PlannedRequest("new request", "FLOWAAAA", calls, unsent)
    return sort_claims(
        [planned], {call.call_id: answer for call, answer in zip(calls, answers, strict=True)}, [], NOW_MS
    )


def test_only_claimed_calls_of_a_request_are_delivered() -> None:
    found = sort(Claimed(TRIES), met(Decision.BUSY))

    assert found.requests == [Request("new request", "FLOWAAAA", (ClaimedCall(A, TRIES),))]


def test_request_without_a_claimed_call_is_dropped() -> None:
    assert sort(met(Decision.BUSY), met(Decision.DONE)).requests == []


@pytest.mark.parametrize("why", [REJECTED, Deferral(ACCEPTED, 3.0)], ids=["outcome", "deferral"])
def test_claimed_calls_of_an_unsent_request_are_settled_and_not_sent(why: Outcome | Deferral) -> None:
    found = sort(Claimed(TRIES), Claimed(Tries()), unsent=why)

    assert found.requests == []
    assert found.unsent == {"new request": ([ClaimedCall(A, TRIES), ClaimedCall(B, Tries())], why)}


def test_unsent_request_without_a_claimed_call_is_dropped() -> None:
    assert sort(met(Decision.DONE), unsent=REJECTED).unsent == {}


def test_calls_of_one_unanswered_request_are_recovered_together() -> None:
    found = sort(met(Decision.UNANSWERED), met(Decision.UNANSWERED))

    assert found == SortedClaims(unanswered={"old request": [ClaimedCall(A, TRIES), ClaimedCall(B, TRIES)]})


def test_concluded_call_gets_the_outcome_of_the_stored_answer() -> None:
    found = sort(met(Decision.CONCLUDED, ACCEPTED))

    assert found == SortedClaims(concluded={"old request": [(ClaimedCall(A, TRIES), ACCEPTED)]})


def test_reused_client_identifier_is_rejected_without_a_request() -> None:
    found = sort(met(Decision.REUSED))

    [(request_id, [(call, outcome)])] = found.failed.items()
    assert (request_id, call, outcome.status) == ("", A, Status.REJECTED)
    assert (outcome.reason, outcome.code) == (Reason.CLIENT_IDENTIFIER_REUSED, None)
    assert found.duplicates == 0


def test_duplicate_of_a_failed_call_shares_its_failure() -> None:
    found = sort(met(Decision.SHARE_FAILURE, REJECTED))

    detail = "Another message with this call failed before, with NO_DATA_AVAILABLE."
    shared = Outcome(Status.REJECTED, "NO_DATA_AVAILABLE", 213, "", detail, "api-1")
    assert found == SortedClaims(failed={"old request": [(A, shared)]}, duplicates=1)


@pytest.mark.parametrize("decision", [Decision.DELIVERED, Decision.DONE])
@pytest.mark.parametrize(("is_own", "duplicates"), [(False, 1), (True, 0)])
def test_finished_call_is_a_duplicate_unless_the_record_is_its_own(
    decision: Decision, *, is_own: bool, duplicates: int
) -> None:
    assert sort(met(decision, is_own=is_own)) == SortedClaims(finished=[A], duplicates=duplicates)


@pytest.mark.parametrize("decision", [Decision.BUSY, Decision.FREE, Decision.RETRY, Decision.OWN])
def test_call_that_another_invocation_claimed_waits_for_its_lease(decision: Decision) -> None:
    assert sort(met(decision)) == SortedClaims(busy=[(A, 5_000)])


def test_no_requests_make_no_work() -> None:
    assert sort_claims([], {}, [], NOW_MS) == SortedClaims()


DUPLICATE = make_call("a", message_id="message-2")
OTHER = make_call("a", message_id="message-3", contact_numbers=["919900000009"])


def sort_with(duplicate: Call, answer: Claimed | Met) -> SortedClaims:
    planned = PlannedRequest("new request", "FLOWAAAA", (A,))
    return sort_claims([planned], {A.call_id: answer}, [(duplicate, A)], NOW_MS)


def test_duplicate_in_the_batch_of_a_delivered_call_leaves_too() -> None:
    assert sort_with(DUPLICATE, met(Decision.DELIVERED)).finished == [DUPLICATE, A]


def test_duplicate_in_the_batch_of_a_refused_call_is_refused_too() -> None:
    assert [call for call, _ in sort_with(DUPLICATE, met(Decision.REUSED)).failed[""]] == [DUPLICATE, A]


@pytest.mark.parametrize("decision", [Decision.DELIVERED, Decision.REUSED])
def test_other_content_in_the_batch_waits_for_its_next_receive(decision: Decision) -> None:
    assert (OTHER, NOW_MS) in sort_with(OTHER, met(decision)).busy


@pytest.mark.parametrize("answer", [Claimed(TRIES), met(Decision.BUSY), met(Decision.SHARE_FAILURE)])
def test_duplicate_in_the_batch_of_any_other_call_waits_for_its_next_receive(answer: Claimed | Met) -> None:
    assert (DUPLICATE, NOW_MS) in sort_with(DUPLICATE, answer).busy
