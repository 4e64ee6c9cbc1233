"""The judge finds what is wrong, and lets pass what is allowed."""

import pytest

from sealed_relay.ports import Failure, Item
from tests.campaign.evidence import Acceptance, Evidence, Invariant, Published, Written
from tests.campaign.judge import judge

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
    return Published(CALL, "91", at, Failure("{}", reason, "", "message-1"))


def broken(found: Evidence) -> set[Invariant]:
    return {violation.invariant for violation in judge(found)}


def test_a_call_that_was_taken_and_reads_so_is_as_it_should_be() -> None:
    assert judge(evidence()) == []


def test_a_call_without_a_record_is_lost() -> None:
    found = evidence()
    found.items = {}
    assert broken(found) == {Invariant.ACCOUNTED}


def test_a_call_that_is_left_waiting_is_lost() -> None:
    assert Invariant.ACCOUNTED in broken(evidence("WAITING"))


def test_a_call_taken_twice_is_found() -> None:
    found = evidence(request_id="r2")
    found.acceptances[CALL].append(acceptance(20.0, "r2"))
    assert broken(found) == {Invariant.ONCE}


def test_a_call_taken_twice_is_allowed_where_somebody_asked_for_it_after_it_was_given_up() -> None:
    found = evidence(request_id="r2")
    found.acceptances[CALL].append(acceptance(20.0, "r2"))
    found.unresolved_at[CALL] = [12.0]
    assert broken(found) == {Invariant.ONCE}
    found.written.append(Written("message-2", CALL, "91", 15.0, 1000.0, has_failed=True))
    assert judge(found) == []


@pytest.mark.parametrize("status", ["REJECTED", "EXPIRED"])
def test_a_call_that_was_taken_and_reads_as_failed_is_found(status: str) -> None:
    found = evidence(status, reason="X")
    found.published[CALL].append(publication("X"))
    assert broken(found) == {Invariant.HONEST}


def test_an_acceptance_that_never_was_is_found_also_where_it_is_presumed() -> None:
    found = evidence("PRESUMED_ACCEPTED")
    found.acceptances.clear()
    assert Invariant.HONEST in broken(found)
    found.undecidable.add("r1")
    assert judge(found) == []


def test_a_failure_that_is_not_in_the_failure_queue_is_found() -> None:
    assert broken(evidence("UNRESOLVED", reason="UNRESOLVED")) == {Invariant.FAILURE_QUEUE}


def test_a_call_that_left_after_its_deadline_is_found() -> None:
    found = evidence()
    found.acceptances[CALL] = [acceptance(1010.0)]
    assert broken(found) == {Invariant.IN_TIME}


def test_the_other_content_of_an_identity_is_found() -> None:
    found = evidence()
    found.written.append(Written("message-2", CALL, "92", 5.0, 1000.0, has_failed=False))
    found.acceptances[CALL] = [acceptance(content="92")]
    assert broken(found) == {Invariant.ACCOUNTED, Invariant.HONEST}


def test_a_message_that_sqs_gave_up_is_found() -> None:
    found = evidence()
    found.redriven = ["message-1"]
    assert broken(found) == {Invariant.NOT_REDRIVEN}


@pytest.mark.parametrize(("gap_seconds", "expected"), [(29.9, {Invariant.RATE}), (30.1, set())])
def test_requests_over_the_rate_are_found(gap_seconds: float, expected: set[Invariant]) -> None:
    found = evidence()
    found.requests_per_minute = 2
    found.sends = [0.0, gap_seconds, 2 * gap_seconds]
    assert broken(found) == expected


@pytest.mark.parametrize(("calm_from", "expected"), [(900.0, {Invariant.DELIVERED_IN_THE_END}), (1100.0, set())])
def test_a_call_that_expired_although_all_went_well_for_long_is_found(
    calm_from: float, expected: set[Invariant]
) -> None:
    found = evidence("EXPIRED", reason="EXPIRED")
    found.acceptances.clear()
    found.published[CALL].append(publication("EXPIRED"))
    found.calm_from = calm_from
    assert broken(found) == expected
