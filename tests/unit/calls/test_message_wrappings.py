"""The three wrappings of a queue message."""

import json
from collections.abc import Callable

import pytest

from sealed_relay.calls.message import InvalidMessageError, read
from tests.support.making import body_of_calls, make_message, written_call

BARE = body_of_calls(written_call("a"), written_call("b", not_after="2026-11-24T00:00:00Z"))


def sns(message: object) -> str:
    return json.dumps(
        {
            "Type": "Notification",
            "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
            "TopicArn": "arn:aws:sns:ap-south-1:123456789012:calls",
            "Message": message,
            "Timestamp": "2026-11-23T04:30:00.000Z",
            "SignatureVersion": "1",
            "MessageAttributes": {},
        }
    )


def event_bridge(detail: object) -> str:
    return json.dumps(
        {
            "version": "0",
            "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
            "detail-type": "Call requested",
            "source": "shop",
            "account": "123456789012",
            "time": "2026-11-23T04:30:00Z",
            "region": "ap-south-1",
            "resources": [],
            "detail": detail,
        }
    )


@pytest.mark.parametrize("wrapped", [sns(BARE), event_bridge(json.loads(BARE))], ids=["SNS", "EventBridge"])
def test_a_wrapped_message_reads_as_the_bare_one(wrapped: str) -> None:
    assert read(make_message(wrapped)) == read(make_message(BARE))


@pytest.mark.parametrize(
    "wrapped",
    [
        sns(json.loads(BARE)),
        sns(sns(BARE)),
        event_bridge(BARE),
        event_bridge(None),
        json.dumps({"Type": "SubscriptionConfirmation", "Message": BARE}),
        json.dumps({"detail": json.loads(BARE)}),
        json.dumps({"Message": BARE}),
    ],
    ids=[
        "SNS around an object",
        "SNS twice",
        "EventBridge around text",
        "EventBridge around nothing",
        "another type of SNS message",
        "a detail alone",
        "a Message alone",
    ],
)
def test_no_other_wrapping_is_taken_off(wrapped: str) -> None:
    with pytest.raises(InvalidMessageError):
        read(make_message(wrapped))


@pytest.mark.parametrize("wrap", [sns, lambda bare: event_bridge(json.loads(bare))], ids=["SNS", "EventBridge"])
def test_a_wrapped_message_is_checked_like_a_bare_one(wrap: Callable[[str], str]) -> None:
    with pytest.raises(InvalidMessageError, match=r"`\$\.calls\[0\]\.contact-numbers\[0\]`"):
        read(make_message(wrap(body_of_calls(written_call(contact_numbers=["12"])))))
