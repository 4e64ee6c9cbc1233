"""The local stack's own topic and bus bring messages to the relay, and nothing that they get is dropped in silence."""

from typing import Any

import boto3
import pytest

from local.stack.flows import ALERTS
from local.stack.stack_files import Stack
from local.stack.topic_and_rule import NAME, topic_arn
from tests.integration.local_stack.deployed_relay import DeployedRelay, message_of
from tests.integration.local_stack.eventually import eventually

pytestmark = pytest.mark.stack


class Senders:
    """A producer's clients of the topic and of the bus."""

    def __init__(self, stack: Stack, session: boto3.Session) -> None:
        self._topic = topic_arn(stack.region)
        # The types of these clients are not installed.
        self._sns: Any = session.client("sns", endpoint_url=stack.endpoint_url)
        self._events: Any = session.client("events", endpoint_url=stack.endpoint_url)

    def publish(self, message: str) -> None:
        """Send a message to the topic."""
        self._sns.publish(TopicArn=self._topic, Message=message)

    def put_event(self, detail: str) -> None:
        """Send an event to the bus."""
        entry = {"EventBusName": NAME, "Source": "orders", "DetailType": "Call wanted", "Detail": detail}
        assert self._events.put_events(Entries=[entry])["FailedEntryCount"] == 0


@pytest.fixture(scope="module")
def senders(stack: Stack, session: boto3.Session) -> Senders:
    return Senders(stack, session)


def test_message_through_the_topic_and_through_the_bus_is_accepted(relay: DeployedRelay, senders: Senders) -> None:
    senders.publish(message_of(ALERTS, "through-the-topic"))
    senders.put_event(message_of(ALERTS, "through-the-bus"))

    relay.wait_until_all([f"{ALERTS}/through-the-topic", f"{ALERTS}/through-the-bus"], "ACCEPTED")


def test_what_is_no_message_ends_in_the_failure_queue(relay: DeployedRelay, senders: Senders) -> None:
    senders.publish("not a message, through the topic")
    senders.put_event('{"order": "not a message, through the bus"}')

    def has_both() -> bool:
        reasons = [
            failure.attributes["reason"] for failure in relay.failures() if "not a message, through" in failure.body
        ]
        return reasons == ["INVALID_MESSAGE"] * 2

    assert eventually(has_both), relay.failures()
