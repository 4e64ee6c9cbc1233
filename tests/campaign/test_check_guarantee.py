"""The check finds what is wrong and accepts what is allowed."""

import pytest

from sealed_relay.calls.message import Lane
from sealed_relay.ports import Failure, Item
from tests.campaign.check_guarantee import check_guarantee
from tests.campaign.evidence import Acceptance, Evidence, Invariant, Published, Written
from tests.campaign.hours import Hours

CALL = "FLOWAAAA/call-1"


def evidence(status: str = "ACCEPTED", **attributes: str) -> Evidence:
    """One message with one call, taken by the API at second 10 and on record as such."""
    found = Evidence(written=[Written("message-1", CALL, "91", 0.0, 1000.0, has_failed=False)])
    record: Item = {
        "status": status,
        "message_id": "message-1",
        "request_id": "r1",
        "phonon_uuid": "u1",
        "reason": "SUCCESS",
        **attributes,
    }
    found.items = {CALL: record}
    found.stored = {CALL}
    found.acceptances[CALL].append(acceptance())
    return found


def acceptance(at: float = 10.0, request_id: str = "r1", content: str = "91") -> Acceptance:
    return Acceptance(CALL, content, at, at, request_id, "u1")


def publication(reason: str, at: float = 10.0) -> Published:
    return Published(CALL, "91", at, Failure("{}", reason, "", "message-1", Lane.INGRESS))


def broken(found: Evidence) -> set[Invariant]:
    return {violation.invariant for violation in check_guarantee(found)}


def test_accepted_call_with_accepted_record_is_no_violation() -> None:
    assert check_guarantee(evidence()) == []


def test_call_without_a_record_is_lost() -> None:
    found = evidence()
    found.items = {}
    assert broken(found) == {Invariant.ACCOUNTED}


def test_call_left_waiting_is_lost() -> None:
    assert Invariant.ACCOUNTED in broken(evidence("WAITING"))


def test_call_accepted_twice_is_found() -> None:
    found = evidence(request_id="r2")
    found.acceptances[CALL].append(acceptance(20.0, "r2"))
    assert broken(found) == {Invariant.ONCE}


def test_call_accepted_twice_is_allowed_after_a_retry_of_an_unresolved_call() -> None:
    found = evidence(request_id="r2")
    found.acceptances[CALL].append(acceptance(20.0, "r2"))
    found.unresolved_at[CALL] = [12.0]
    assert broken(found) == {Invariant.ONCE}
    found.written.append(Written("message-2", CALL, "91", 15.0, 1000.0, has_failed=True))
    assert check_guarantee(found) == []


@pytest.mark.parametrize("status", ["REJECTED", "EXPIRED"])
def test_accepted_call_with_failed_record_is_found(status: str) -> None:
    found = evidence(status, reason="X")
    found.published[CALL].append(publication("X"))
    assert broken(found) == {Invariant.HONEST}


def test_record_of_acceptance_without_acceptance_is_found() -> None:
    found = evidence("PRESUMED_ACCEPTED")
    found.acceptances.clear()
    assert Invariant.HONEST in broken(found)
    found.undecidable.add("r1")
    assert check_guarantee(found) == []


def test_failure_missing_from_the_failure_queue_is_found() -> None:
    assert broken(evidence("UNRESOLVED", reason="UNRESOLVED")) == {Invariant.FAILURE_QUEUE}


def test_call_sent_after_its_deadline_is_found() -> None:
    found = evidence()
    found.acceptances[CALL] = [acceptance(1010.0)]
    assert broken(found) == {Invariant.IN_TIME}


def test_other_content_of_an_identity_is_found() -> None:
    found = evidence()
    found.written.append(Written("message-2", CALL, "92", 5.0, 1000.0, has_failed=False))
    found.acceptances[CALL] = [acceptance(content="92")]
    assert broken(found) == {Invariant.ACCOUNTED, Invariant.HONEST}


def test_message_redriven_by_sqs_is_found() -> None:
    found = evidence()
    found.redriven = ["message-1"]
    assert broken(found) == {Invariant.NOT_REDRIVEN}


@pytest.mark.parametrize(("gap_seconds", "expected"), [(29.9, {Invariant.RATE}), (30.1, set())])
def test_requests_over_the_rate_are_found(gap_seconds: float, expected: set[Invariant]) -> None:
    found = evidence()
    found.requests_per_minute = 2
    found.sends = [0.0, gap_seconds, 2 * gap_seconds]
    assert broken(found) == expected


@pytest.mark.parametrize(
    ("sends", "ordinary_sends", "expected"),
    [
        ([0.0, 10.0, 20.0], [0.0, 10.0], set()),
        ([0.0, 10.0, 20.0], [0.0, 10.0, 20.0], {Invariant.RESERVE}),
        ([0.0, 10.0, 20.0], [20.0], {Invariant.RESERVE}),
        ([0.0, 19.5, 20.0], [20.0], set()),  # the second one may have taken its permit after the third one
        ([0.0, 10.0, 60.0], [60.0], set()),
    ],
)
def test_ordinary_requests_that_use_the_reserve_are_found(
    sends: list[float], ordinary_sends: list[float], expected: set[Invariant]
) -> None:
    found = evidence()
    found.requests_per_minute, found.urgent_reserve = 3, 1
    found.sends, found.ordinary_sends = sends, ordinary_sends
    assert broken(found) == expected


@pytest.mark.parametrize(("hours", "expected"), [([], {Invariant.IN_TIME}), ([Hours(36_000, 7200)], set())])
def test_start_that_hours_moved_to_the_next_date_has_the_end_of_that_date(
    hours: list[Hours], expected: set[Invariant]
) -> None:
    found = evidence()
    found.written = [Written("message-1", CALL, "91", 0.0, 1e6, has_failed=False, start_at=65_000.0)]
    found.acceptances[CALL] = [acceptance(70_000.0)]
    found.hours = {"FLOWAAAA": hours}
    assert broken(found) == expected


@pytest.mark.parametrize(("calm_from", "expected"), [(900.0, {Invariant.DELIVERED_IN_THE_END}), (1100.0, set())])
def test_call_that_expired_long_after_the_last_fault_is_found(calm_from: float, expected: set[Invariant]) -> None:
    found = evidence("EXPIRED", reason="EXPIRED")
    found.acceptances.clear()
    found.published[CALL].append(publication("EXPIRED"))
    found.calm_from = calm_from
    assert broken(found) == expected
