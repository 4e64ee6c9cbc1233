"""Log lines and metrics as they stand on standard output."""

import json

from botocore.exceptions import ClientError

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
from tests.support.telling import SERVICE, Observe, metrics_in

CANARY = "919812345678"
SENT = RequestSent(
    "request-1", "FLOWAAAA", 500, is_resend=False, result="SUCCESS", code=200, detail="", milliseconds=120
)
RESENT = RequestSent(
    "request-2", "FLOWAAAA", 3, is_resend=True, result="NO_ANSWER", code=None, detail="", milliseconds=9
)
INVALID = MessageFailed("message-1", Reason.INVALID_MESSAGE, None, 0, "")
REJECTED = MessageFailed("message-2", "INVALID_CONTACT_NUMBER", 205, 1, "request-1")


def test_metrics_have_the_contracts_namespace_and_say_what_happened(observe: Observe) -> None:
    _, lines = observe(
        SENT,
        RESENT,
        INVALID,
        REJECTED,
        DuplicatesFound(2),
        CallsSettled(Status.ACCEPTED, 499),
        CallsSettled(Status.ACCEPTED, 1),
        CallsSettled(Status.REJECTED, 1),
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
        ("InvalidMessages", "Count", (SERVICE,), [1.0]),
        ("RequestMilliseconds", "Milliseconds", (SERVICE,), [120.0, 9.0]),
        ("RequestsFailed", "Count", (SERVICE,), [1.0]),
        ("RequestsResent", "Count", (SERVICE,), [1.0]),
        ("RequestsSent", "Count", (SERVICE,), [1.0]),
    ]


def test_an_invocation_counts_its_own_only(observe: Observe) -> None:
    _, first = observe(SENT, CallsSettled(Status.ACCEPTED, 500))
    _, second = observe()

    assert first
    assert second == []


def test_more_values_than_a_line_of_metrics_takes_are_all_there(observe: Observe) -> None:
    _, lines = observe(*[SENT] * 250)

    milliseconds = [value for name, _, _, value in metrics_in(lines) if name == "RequestMilliseconds"]
    assert sum(len(values) for values in milliseconds if isinstance(values, list)) == 250
    assert all(len(values) <= 100 for values in milliseconds if isinstance(values, list))


def test_a_request_is_one_line_with_its_ids_counts_code_and_milliseconds(observe: Observe) -> None:
    [line], _ = observe(SENT)

    assert (line["level"], line["message"]) == ("INFO", "request sent")
    said = {"request_id": "request-1", "flow_id": "FLOWAAAA", "calls": 500, "code": 200, "result": "SUCCESS"}
    assert said.items() <= line.items()
    assert (line["milliseconds"], line["is_resend"]) == (120, False)


def test_a_failed_message_is_one_line_with_its_reason(observe: Observe) -> None:
    [invalid, rejected], _ = observe(INVALID, REJECTED)

    assert (invalid["level"], invalid["message"]) == ("WARNING", "message failed")
    assert (invalid["message_id"], invalid["reason"], invalid["calls"]) == ("message-1", "INVALID_MESSAGE", 0)
    assert (rejected["code"], rejected["request_id"], rejected["calls"]) == (205, "request-1", 1)


def test_calls_that_wait_for_people_are_a_line_for_them_and_counted(observe: Observe) -> None:
    [line], lines = observe(CallsWaiting("message-1", "INSUFFICIENT_BALANCE", 7, 12.5, "FLOWAAAA"))

    assert (line["level"], line["reason"], line["flow_id"]) == ("INFO", "INSUFFICIENT_BALANCE", "FLOWAAAA")
    assert metrics_in(lines) == [
        ("Calls", "Count", (("Status", "WAITING"), SERVICE), [7.0]),
        ("MessagesWaitingOnAccount", "Count", (SERVICE,), [1.0]),
        ("RetryInSeconds", "Seconds", (SERVICE,), [12.0]),
    ]


def test_calls_that_wait_for_time_are_a_line_for_whoever_debugs(observe: Observe) -> None:
    [line], _ = observe(CallsWaiting("message-1", "NO_ANSWER", 7, 12.5, "FLOWAAAA"))

    assert (line["level"], line["reason"], line["calls"]) == ("DEBUG", "NO_ANSWER", 7)


def raised(error: BaseException) -> BaseException:
    try:
        raise error from RuntimeError(CANARY)
    except type(error) as caught:
        return caught


def test_an_error_is_logged_by_type_and_place_and_never_by_its_text(observe: Observe) -> None:
    error = raised(ValueError(CANARY))

    [line], _ = observe(WorkFailed(error))

    assert (line["level"], line["error_type"]) == ("ERROR", "ValueError")
    assert line["error_at"][0].startswith("test_emitter.py:")
    assert line["error_at"][0].endswith(" raised")
    assert CANARY not in json.dumps(line)


def test_an_aws_error_is_logged_with_its_code_and_operation() -> None:
    error = ClientError({"Error": {"Code": "AccessDeniedException", "Message": CANARY}}, "GetSecretValue")

    described = describe(raised(error))

    assert (described["error_code"], described["operation"]) == ("AccessDeniedException", "GetSecretValue")
    assert CANARY not in json.dumps(described)


def test_an_error_that_was_never_raised_can_be_described() -> None:
    assert describe(KeyError(CANARY)) == {"error_type": "KeyError", "error_at": []}
