"""Failed calls are on record, and in the failure queue with the contract's attributes."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from local.simulator.client import SimulatorClient
from local.simulator.faults import DroppedConnection
from local.stack.flows import ALERTS, NOTICES
from tests.integration.local_stack.deployed_relay import DeployedRelay, message_of, outcome_in
from tests.integration.local_stack.own_flow import register_with, secret_of

pytestmark = pytest.mark.stack

INVALID_CONTACT_NUMBER = "910000000205"  # one of the simulator's test numbers


def test_unreadable_message_reaches_the_failure_queue_unchanged(relay: DeployedRelay) -> None:
    message_id = relay.send("call Zoe, please")

    failure = relay.failure_of(message_id)

    assert failure.body == "call Zoe, please"
    assert failure.attributes == {
        "reason": "INVALID_MESSAGE",
        "detail": "The body is not JSON: line 1, column 1: this is not what JSON allows here.",
        "source_message_id": message_id,
        "source_queue": "ingress",
    }


def test_rejected_call_is_isolated_and_the_others_are_delivered(
    relay: DeployedRelay, simulator: SimulatorClient
) -> None:
    body = json.loads(message_of(ALERTS, "before", "at-fault", "after"))
    body["calls"][1]["contact-numbers"] = [INVALID_CONTACT_NUMBER]
    message_id = relay.send(json.dumps(body))

    record = relay.wait_for(f"{ALERTS}/at-fault", "REJECTED")
    relay.wait_until_all([f"{ALERTS}/before", f"{ALERTS}/after"], "ACCEPTED")

    attempts = record["attempts"]
    assert outcome_in(record) == {
        "status": "REJECTED",
        "code": 205,
        "reason": "INVALID_CONTACT_NUMBER",
        "attempts": attempts,
    }
    assert attempts > 1
    failure = relay.failure_of(message_id)
    assert json.loads(failure.body) == {"flow-id": ALERTS, "calls": [body["calls"][1]]}
    assert failure.attributes == {
        "reason": "INVALID_CONTACT_NUMBER",
        "code": "205",
        "detail": "The API answered 205 INVALID_CONTACT_NUMBER.",
        "source_message_id": message_id,
        "source_queue": "ingress",
        "request_id": record["request_id"],
        "api_request_id": record["api_request_id"],
    }
    assert simulator.accepted_calls().keys() == {f"{ALERTS}/before", f"{ALERTS}/after"}


def test_failed_call_is_sent_by_a_retry_once_its_flow_is_known(
    relay: DeployedRelay, simulator: SimulatorClient
) -> None:
    message_id = relay.send(message_of("UNKNOWN1", "too-early", keys=[{"name": "$flow.key.order", "value": "7"}]))

    failure = relay.failure_of(message_id)

    record = relay.record("UNKNOWN1/too-early")
    assert outcome_in(record) == {"status": "REJECTED", "reason": "UNKNOWN_FLOW", "attempts": 0}
    assert failure.attributes == {
        "reason": "UNKNOWN_FLOW",
        "detail": "There is no secret for flow UNKNOWN1.",
        "source_message_id": message_id,
        "source_queue": "ingress",
        "request_id": record["request_id"],
    }

    register_with(simulator, "UNKNOWN1")
    relay.put_secret("UNKNOWN1", secret_of("UNKNOWN1"))
    relay.let_failure_be_long_ago("UNKNOWN1/too-early")
    relay.send(failure.body)

    outcome = outcome_in(relay.wait_for("UNKNOWN1/too-early", "ACCEPTED"))
    assert outcome["attempts"] == 1


def test_client_identifier_with_other_content_is_refused(relay: DeployedRelay) -> None:
    first = relay.send(message_of(ALERTS, "used", number="919900000001"))
    accepted = relay.wait_for(f"{ALERTS}/used", "ACCEPTED")
    other_content = message_of(ALERTS, "used", number="919900000002")

    second = relay.send(other_content)
    failure = relay.failure_of(second)

    assert json.loads(failure.body) == json.loads(other_content)
    assert failure.attributes == {
        "reason": "CLIENT_IDENTIFIER_REUSED",
        "detail": "Another message gave this client-identifier to other content; use a new one.",
        "source_message_id": second,
        "source_queue": "ingress",
    }
    assert relay.failures_of(first) == []
    assert relay.record(f"{ALERTS}/used") == accepted


def test_call_past_its_deadline_is_never_sent(relay: DeployedRelay, simulator: SimulatorClient) -> None:
    message_id = relay.send(message_of(NOTICES, "too-late", not_after="2026-01-01T00:00:00Z"))

    failure = relay.failure_of(message_id)

    record = relay.wait_for(f"{NOTICES}/too-late", "EXPIRED")
    assert outcome_in(record) == {"status": "EXPIRED", "reason": "EXPIRED", "attempts": 0}
    assert failure.attributes == {
        "reason": "EXPIRED",
        "detail": "Its deadline passed: `not-after`, 2026-01-01T05:30:00+05:30. No request with it was accepted.",
        "source_message_id": message_id,
        "source_queue": "ingress",
        "request_id": record["request_id"],
    }
    assert simulator.audit().requests_received == 0


def test_call_with_lost_answers_until_its_deadline_is_unresolved(
    relay: DeployedRelay, simulator: SimulatorClient
) -> None:
    relay.send(message_of(ALERTS, "wakes-the-function"))
    relay.wait_for(f"{ALERTS}/wakes-the-function", "ACCEPTED")
    simulator.reset()
    simulator.plan(DroppedConnection(after_accepting=True), requests=None)
    # Later than the first attempt.
    not_after = (datetime.now(UTC) + timedelta(seconds=4)).isoformat()
    message_id = relay.send(message_of(ALERTS, "who-knows", not_after=not_after))

    record = relay.wait_for(f"{ALERTS}/who-knows", "UNRESOLVED")

    attempts = record["attempts"]
    assert outcome_in(record) == {"status": "UNRESOLVED", "reason": "UNRESOLVED", "attempts": attempts}
    assert attempts == simulator.audit().requests_received
    failure = relay.failure_of(message_id)
    assert failure.attributes == {
        "reason": "UNRESOLVED",
        "detail": "The answer was lost, and the deadline passed before a resend brought one. "
        "It may have been delivered.",
        "source_message_id": message_id,
        "source_queue": "ingress",
        "request_id": record["request_id"],
    }
