import pytest

from local.run.accounting import (
    Audit,
    Evidence,
    Failure,
    Record,
    SentMessage,
    contradictions,
    duplicated,
    lost,
    seconds_to_accepted,
    unaccounted,
)
from sealed_relay.calls.message import Lane
from sealed_relay.calls.outcome import Status

CALL = "ALERTS01/a"
SENT = [SentMessage("m1", (CALL,))]


def evidence(
    record: Record | None = None,
    reason: str = "",
    taken: tuple[str, ...] | None = (),
    *,
    sent: list[SentMessage] = SENT,
) -> Evidence:
    """What is known of CALL; `taken` None means that there is no audit."""
    failures = [Failure("m1", reason, None, (CALL,))] if reason else []
    audit = None if taken is None else Audit({CALL: taken} if taken else {}, {})
    return Evidence(sent, {CALL: record} if record else {}, failures, audit)


@pytest.mark.parametrize(
    "consistent",
    [
        evidence(Record(Status.ACCEPTED, "r", "uuid"), taken=("uuid",)),
        evidence(Record(Status.ACCEPTED, "r", "uuid"), taken=None),
        evidence(Record(Status.PRESUMED_ACCEPTED, "r"), taken=("uuid",)),
        evidence(Record(Status.REJECTED), reason="INVALID_FORMAT"),
        evidence(Record(Status.EXPIRED), reason="EXPIRED"),
        evidence(Record(Status.UNRESOLVED), reason="UNRESOLVED"),
        evidence(Record(Status.UNRESOLVED), reason="UNRESOLVED", taken=("uuid",)),
        evidence(None, reason="INVALID_MESSAGE"),
        evidence(Record(Status.ACCEPTED, "r", "uuid"), reason="CLIENT_IDENTIFIER_REUSED", taken=("uuid",)),
    ],
)
def test_agreeing_accounts_have_no_contradiction(consistent: Evidence) -> None:
    assert unaccounted(consistent) == {}
    assert contradictions(consistent) == {}


@pytest.mark.parametrize(
    ("incomplete", "what"),
    [
        (evidence(), "no outcome record"),
        (evidence(Record(Status.SENDING)), "SENDING on record, which is not final"),
        (evidence(Record(Status.WAITING)), "WAITING on record, which is not final"),
        (evidence(Record(Status.REJECTED)), "REJECTED on record, but not in the failure queue"),
        (evidence(reason="INVALID_FORMAT"), "no outcome record"),
    ],
)
def test_call_without_a_final_record_is_unaccounted(incomplete: Evidence, what: str) -> None:
    assert unaccounted(incomplete) == {CALL: what}


@pytest.mark.parametrize(
    ("contradictory", "sentence"),
    [
        (evidence(Record(Status.ACCEPTED)), "ACCEPTED on record, but never taken by the API"),
        (evidence(Record(Status.PRESUMED_ACCEPTED)), "PRESUMED_ACCEPTED on record, but never taken by the API"),
        (evidence(Record(Status.ACCEPTED), taken=("u", "v")), "ACCEPTED on record, but taken 2 times by the API"),
        (evidence(Record(Status.UNRESOLVED), taken=("u", "v")), "UNRESOLVED on record, but taken 2 times by the API"),
        (evidence(Record(Status.REJECTED), "INVALID_FORMAT", ("u",)), "REJECTED on record, but taken by the API"),
        (evidence(Record(Status.EXPIRED), "EXPIRED", ("u",)), "EXPIRED on record, but taken by the API"),
        (evidence(None, "INVALID_MESSAGE", ("u",)), "no outcome record, but taken by the API"),
        (
            evidence(Record(Status.ACCEPTED), "FAILURE", ("u",)),
            "ACCEPTED on record, but in the failure queue as FAILURE",
        ),
        (evidence(Record(Status.ACCEPTED, "r", "u"), taken=("v",)), "phonon-uuid u on record, but the API gave v"),
        (evidence(sent=[], taken=("u",)), "taken by the API, but never sent by this run"),
    ],
)
def test_contradicting_accounts_name_the_call_and_what_each_says(contradictory: Evidence, sentence: str) -> None:
    assert contradictions(contradictory) == {CALL: [sentence]}


def test_unreadable_message_is_accounted_for_once_in_the_failure_queue() -> None:
    unreadable = [SentMessage("m1", ())]
    assert unaccounted(Evidence(unreadable, {}, [])) == {"message m1": "unreadable, but not in the failure queue"}
    assert unaccounted(Evidence(unreadable, {}, [Failure("m1", "INVALID_MESSAGE", None, ())])) == {}


def test_lost_call_is_found_although_a_duplicate_makes_the_sums_equal() -> None:
    sent = [SentMessage("m1", ("F/a", "F/b"))]
    records = {"F/a": Record(Status.ACCEPTED), "F/b": Record(Status.ACCEPTED)}
    assert set(contradictions(Evidence(sent, records, [], Audit({"F/a": ("u", "v")}, {})))) == {"F/a", "F/b"}


def test_message_redriven_by_sqs_is_a_contradiction_in_every_case() -> None:
    redriven = [Failure("m1", "", None, (CALL,))]
    delivered = Evidence(SENT, {CALL: Record(Status.ACCEPTED)}, redriven, Audit({CALL: ("u",)}, {}))
    assert contradictions(delivered) == {CALL: ["ACCEPTED on record, and redriven by SQS itself"]}
    assert contradictions(Evidence(SENT, {}, redriven)) == {CALL: ["no outcome record, and redriven by SQS itself"]}


@pytest.mark.parametrize(
    ("seen", "is_lost", "is_duplicated"),
    [
        (evidence(Record(Status.ACCEPTED), taken=("u",)), False, False),
        (evidence(Record(Status.PRESUMED_ACCEPTED)), True, False),
        (evidence(), True, False),
        (evidence(Record(Status.EXPIRED), reason="EXPIRED"), False, False),
        (evidence(Record(Status.UNRESOLVED), reason="UNRESOLVED", taken=("u",)), False, False),
        (evidence(Record(Status.ACCEPTED), taken=("u", "v")), False, True),
    ],
)
def test_lost_and_duplicated_calls_are_told_from_the_others(
    seen: Evidence, *, is_lost: bool, is_duplicated: bool
) -> None:
    assert lost(seen) == ([CALL] if is_lost else [])
    assert duplicated(seen) == ([CALL] if is_duplicated else [])


def test_seconds_to_accepted_are_those_of_delivered_calls_by_queue() -> None:
    sent = [
        SentMessage("m1", ("F/a", "F/b"), sent_at=100.0),
        SentMessage("m2", ("F/c",), Lane.URGENT, 100.0),
        SentMessage("m3", ("F/a",), Lane.URGENT, 101.0),  # a duplicate: the call counts once, from its first message
    ]
    records = {
        "F/a": Record(Status.ACCEPTED, updated_at=103.0),
        "F/b": Record(Status.REJECTED, updated_at=103.0),
        "F/c": Record(Status.PRESUMED_ACCEPTED, updated_at=100.5),
    }

    assert seconds_to_accepted(Evidence(sent, records, [])) == {Lane.INGRESS: [3.0], Lane.URGENT: [0.5]}
