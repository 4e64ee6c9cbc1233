"""SQS events of messages of one call, 300 bytes each."""

import itertools
import json
import secrets
import time
from collections.abc import Sequence
from typing import Any

MESSAGE_BYTES = 300

_numbers = itertools.count()
_run = secrets.token_hex(4)


def event_of(messages: int, flow_ids: Sequence[str]) -> bytes:
    """An event of that many new messages, the flows taking turns."""
    return json.dumps({"Records": [_record(flow_ids[index % len(flow_ids)]) for index in range(messages)]}).encode()


def message(flow_id: str) -> dict[str, Any]:
    """A new message of one call that nobody made before: 300 bytes of JSON."""
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


def _record(flow_id: str) -> dict[str, Any]:
    """As SQS hands a message to Lambda."""
    sent_at = str(int(time.time() * 1000))
    return {
        "messageId": secrets.token_hex(16),
        "receiptHandle": secrets.token_hex(64),
        "body": _json(message(flow_id)),
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": sent_at,
            "SenderId": "AIDAEXAMPLE",
            "ApproximateFirstReceiveTimestamp": sent_at,
        },
        "messageAttributes": {},
        "md5OfBody": secrets.token_hex(16),
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:ap-south-1:000000000000:ingress",
        "awsRegion": "ap-south-1",
    }


def _json(written: object) -> str:
    return json.dumps(written, separators=(",", ":"))
