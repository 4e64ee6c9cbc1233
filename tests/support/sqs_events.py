"""Events as SQS hands them to Lambda."""

from collections.abc import Sequence
from typing import Any

from sealed_relay.calls.message import Message


def event_of(messages: Sequence[Message]) -> dict[str, Any]:
    """The event that brings these messages."""
    return {"Records": [_record_of(message) for message in messages]}


def _record_of(message: Message) -> dict[str, Any]:
    sent_at = str(int(message.sent_at.timestamp() * 1000))
    return {
        "messageId": message.message_id,
        "receiptHandle": message.receipt_handle,
        "body": message.body,
        "attributes": {
            "ApproximateReceiveCount": str(message.receive_count),
            "SentTimestamp": sent_at,
            "SenderId": "AIDAEXAMPLE",
            "ApproximateFirstReceiveTimestamp": sent_at,
        },
        "messageAttributes": {},
        "md5OfBody": "0" * 32,
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:ap-south-1:000000000000:ingress",
        "awsRegion": "ap-south-1",
    }
