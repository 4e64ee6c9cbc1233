"""The decision table on a call that has a record, row by row."""

from dataclasses import replace

import pytest

from sealed_relay.calls.outcome import Status
from sealed_relay.ledger.claim_rules import (
    Busy,
    Claimed,
    Concluded,
    Decision,
    Done,
    Duplicate,
    Free,
    Record,
    Reused,
    StoredRequest,
    Unanswered,
)
from tests.support.records import (
    ACCEPTED,
    ANSWERED,
    DELIVERED,
    FAILED,
    HELD,
    NOW_MS,
    OPEN,
    TRIES,
    UNANSWERED,
    decision,
    record,
)


@pytest.mark.parametrize("status", Status)
def test_a_claim_that_was_written_though_its_answer_was_lost_is_ours(status: Status) -> None:
    assert decision(replace(record(status, lease_ms=1), request_id="new request")) == Claimed(TRIES)


@pytest.mark.parametrize("status", [*DELIVERED, *FAILED])
@pytest.mark.parametrize("request_", [None, HELD, UNANSWERED, ANSWERED])
def test_a_message_that_had_its_outcome_is_done(status: Status, request_: StoredRequest | None) -> None:
    assert decision(record(status), request_) == Done()


@pytest.mark.parametrize("status", FAILED)
@pytest.mark.parametrize("is_same", [False, True])
@pytest.mark.parametrize("lease_ms", [-1, 1])
@pytest.mark.parametrize("request_", [None, HELD, UNANSWERED, ANSWERED])
def test_another_message_retries_a_call_that_failed_with_whatever_it_now_holds(
    status: Status, lease_ms: int, request_: StoredRequest | None, *, is_same: bool
) -> None:
    assert decision(record(status, is_own=False, is_same=is_same, lease_ms=lease_ms), request_) == Free()


@pytest.mark.parametrize("status", [Status.REJECTED, Status.EXPIRED])
@pytest.mark.parametrize("is_same", [False, True])
def test_a_call_that_was_certainly_not_delivered_is_retried_for_a_message_of_any_age(
    status: Status, *, is_same: bool
) -> None:
    assert decision(record(status, is_own=False, is_same=is_same, updated_ms=1)) == Free()


@pytest.mark.parametrize("updated_ms", [0, 1])
@pytest.mark.parametrize(("is_same", "expected"), [(True, Duplicate(is_delivered=False)), (False, Reused())])
def test_a_call_that_may_have_been_delivered_is_not_retried_for_a_copy_that_was_queued_before_its_end(
    updated_ms: int, expected: Decision, *, is_same: bool
) -> None:
    met = record(Status.UNRESOLVED, is_own=False, is_same=is_same, updated_ms=updated_ms)

    assert decision(met) == expected


@pytest.mark.parametrize("status", [*DELIVERED, *OPEN])
@pytest.mark.parametrize("lease_ms", [-1, 1])
@pytest.mark.parametrize("request_", [None, HELD, UNANSWERED, ANSWERED])
def test_other_content_is_refused_while_a_call_is_under_way_or_delivered(
    status: Status, lease_ms: int, request_: StoredRequest | None
) -> None:
    assert decision(record(status, is_own=False, is_same=False, lease_ms=lease_ms), request_) == Reused()


@pytest.mark.parametrize("status", DELIVERED)
@pytest.mark.parametrize("lease_ms", [-1, 1])
def test_another_message_with_the_content_of_a_delivered_call_is_a_duplicate(status: Status, lease_ms: int) -> None:
    assert decision(record(status, is_own=False, lease_ms=lease_ms)) == Duplicate(is_delivered=True)


@pytest.mark.parametrize("status", OPEN)
@pytest.mark.parametrize("request_", [None, HELD, UNANSWERED, ANSWERED])
def test_another_message_is_a_duplicate_while_the_first_is_sure_to_be_in_the_queue(
    status: Status, request_: StoredRequest | None
) -> None:
    assert decision(record(status, is_own=False, lease_ms=1), request_) == Duplicate(is_delivered=False)


@pytest.mark.parametrize("request_", [None, HELD, UNANSWERED, ANSWERED])
def test_a_message_that_comes_back_early_waits_for_the_lease_on_its_call(request_: StoredRequest | None) -> None:
    assert decision(record(Status.SENDING, lease_ms=5), request_) == Busy(NOW_MS + 5)


# What is left is to be taken up: by its own message when the lease is over or the call waits, by any other with
# the same content when the lease is over.
TAKEN_UP = [
    record(Status.SENDING, is_own=True, lease_ms=0),
    record(Status.SENDING, is_own=False, lease_ms=0),
    record(Status.WAITING, is_own=True, lease_ms=0),
    record(Status.WAITING, is_own=True, lease_ms=1),
    record(Status.WAITING, is_own=False, lease_ms=0),
]


@pytest.mark.parametrize("met", TAKEN_UP)
def test_a_call_without_a_stored_request_was_never_sent_and_is_free(met: Record) -> None:
    assert decision(met, None) == Free()


@pytest.mark.parametrize("met", TAKEN_UP)
def test_a_call_whose_request_was_answered_with_a_failure_is_free(met: Record) -> None:
    assert decision(met, ANSWERED, None) == Free()


@pytest.mark.parametrize("met", TAKEN_UP)
def test_a_call_whose_request_was_answered_with_its_delivery_is_concluded(met: Record) -> None:
    assert decision(met, ANSWERED, ACCEPTED) == Concluded("old request", ACCEPTED)


@pytest.mark.parametrize("met", TAKEN_UP)
def test_a_call_whose_request_somebody_is_sending_waits_for_that_lease(met: Record) -> None:
    assert decision(met, HELD) == Busy(NOW_MS + 1)


@pytest.mark.parametrize("met", TAKEN_UP)
def test_a_call_whose_stored_request_may_have_been_sent_is_recovered_once_its_sender_is_gone(met: Record) -> None:
    assert decision(met, UNANSWERED) == Unanswered("old request", TRIES)


@pytest.mark.parametrize("met", TAKEN_UP)
def test_a_call_whose_stored_request_was_certainly_not_sent_is_free_to_be_sealed_anew(met: Record) -> None:
    assert decision(met, replace(UNANSWERED, may_have_been_sent=False)) == Free()


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("lease_ms", [-1, 1])
def test_a_message_that_was_acknowledged_before_never_comes_to_hold_the_call(status: Status, lease_ms: int) -> None:
    met = replace(record(status, is_own=False, lease_ms=lease_ms), acknowledged=("another", "own message"))

    assert decision(met) == Done()


@pytest.mark.parametrize("status", [Status.REJECTED, Status.EXPIRED])
def test_a_call_that_may_have_been_delivered_stays_so_whatever_came_of_it_later(status: Status) -> None:
    met = replace(record(status, is_own=False), unresolved_at_ms=NOW_MS)

    assert decision(met) == Duplicate(is_delivered=False)


def test_every_status_has_its_rows_here() -> None:
    assert {*DELIVERED, *FAILED, *OPEN} == set(Status)
