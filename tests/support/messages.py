"""Messages and calls for the tests, made as the relay meets them: out of the body of an SQS message."""

import json
from datetime import UTC, datetime

from sealed_relay.calls.call import Call
from sealed_relay.calls.message import Message, read
from tests.support.clock import START

SENT_AT = datetime.fromtimestamp(START, UTC)
NUMBER = "919900000001"


def written_call(name: object = "call-1", **fields: object) -> dict[str, object]:
    """A call as a producer writes it. Fields are given with underscores for dashes."""
    written = {field.replace("_", "-"): value for field, value in fields.items()}
    return {"client-identifier": name, "contact-numbers": [NUMBER], **written}


def body_of_calls(*calls: object, flow_id: object = "FLOWAAAA") -> str:
    """A bare queue message with these calls."""
    return json.dumps({"flow-id": flow_id, "calls": calls})


def message_body(*names: str, flow_id: str = "FLOWAAAA", **fields: object) -> str:
    """A bare queue message with calls of these names. `fields` go into each of its calls."""
    return body_of_calls(*(written_call(name, **fields) for name in names), flow_id=flow_id)


def make_message(
    body: str, message_id: str = "message-1", sent_at: datetime = SENT_AT, receive_count: int = 1
) -> Message:
    """A message as it was received."""
    return Message(message_id, f"handle of {message_id}", body, sent_at, receive_count)


def make_call(name: str = "call-1", flow_id: str = "FLOWAAAA", message_id: str = "message-1", **fields: object) -> Call:
    """The one call of a message."""
    [call] = read(make_message(message_body(name, flow_id=flow_id, **fields), message_id))
    return call
