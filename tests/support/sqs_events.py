"""Events as SQS hands them to Lambda."""

from collections.abc import Sequence
from typing import Any

from sealed_relay.calls.message import Lane, Message


def event_of(messages: Sequence[Message], lane: Lane = Lane.INGRESS) -> dict[str, Any]:
    """The event that brings these messages of one queue."""
    return {"Records": [_record_of(message, lane) for message in messages]}


def arn_of(lane: Lane) -> str:
    """The queue's ARN."""
    return f"arn:aws:sqs:ap-south-1:000000000000:{lane}"


def _record_of(message: Message, lane: Lane) -> dict[str, Any]:
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
        "eventSourceARN": arn_of(lane),
        "awsRegion": "ap-south-1",
    }
