"""The table of the claim rules: each row, the order of the rows, and what holds of every decision."""

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealed_relay.calls.outcome import Outcome, Status
from sealed_relay.ledger.claim_rules import TABLE, Decision, Record, Situation, StoredRequest, decide
from tests.support.records import (
    ACCEPTED,
    ANSWERED,
    DELIVERED,
    FAILED,
    LEASED,
    NOW_MS,
    OPEN,
    OURS,
    RETRY_MARGIN_MS,
    UNANSWERED,
    UNSENT,
    record,
    situation,
)

REQUESTS = [None, LEASED, UNANSWERED, UNSENT, ANSWERED]

# Each row of the table, in its order: its conditions, its decision, and a situation that it decides on.
ROWS: list[tuple[str, Decision, Situation]] = [
    (
        "record_names_this_claims_request",
        Decision.OWN,
        situation(replace(record(Status.SENDING, lease_ms=1), request_id="new request")),
    ),
    (
        "call_failed message_was_sent_well_after_the_failure",
        Decision.RETRY,
        situation(record(Status.REJECTED, is_own=False, is_same=False, age_ms=RETRY_MARGIN_MS)),
    ),
    ("content_differs", Decision.REUSED, situation(record(Status.ACCEPTED, is_own=False, is_same=False))),
    ("call_is_delivered", Decision.DELIVERED, situation(record(Status.ACCEPTED, is_own=False))),
    ("call_failed failure_was_published_for_this_message", Decision.DONE, situation(record(Status.REJECTED))),
    ("call_failed", Decision.SHARE_FAILURE, situation(record(Status.REJECTED, is_own=False))),
    ("lease_is_running", Decision.BUSY, situation(record(Status.SENDING, lease_ms=1))),
    ("no_request_is_stored", Decision.FREE, situation(record(Status.SENDING))),
    (
        "stored_answer_is_final_for_the_call",
        Decision.CONCLUDED,
        situation(record(Status.SENDING), ANSWERED, ACCEPTED),
    ),
    ("request_was_refused", Decision.FREE, situation(record(Status.SENDING), ANSWERED)),
    ("request_was_never_sent", Decision.FREE, situation(record(Status.SENDING), UNSENT)),
    ("request_lease_is_running", Decision.BUSY, situation(record(Status.SENDING), LEASED)),
    ("always", Decision.UNANSWERED, situation(record(Status.SENDING), UNANSWERED)),
]
# For each row, by number: later rows that hold in a situation that it decides on, and would decide otherwise.
ORDER = {
    0: [6],
    1: [2, 4, 5],
    2: [3, 5, 6, 7],
    3: [6, 7],
    4: [5, 6],
    5: [6, 7],
    6: [7, 8, 9, 10, 12],
    7: [12],
    8: [9, 11],
    9: [11, 12],
    10: [11, 12],
    11: [12],
}
SITUATIONS = [
    situation(replace(met, request_id=request_id), request, concluded)
    for status, is_own, is_same, lease_ms, age_ms in itertools.product(
        Status, [True, False], [True, False], [0, 1], [0, RETRY_MARGIN_MS]
    )
    for met in [record(status, is_own=is_own, is_same=is_same, lease_ms=lease_ms, age_ms=age_ms)]
    for request_id in ["old request", "new request"]
    for request, concluded in [*((request, None) for request in REQUESTS), (ANSWERED, ACCEPTED)]
]


def rows_that_hold(it: Situation) -> list[int]:
    return [row for row, (conditions, _) in enumerate(TABLE) if all(condition(it) for condition in conditions)]


def decision(met: Record, request: StoredRequest | None = None, concluded: Outcome | None = None) -> Decision:
    return decide(situation(met, request, concluded))


def test_table_has_these_rows_in_this_order() -> None:
    rows = [(" ".join(condition.__name__ for condition in conditions), decided) for conditions, decided in TABLE]

    assert rows == [(conditions, decided) for conditions, decided, _ in ROWS]


@pytest.mark.parametrize("row", range(len(ROWS)), ids=lambda row: ROWS[row][0].replace(" ", "-"))
def test_row_decides_on_its_example(row: int) -> None:
    _, decided, example = ROWS[row]

    assert rows_that_hold(example)[0] == row
    assert decide(example) is decided


@pytest.mark.parametrize(("row", "later"), [(row, later) for row, all_later in ORDER.items() for later in all_later])
def test_row_must_stand_before_a_later_one_that_holds_too(row: int, later: int) -> None:
    both = [it for it in SITUATIONS if later in (held := rows_that_hold(it)) and held[0] == row]

    assert both
    assert {decide(it) for it in both} == {ROWS[row][1]} != {ROWS[later][1]}


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("request_", REQUESTS)
def test_claim_whose_answer_was_lost_is_still_a_claim(status: Status, request_: StoredRequest | None) -> None:
    met = replace(record(status, lease_ms=1, age_ms=RETRY_MARGIN_MS), request_id="new request")

    assert decision(met, request_) is Decision.OWN


@pytest.mark.parametrize("status", FAILED)
@pytest.mark.parametrize("is_same", [False, True])
@pytest.mark.parametrize("lease_ms", [-1, 1])
@pytest.mark.parametrize("request_", REQUESTS)
def test_message_sent_well_after_the_failure_is_a_retry_with_any_content(
    status: Status, lease_ms: int, request_: StoredRequest | None, *, is_same: bool
) -> None:
    met = record(status, is_own=False, is_same=is_same, lease_ms=lease_ms, age_ms=RETRY_MARGIN_MS)

    assert decision(met, request_) is Decision.RETRY


@pytest.mark.parametrize("status", FAILED)
@pytest.mark.parametrize("age_ms", [-RETRY_MARGIN_MS, 0, 1, RETRY_MARGIN_MS - 1])
@pytest.mark.parametrize(("is_same", "expected"), [(True, Decision.SHARE_FAILURE), (False, Decision.REUSED)])
def test_message_sent_before_the_failure_or_soon_after_is_no_retry(
    status: Status, age_ms: int, expected: Decision, *, is_same: bool
) -> None:
    assert decision(record(status, is_own=False, is_same=is_same, age_ms=age_ms)) is expected


@pytest.mark.parametrize("status", FAILED)
@pytest.mark.parametrize("request_", REQUESTS)
def test_message_whose_failure_was_published_is_done(status: Status, request_: StoredRequest | None) -> None:
    assert decision(record(status), request_) is Decision.DONE


@pytest.mark.parametrize("status", [*DELIVERED, *OPEN])
@pytest.mark.parametrize("lease_ms", [-1, 1])
@pytest.mark.parametrize("request_", REQUESTS)
def test_other_content_is_refused_while_the_call_is_open_or_delivered(
    status: Status, lease_ms: int, request_: StoredRequest | None
) -> None:
    met = record(status, is_own=False, is_same=False, lease_ms=lease_ms, age_ms=RETRY_MARGIN_MS)

    assert decision(met, request_) is Decision.REUSED


@pytest.mark.parametrize("status", DELIVERED)
@pytest.mark.parametrize("is_own", [False, True])
@pytest.mark.parametrize("lease_ms", [-1, 1])
@pytest.mark.parametrize("request_", REQUESTS)
def test_message_with_a_delivered_call_is_finished(
    status: Status, lease_ms: int, request_: StoredRequest | None, *, is_own: bool
) -> None:
    met = record(status, is_own=is_own, lease_ms=lease_ms, age_ms=RETRY_MARGIN_MS)

    assert decision(met, request_) is Decision.DELIVERED


@pytest.mark.parametrize("status", OPEN)
@pytest.mark.parametrize("is_own", [False, True])
@pytest.mark.parametrize("request_", REQUESTS)
def test_open_call_under_a_running_lease_is_busy_for_every_message(
    status: Status, request_: StoredRequest | None, *, is_own: bool
) -> None:
    assert decision(record(status, is_own=is_own, lease_ms=1), request_) is Decision.BUSY
    assert decision(record(status, is_own=is_own, lease_ms=1), ANSWERED, ACCEPTED) is Decision.BUSY


@pytest.mark.parametrize("status", OPEN)
@pytest.mark.parametrize("is_own", [False, True])
@pytest.mark.parametrize(
    ("request_", "concluded", "expected"),
    [
        (None, None, Decision.FREE),
        (ANSWERED, None, Decision.FREE),
        (UNSENT, None, Decision.FREE),
        (ANSWERED, ACCEPTED, Decision.CONCLUDED),
        (ANSWERED, Outcome(Status.UNRESOLVED), Decision.CONCLUDED),
        (LEASED, None, Decision.BUSY),
        (UNANSWERED, None, Decision.UNANSWERED),
    ],
)
def test_open_call_after_its_lease_is_decided_by_its_request(
    status: Status, request_: StoredRequest | None, concluded: Outcome | None, expected: Decision, *, is_own: bool
) -> None:
    for age_ms in (0, RETRY_MARGIN_MS):
        assert decision(record(status, is_own=is_own, age_ms=age_ms), request_, concluded) is expected


def test_every_status_has_its_rows_here() -> None:
    assert {*DELIVERED, *FAILED, *OPEN} == set(Status)


MOMENTS_MS = st.integers(-2, 2)
RECORDS = st.builds(
    record,
    st.sampled_from(Status),
    is_own=st.booleans(),
    is_same=st.booleans(),
    lease_ms=MOMENTS_MS,
    age_ms=MOMENTS_MS | MOMENTS_MS.map(RETRY_MARGIN_MS.__add__),
)
STORED = st.none() | st.builds(
    StoredRequest,
    st.just("a lease"),
    MOMENTS_MS.map(NOW_MS.__add__),
    is_answered=st.booleans(),
    may_have_been_sent=st.booleans(),
    was_refused=st.booleans(),
    unclear_answers=st.integers(0, 2),
    envelope_expires_at=MOMENTS_MS.map((NOW_MS // 1000).__add__),
)


@st.composite
def any_situation(draw: st.DrawFn) -> Situation:
    """Only an answered request has a stored answer that may conclude the call."""
    request = draw(STORED)
    outcomes = st.sampled_from([None, ACCEPTED, Outcome(Status.UNRESOLVED)])
    concluded = draw(outcomes) if request is not None and request.is_answered else None
    return situation(draw(RECORDS), request, concluded)


@given(any_situation())
def test_open_call_whose_request_may_have_been_received_gets_no_other_request(it: Situation) -> None:
    request = it.request
    if it.record.outcome.status in OPEN and request and not request.is_answered and request.may_have_been_sent:
        assert decide(it) not in {Decision.OWN, Decision.RETRY, Decision.FREE, Decision.CONCLUDED}


@given(any_situation())
def test_delivered_call_is_never_claimed_or_resent(it: Situation) -> None:
    is_delivered_by_answer = it.concluded == ACCEPTED and it.record.outcome.status in OPEN
    if it.record.outcome.status.is_delivered or is_delivered_by_answer:
        assert decide(it) not in {Decision.OWN, Decision.RETRY, Decision.FREE, Decision.UNANSWERED}


@given(any_situation())
def test_answered_request_is_never_resent(it: Situation) -> None:
    if it.request is None or it.request.is_answered:
        assert decide(it) is not Decision.UNANSWERED


@given(any_situation())
def test_request_is_taken_over_only_when_both_leases_are_over(it: Situation) -> None:
    if decide(it) is Decision.UNANSWERED:
        assert it.request is not None
        assert it.request.lease_expires_at_ms <= NOW_MS
        assert it.record.lease_expires_at_ms <= NOW_MS


@given(any_situation())
def test_message_waits_only_for_a_lease_that_is_running(it: Situation) -> None:
    if decide(it) is Decision.BUSY:
        request_lease_ms = it.request.lease_expires_at_ms if it.request else 0
        assert max(it.record.lease_expires_at_ms, request_lease_ms) > NOW_MS


@given(any_situation())
def test_message_leaves_only_with_a_call_that_is_delivered_or_failed_for_it(it: Situation) -> None:
    match decide(it):
        case Decision.DELIVERED:
            assert it.record.outcome.status.is_delivered
            assert it.record.content_hash == OURS
        case Decision.DONE:
            assert it.record.outcome.status.is_failure
            assert it.record.message_id == it.claim.call.message_id


@given(any_situation())
def test_other_content_is_never_taken_for_a_duplicate(it: Situation) -> None:
    if it.record.content_hash != OURS:
        assert decide(it) in {Decision.RETRY, Decision.REUSED}


@given(any_situation())
def test_failed_call_is_claimed_again_only_by_a_message_sent_well_after(it: Situation) -> None:
    if it.record.outcome.status.is_failure and decide(it) in {Decision.OWN, Decision.RETRY, Decision.FREE}:
        assert it.record.updated_at_ms + RETRY_MARGIN_MS <= NOW_MS
