"""What an operator may ask for, and the sentences with which other events are refused."""

import pytest

from sealed_relay.calls.outcome import Reason
from sealed_relay.kairos.codes import CODES, Verdict
from sealed_relay.observability.metrics import FAILED_MESSAGES
from sealed_relay_operations.reasons import FAILURES, PAUSES, WAITS
from sealed_relay_operations.request import InvalidRequestError, Pause, Replay, Resume, Status, read_request


def refusal_of(event: object) -> str:
    with pytest.raises(InvalidRequestError) as caught:
        read_request(event)
    return str(caught.value)


def refusal_of_replay(**fields: object) -> str:
    return refusal_of({"action": "replay", **fields})


def test_replay_without_fields_is_a_slow_dry_run_over_all_entries() -> None:
    assert read_request({"action": "replay"}) == Replay(
        reasons=None,
        codes=None,
        flow_ids=None,
        min_age_seconds=60,
        max_age_seconds=None,
        dry_run=True,
        messages_per_second=10,
        max_messages=None,
    )


def test_every_field_is_read() -> None:
    assert read_request(
        {
            "action": "replay",
            "reasons": ["EXPIRED", "REDRIVEN"],
            "codes": [213],
            "flow_ids": ["ALERTS01"],
            "min_age_seconds": 0,
            "max_age_seconds": 3600,
            "dry_run": False,
            "messages_per_second": 100,
            "max_messages": 5,
        }
    ) == Replay(
        reasons=frozenset({"EXPIRED", "REDRIVEN"}),
        codes=frozenset({213}),
        flow_ids=frozenset({"ALERTS01"}),
        min_age_seconds=0,
        max_age_seconds=3600,
        dry_run=False,
        messages_per_second=100,
        max_messages=5,
    )


def test_unknown_field_is_named_together_with_the_allowed_fields() -> None:
    why = refusal_of_replay(reason=["EXPIRED"])
    assert "`reason`" in why
    assert "action, reasons, codes, flow_ids, min_age_seconds, max_age_seconds, dry_run" in why


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("reasons", "EXPIRED", "`reasons` is a text: allowed is a list of one or more of CLIENT_IDENTIFIER_REUSED, "),
        ("reasons", ["expired"], "an item of `reasons` is unknown: allowed is a list of one or more of CLIENT_"),
        ("reasons", ["EXPIRED", "NO_DATA_AVAILABEL"], "an item of `reasons` is unknown: allowed is a list"),
        ("reasons", [213], "an item of `reasons` is a whole number: allowed is a list"),
        ("codes", 213, "`codes` is a whole number: allowed is a list of one or more whole numbers, such as 213."),
        ("codes", ["213"], "an item of `codes` is a text: allowed is a list"),
        ("codes", [1.5], "an item of `codes` is a number with a fraction: allowed is a list"),
        ("flow_ids", ["ALERTS1"], "an item of `flow_ids` has the wrong form: allowed is a list"),
        ("flow_ids", ["ALERTS01\n"], "an item of `flow_ids` has the wrong form: allowed is a list"),
        ("min_age_seconds", -1, "`min_age_seconds` is out of range: allowed is a whole number of seconds, 0 or more."),
        ("max_age_seconds", "1h", "`max_age_seconds` is a text: allowed is a whole number of seconds"),
        ("dry_run", "no", "`dry_run` is a text: allowed is true or false."),
        ("dry_run", None, "`dry_run` is null: allowed is true or false."),
        ("messages_per_second", 0, "`messages_per_second` is out of range: allowed is a whole number from 1 to 100."),
        ("messages_per_second", 101, "`messages_per_second` is out of range: allowed"),
        ("max_messages", 0, "`max_messages` is out of range: allowed is a whole number, 1 or more."),
        ("max_messages", True, "`max_messages` is true or false: allowed is a whole number, 1 or more."),
    ],
)
def test_refusal_names_the_field_the_problem_and_what_is_allowed(field: str, value: object, sentence: str) -> None:
    assert refusal_of_replay(**{field: value}).startswith(f"In the request {sentence}")


@pytest.mark.parametrize("action", ["replay", "pause", "resume", "status"])
def test_field_name_with_a_lone_surrogate_is_refused_in_a_sentence_that_utf_8_can_hold(action: str) -> None:
    refusal = refusal_of({"action": action, "reason": "MAINTENANCE", "\ud800": 1})

    assert refusal.encode() == b"The name of a field has a lone surrogate, which is half of a character."


@pytest.mark.parametrize("field", ["reasons", "codes", "flow_ids"])
def test_empty_list_is_refused(field: str) -> None:
    assert refusal_of_replay(**{field: []}).startswith(
        f"In the request `{field}` is empty: allowed is a list of one or more "
    )


def test_max_age_below_min_age_is_refused() -> None:
    why = refusal_of_replay(max_age_seconds=59)
    assert why == "`max_age_seconds` is below `min_age_seconds`, which is 60: no entry fits both."


@pytest.mark.parametrize("event", [None, [], "EXPIRED"])
def test_request_that_is_no_object_is_refused(event: object) -> None:
    assert refusal_of(event) == "The request is no object: allowed is an object with the field `action`."


def test_message_of_a_queue_is_refused() -> None:
    expected = "In the request `action` is missing: allowed is one of replay, pause, resume, status."
    assert refusal_of({"Records": []}) == expected


@pytest.mark.parametrize("action", ["stop", None, 3, ["pause"], {}, "Pause"])
def test_unknown_action_is_refused_with_the_allowed_ones(action: object) -> None:
    expected = "In the request `action` has the wrong value: allowed is one of replay, pause, resume, status."
    assert refusal_of({"action": action}) == expected


def test_every_field_of_a_replay_is_named_among_the_allowed_fields() -> None:
    assert refusal_of_replay(x=1).endswith(f" {', '.join(['action', *Replay.__struct_fields__])}.")


@pytest.mark.parametrize(
    ("event", "request_"),
    [
        ({"action": "pause", "reason": "MAINTENANCE"}, Pause(reason="MAINTENANCE")),
        ({"action": "pause", "flow": "ALERTS01", "reason": "M2_X"}, Pause(flow="ALERTS01", reason="M2_X")),
        ({"action": "resume"}, Resume()),
        ({"action": "resume", "flow": "ALERTS01"}, Resume(flow="ALERTS01")),
        ({"action": "status"}, Status()),
    ],
)
def test_pause_and_resume_are_for_a_flow_or_without_one_for_the_account(event: object, request_: object) -> None:
    assert read_request(event) == request_


@pytest.mark.parametrize("action", ["pause", "resume"])
@pytest.mark.parametrize("flow", ["", "ALERTS1", "ALERTS01 ", "ALERTS01\n", "#account", None, 12345678, ["ALERTS01"]])
def test_flow_that_is_no_flow_id_never_means_the_account(action: str, flow: object) -> None:
    fields = {"reason": "MAINTENANCE"} if action == "pause" else {}
    why = refusal_of({"action": action, "flow": flow, **fields})
    assert why.startswith("In the request `flow` ")
    assert why.endswith("allowed is a flow id of 8 letters or digits; leave it out for the account.")


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({}, "is missing"),
        ({"reason": ""}, "has the wrong form"),
        ({"reason": "maintenance"}, "has the wrong form"),
        ({"reason": "9TO5"}, "has the wrong form"),
        ({"reason": "A" * 65}, "has the wrong form"),
        ({"reason": "+919900000001"}, "has the wrong form"),
        ({"reason": None}, "is null"),
        ({"reason": "INSUFFICIENT_BALANCE"}, "is a reason of the relay's own"),
    ],
)
def test_pause_without_a_reason_of_the_operators_own_is_refused(fields: dict[str, object], problem: str) -> None:
    assert refusal_of({"action": "pause", **fields}).startswith(
        f"In the request `reason` {problem}: allowed is 1 to 64"
    )


def test_status_has_no_further_field() -> None:
    why = refusal_of({"action": "status", "flow": "ALERTS01"})
    assert why == "The request has the unknown field `flow`: allowed are action."


def test_known_reasons_are_those_of_the_relay() -> None:
    verdicts = {Verdict.PAUSE, Verdict.REFRESH_SECRET}
    outages = {Reason.NOT_SENT, Reason.NO_ANSWER, Reason.WRONG_ADDRESS}
    assert {*FAILED_MESSAGES.values, "REDRIVEN"} == FAILURES
    assert {code.name for code in CODES.values() if code.verdict in verdicts} | outages == PAUSES


def test_every_reason_of_the_relay_is_refused_as_a_reason_to_pause() -> None:
    assert set(Reason) <= FAILURES | PAUSES | WAITS
    for reason in FAILURES | PAUSES | WAITS:
        assert "is a reason of the relay's own" in refusal_of({"action": "pause", "reason": reason})


def test_refusal_quotes_no_value() -> None:
    assert "919900000001" not in refusal_of_replay(flow_ids=["919900000001"], codes=["919900000001"])
    assert "919900000001" not in refusal_of_replay(reasons=["919900000001"])
    assert "919900000001" not in refusal_of({"action": "919900000001"})
