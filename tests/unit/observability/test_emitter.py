"""Events as log lines and metrics on standard output."""

import json
from dataclasses import replace

from botocore.exceptions import ClientError

from sealed_relay.calls.message import Lane
from sealed_relay.calls.outcome import Reason, Status
from sealed_relay.observability.emitter import describe
from sealed_relay.observability.events import (
    CallsSettled,
    CallsWaiting,
    DuplicatesFound,
    MessageFailed,
    RequestSent,
    WorkFailed,
)
from tests.support.telemetry_lines import SERVICE, Observe, metrics_in

CANARY = "919812345678"
SENT = RequestSent(
    "request-1", "FLOWAAAA", 500, is_resend=False, result="SUCCESS", code=200, detail="", milliseconds=120
)
RESENT = RequestSent(
    "request-2", "FLOWAAAA", 3, is_resend=True, result="NO_ANSWER", code=None, detail="", milliseconds=9
)
INVALID = MessageFailed("message-1", Reason.INVALID_MESSAGE, None, 0, "", detail="The body is not JSON.")
REJECTED = MessageFailed("message-2", "INVALID_CONTACT_NUMBER", 205, 1, "request-1")


def test_events_become_metrics_in_the_contracts_namespace(observe: Observe) -> None:
    _, lines = observe(
        SENT,
        RESENT,
        INVALID,
        REJECTED,
        DuplicatesFound(2),
        CallsSettled(Status.ACCEPTED, 499, Lane.INGRESS, []),
        CallsSettled(Status.ACCEPTED, 1, Lane.INGRESS, []),
        CallsSettled(Status.REJECTED, 1, Lane.INGRESS, []),
    )

    assert metrics_in(lines) == [
        ("Answers", "Count", (("Code", "200 SUCCESS"), SERVICE), [1.0]),
        ("Answers", "Count", (("Code", "NO_ANSWER"), SERVICE), [1.0]),
        ("Calls", "Count", (("Status", "ACCEPTED"), SERVICE), [500.0]),
        ("Calls", "Count", (("Status", "REJECTED"), SERVICE), [1.0]),
        ("CallsPerRequest", "Count", (SERVICE,), [500.0, 3.0]),
        ("Duplicates", "Count", (SERVICE,), [2.0]),
        ("FailedMessages", "Count", (("Reason", "INVALID_CONTACT_NUMBER"), SERVICE), [1.0]),
        ("FailedMessages", "Count", (("Reason", "INVALID_MESSAGE"), SERVICE), [1.0]),
        ("RequestMilliseconds", "Milliseconds", (SERVICE,), [120.0, 9.0]),
        ("RequestsFailed", "Count", (SERVICE,), [1.0]),
        ("RequestsResent", "Count", (SERVICE,), [1.0]),
        ("RequestsSent", "Count", (SERVICE,), [1.0]),
    ]


def test_seconds_to_accepted_are_a_value_for_each_delivered_call_by_queue(observe: Observe) -> None:
    _, lines = observe(
        CallsSettled(Status.ACCEPTED, 150, Lane.INGRESS, [61.2345] * 150),
        CallsSettled(Status.PRESUMED_ACCEPTED, 1, Lane.URGENT, [0.5]),
        CallsSettled(Status.ACCEPTED, 1, Lane.URGENT, [2.0]),
        CallsSettled(Status.REJECTED, 1, Lane.URGENT, [3.0]),
    )

    assert [each for each in metrics_in(lines) if each[0] != "Calls"] == [
        ("SecondsToAccepted", "Seconds", (("Queue", "ingress"), SERVICE), [61.234] * 50),
        ("SecondsToAccepted", "Seconds", (("Queue", "ingress"), SERVICE), [61.234] * 100),
        ("SecondsToAccepted", "Seconds", (("Queue", "urgent"), SERVICE), [0.5, 2]),
    ]


def test_start_times_that_were_moved_are_counted_and_logged(observe: Observe) -> None:
    moved = replace(SENT, start_times_moved=3, moved_to="2026-11-24T09:00:00+05:30")

    log, lines = observe(moved, moved, replace(moved, result="NOT_SENT", code=None))

    assert ("StartTimesMoved", "Count", (SERVICE,), [6.0]) in metrics_in(lines)
    assert [(line["start_times_moved"], line["moved_to"]) for line in log] == [(3, "2026-11-24T09:00:00+05:30")] * 3


def test_flush_leaves_nothing_for_the_next_invocation(observe: Observe) -> None:
    _, first = observe(SENT, CallsSettled(Status.ACCEPTED, 1, Lane.URGENT, [0.5]))
    _, second = observe()

    assert first
    assert second == []


def test_250_values_are_split_over_several_lines_of_metrics(observe: Observe) -> None:
    _, lines = observe(*[SENT] * 250)

    milliseconds = [value for name, _, _, value in metrics_in(lines) if name == "RequestMilliseconds"]
    assert sum(len(values) for values in milliseconds if isinstance(values, list)) == 250
    assert all(len(values) <= 100 for values in milliseconds if isinstance(values, list))


def test_request_sent_is_one_line_with_ids_code_and_milliseconds(observe: Observe) -> None:
    [line], _ = observe(SENT)

    assert (line["level"], line["message"]) == ("INFO", "request sent")
    said = {"request_id": "request-1", "flow_id": "FLOWAAAA", "calls": 500, "code": 200, "result": "SUCCESS"}
    assert said.items() <= line.items()
    assert (line["milliseconds"], line["is_resend"]) == (120, False)


def test_failed_message_is_one_line_with_reason_and_detail(observe: Observe) -> None:
    [invalid, rejected], _ = observe(INVALID, REJECTED)

    assert (invalid["level"], invalid["message"]) == ("WARNING", "message failed")
    assert (invalid["message_id"], invalid["reason"], invalid["calls"]) == ("message-1", "INVALID_MESSAGE", 0)
    assert (rejected["code"], rejected["request_id"], rejected["calls"]) == (205, "request-1", 1)
    assert (invalid["detail"], rejected["detail"]) == ("The body is not JSON.", "")


def test_calls_that_wait_for_people_are_an_info_line_and_counted(observe: Observe) -> None:
    detail = "The API answered 212 INSUFFICIENT_BALANCE."
    [line], lines = observe(CallsWaiting("message-1", "INSUFFICIENT_BALANCE", 7, 12.5, "FLOWAAAA", detail))

    assert (line["level"], line["reason"], line["flow_id"]) == ("INFO", "INSUFFICIENT_BALANCE", "FLOWAAAA")
    assert line["detail"] == detail
    assert metrics_in(lines) == [
        ("MessagesWaitingOnAccount", "Count", (SERVICE,), [1.0]),
    ]


def test_calls_that_wait_for_time_are_a_debug_line(observe: Observe) -> None:
    [line], _ = observe(CallsWaiting("message-1", "NO_ANSWER", 7, 12.5, "FLOWAAAA"))

    assert (line["level"], line["reason"], line["calls"]) == ("DEBUG", "NO_ANSWER", 7)


def raised(error: BaseException) -> BaseException:
    try:
        raise error from RuntimeError(CANARY)
    except type(error) as caught:
        return caught


def test_error_is_logged_with_type_and_place_without_its_text(observe: Observe) -> None:
    error = raised(ValueError(CANARY))

    [line], _ = observe(WorkFailed(error))

    assert (line["level"], line["error_type"]) == ("ERROR", "ValueError")
    assert line["error_at"][0].startswith("test_emitter.py:")
    assert line["error_at"][0].endswith(" raised")
    assert CANARY not in json.dumps(line)


def test_aws_error_is_logged_with_code_and_operation() -> None:
    error = ClientError({"Error": {"Code": "AccessDeniedException", "Message": CANARY}}, "GetSecretValue")

    described = describe(raised(error))

    assert (described["error_code"], described["operation"]) == ("AccessDeniedException", "GetSecretValue")
    assert CANARY not in json.dumps(described)


def test_error_that_was_not_raised_has_no_place() -> None:
    assert describe(KeyError(CANARY)) == {"error_type": "KeyError", "error_at": []}
