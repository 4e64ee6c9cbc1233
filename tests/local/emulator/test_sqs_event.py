import json

import pytest

from local.emulator.sqs_event import fault_of, not_delivered
from local.run.messages import event_files


def test_each_file_of_events_is_an_sqs_event() -> None:
    assert [file.name for file in event_files() if fault_of(file.read_bytes())] == []


@pytest.mark.parametrize(
    ("event", "fault"),
    [
        (b"not JSON", "JSON is malformed"),
        (b"\xff\xfe", "JSON is malformed"),
        (b"[]", "Expected `object`, got `array`"),
        (b'{"flow-id": "ALERTS01", "calls": []}', "Object missing required field `Records`"),
        (b'{"Records": [{"eventSource": "aws:s3"}]}', "Invalid enum value 'aws:s3'"),
    ],
)
def test_other_content_has_a_fault_in_one_sentence(event: bytes, fault: str) -> None:
    assert fault_of(event).startswith(fault)
    assert "\n" not in fault_of(event)


def test_undelivered_calls_are_told_with_reason_and_detail() -> None:
    log = [
        "START RequestId: 1",
        json.dumps({"message": "request sent", "reason": ""}),
        json.dumps(
            {
                "message": "message failed",
                "message_id": "m1",
                "reason": "INVALID_FORMAT",
                "detail": "The API answered 400 INVALID_FORMAT.",
                "client_identifiers": "[a][b]",
            }
        ),
        json.dumps(
            {
                "message": "calls waiting",
                "message_id": "m2",
                "reason": "NO_ANSWER",
                "detail": "The answer was lost.",
                "retry_in_seconds": 30.2,
            }
        ),
        json.dumps({"message": "messages deferred", "flow_id": "ALERTS01", "messages": 3, "reason": "MAINTENANCE"}),
    ]
    assert list(not_delivered(log)) == [
        "a, b: failed, INVALID_FORMAT. The API answered 400 INVALID_FORMAT.",
        "message m2: comes back in 30 s, NO_ANSWER. The answer was lost.",
        "3 messages of flow ALERTS01: deferred, MAINTENANCE.",
    ]
