"""SQS events of messages of one call, 300 bytes each."""

import itertools
import json
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sealed_relay.calls.message import Message
from tests.support import sqs_events

MESSAGE_BYTES = 300

_numbers = itertools.count()
_run = secrets.token_hex(4)


def event_of(messages: int, flow_ids: Sequence[str]) -> bytes:
    """An event of that many new messages, the flows taking turns."""
    received = [_message(flow_ids[index % len(flow_ids)]) for index in range(messages)]
    return json.dumps(sqs_events.event_of(received)).encode()


def message(flow_id: str) -> dict[str, Any]:
    """Return a message with one new call: 300 bytes of JSON."""
    name = {"name": "$flow.key.Name", "value": ""}
    amount = {"name": "$flow.key.Amount", "value": "4500.00"}
    call = {
        "client-identifier": f"order-{_run}-{next(_numbers):08}",
        "contact-numbers": ["+919900000001"],
        "keys": [name, amount],
    }
    written = {"flow-id": flow_id, "calls": [call]}
    name["value"] = "x" * (MESSAGE_BYTES - len(_json(written)))
    return written


def _message(flow_id: str) -> Message:
    """A message with one new call, as it was received now."""
    return Message(secrets.token_hex(16), secrets.token_hex(64), _json(message(flow_id)), datetime.now(UTC), 1)


def _json(written: object) -> str:
    return json.dumps(written, separators=(",", ":"))
