"""Messages through the real template: from the ingress queue to a delivered call on record."""

import json

import pytest

from local.simulator.client import SimulatorClient
from local.stack.flows import ALERTS, NOTICES
from tests.integration.local_stack.deployed_relay import DeployedRelay, message_of, outcome_in
from tests.integration.local_stack.eventually import eventually

pytestmark = pytest.mark.stack


def bare(body: str) -> str:
    return body


def from_sns(body: str) -> str:
    return json.dumps({"Type": "Notification", "MessageId": "1", "TopicArn": "arn:aws:sns:::t", "Message": body})


def from_eventbridge(body: str) -> str:
    return json.dumps({"version": "0", "detail-type": "Order", "source": "shop", "detail": json.loads(body)})


def test_messages_of_several_flows_in_every_wrapping_are_accepted(
    relay: DeployedRelay, simulator: SimulatorClient
) -> None:
    sent = {}
    for flow_id in (ALERTS, NOTICES):
        for wrap in (bare, from_sns, from_eventbridge):
            keys = [{"name": "$flow.key.order", "value": "1001"}]
            body = message_of(flow_id, wrap.__name__, keys=keys)
            sent[f"{flow_id}/{wrap.__name__}"] = relay.send(wrap(body))

    records = relay.wait_until_all(list(sent), "ACCEPTED")

    taken = simulator.accepted_calls()
    assert taken.keys() == sent.keys()
    for call_id, record in records.items():
        [acceptance] = taken[call_id]
        assert outcome_in(record) == {
            "status": "ACCEPTED",
            "code": 200,
            "reason": "SUCCESS",
            "phonon_uuid": acceptance.phonon_uuid,
            "attempts": 1,
        }
        assert record["message_id"] == sent[call_id]


def test_message_with_many_calls_is_sent_in_several_requests(relay: DeployedRelay, simulator: SimulatorClient) -> None:
    names = [f"many-{number}" for number in range(1200)]

    relay.send(message_of(ALERTS, *names))

    relay.wait_until_all([f"{ALERTS}/{name}" for name in names], "ACCEPTED")
    assert simulator.audit().calls_per_accepted_request == {500: 2, 200: 1}


def test_duplicate_is_acknowledged_and_not_sent(relay: DeployedRelay, simulator: SimulatorClient) -> None:
    body = message_of(ALERTS, "once")
    first = relay.send(body)
    relay.wait_for(f"{ALERTS}/once", "ACCEPTED")

    second = relay.send(body)

    assert eventually(relay.ingress_queue_is_empty)
    assert relay.record(f"{ALERTS}/once")["message_id"] == first
    assert relay.failures_of(second) == []
    assert simulator.audit().requests_received == 1


def test_backlog_is_sent_in_few_requests(relay: DeployedRelay, simulator: SimulatorClient) -> None:
    names = [f"backlog-{number}" for number in range(300)]

    with relay.polling_stopped():
        relay.send_all([message_of(NOTICES, name) for name in names])

    relay.wait_until_all([f"{NOTICES}/{name}" for name in names], "ACCEPTED")
    audit = simulator.audit()
    assert audit.accepted_calls == 300
    # The local AWS hands over ten messages at most.
    assert audit.accepted_calls / audit.requests_received > 5


def test_urgent_queue_is_delivered_and_its_failures_name_it(relay: DeployedRelay) -> None:
    relay.send(message_of(ALERTS, "urgent-1"), "UrgentQueueUrl")
    unreadable_id = relay.send("unreadable", "UrgentQueueUrl")

    relay.wait_until_all([f"{ALERTS}/urgent-1"], "ACCEPTED")

    def queues() -> list[str]:
        of_message = [f for f in relay.failures() if f.attributes.get("source_message_id") == unreadable_id]
        return [failure.attributes["source_queue"] for failure in of_message]

    assert eventually(lambda: queues() == ["urgent"]), queues()
