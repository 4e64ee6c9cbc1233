"""The three wrappings of a queue message."""

import json
from collections.abc import Callable

import pytest

from sealed_relay.calls.invalid_message import InvalidMessageError
from sealed_relay.calls.message import read
from tests.support.messages import body_of_calls, make_message, written_call

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


ALLOWED = "; a queue message is allowed, "
BARE_ALLOWED = f"{ALLOWED}bare, in an SNS notification or in an EventBridge event."
ONE_ALLOWED = f"{ALLOWED}in one wrapping at most."
S3 = {"Records": [{"eventSource": "aws:s3", "s3": {}}]}
CLOUD_EVENT = {"specversion": "1.0", "type": "call", "data": json.loads(BARE)}
CONFIRMATION = {"Type": "SubscriptionConfirmation", "Message": "You have chosen", "SubscribeURL": "https://"}


def why_not(wrapped: str) -> str:
    with pytest.raises(InvalidMessageError) as caught:
        read(make_message(wrapped))
    return str(caught.value)


@pytest.mark.parametrize("wrapped", [sns(BARE), event_bridge(json.loads(BARE))], ids=["SNS", "EventBridge"])
def test_wrapped_message_is_read_as_the_bare_one(wrapped: str) -> None:
    assert read(make_message(wrapped)) == read(make_message(BARE))


@pytest.mark.parametrize(
    ("wrapped", "sentence"),
    [
        (sns(json.loads(BARE)), "In the SNS notification: `Message` is an object; text is allowed."),
        (sns(sns(BARE)), f"In the SNS notification: this is an SNS notification{ONE_ALLOWED}"),
        (sns(event_bridge({})), f"In the SNS notification: this is an EventBridge event{ONE_ALLOWED}"),
        (event_bridge(json.loads(sns(BARE))), f"In the EventBridge event: this is an SNS notification{ONE_ALLOWED}"),
        (sns(json.dumps(S3)), f"In the SNS notification: this is an S3 event{ONE_ALLOWED}"),
        (
            event_bridge(BARE),
            "In the EventBridge event: the message is text; an object with `flow-id` and `calls` is allowed.",
        ),
        (
            event_bridge(None),
            "In the EventBridge event: the message is null; an object with `flow-id` and `calls` is allowed.",
        ),
        (json.dumps(CONFIRMATION), f"This is an SNS subscription confirmation{BARE_ALLOWED}"),
        (json.dumps({"Type": "UnsubscribeConfirmation"}), f"This is an SNS unsubscribe confirmation{BARE_ALLOWED}"),
        (json.dumps(S3), f"This is an S3 event{BARE_ALLOWED}"),
        (json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent"}), f"This is an S3 test event{BARE_ALLOWED}"),
        (json.dumps(CLOUD_EVENT), f"This is a CloudEvents event{BARE_ALLOWED}"),
        (json.dumps({"detail": json.loads(BARE)}), "There is an unknown field; `flow-id` and `calls` are allowed."),
        (json.dumps({"Message": BARE}), "There is an unknown field; `flow-id` and `calls` are allowed."),
    ],
)
def test_other_wrapping_is_refused_by_its_name(wrapped: str, sentence: str) -> None:
    assert why_not(wrapped) == sentence


def test_sns_notification_around_broken_json_is_told_as_that() -> None:
    sentence = "In the SNS notification: `Message` is not JSON: line 1, column 1: this is not what JSON allows here."

    assert why_not(sns("call Zoe")) == sentence


@pytest.mark.parametrize(
    ("wrap", "wrapping"),
    [(sns, "the SNS notification"), (lambda bare: event_bridge(json.loads(bare)), "the EventBridge event")],
    ids=["SNS", "EventBridge"],
)
def test_problem_in_wrapped_message_is_told_with_the_wrapping(wrap: Callable[[str], str], wrapping: str) -> None:
    sentence = why_not(wrap(body_of_calls(written_call("order-1", contact_numbers=[]))))

    assert sentence == f'In {wrapping}, call "order-1": `contact-numbers` is empty; 1 or more are allowed.'


def test_wrapping_with_field_twice_is_refused() -> None:
    assert why_not(sns(BARE)[:-1] + ', "Message": ""}') == "A field is written twice; each field is allowed once."
