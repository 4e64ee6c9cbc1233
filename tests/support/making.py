"""Messages and calls for the tests, made the way the relay meets them: out of an SQS body."""

import json
from datetime import UTC, datetime

from sealed_relay.calls.message import Call, Message, read

SENT_AT = datetime(2026, 11, 23, 4, 30, tzinfo=UTC)
NUMBER = "919900000001"


def written_call(name: object = "call-1", **fields: object) -> dict[str, object]:
    """A call as a producer writes it. Fields are given with underscores for dashes."""
    written = {field.replace("_", "-"): value for field, value in fields.items()}
    return {"client-identifier": name, "contact-numbers": [NUMBER], **written}


def body_of_calls(*calls: object, flow_id: object = "FLOWAAAA") -> str:
    return json.dumps({"flow-id": flow_id, "calls": calls})


def make_message(
    body: str, message_id: str = "message-1", sent_at: datetime = SENT_AT, receive_count: int = 1
) -> Message:
    return Message(message_id, f"handle of {message_id}", body, sent_at, receive_count)


def make_call(name: str = "call-1", flow_id: str = "FLOWAAAA", message_id: str = "message-1", **fields: object) -> Call:
    [call] = read(make_message(body_of_calls(written_call(name, **fields), flow_id=flow_id), message_id))
    return call
