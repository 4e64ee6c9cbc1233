"""Flow secrets created and corrected by hand, while messages wait for them."""

import pytest

from local.simulator.client import SimulatorClient
from tests.integration.local_stack.deployed_relay import DeployedRelay, message_of
from tests.integration.local_stack.own_flow import register_with, secret_of

pytestmark = pytest.mark.stack


def test_secret_created_by_hand_is_used(relay: DeployedRelay, simulator: SimulatorClient) -> None:
    register_with(simulator, "BYHAND01")
    relay.put_secret("BYHAND01", secret_of("BYHAND01"))

    relay.send(message_of("BYHAND01", "hello"))

    relay.wait_for("BYHAND01/hello", "ACCEPTED")


def test_message_waits_until_an_unusable_secret_is_corrected(relay: DeployedRelay, simulator: SimulatorClient) -> None:
    register_with(simulator, "UNUSABLE")
    relay.put_secret("UNUSABLE", secret_of("UNUSABLE", public_key="not a key"))
    message_id = relay.send(message_of("UNUSABLE", "patient"))
    assert relay.wait_for("UNUSABLE/patient", "WAITING")["reason"] == "FLOW_SECRET_UNUSABLE"
    assert simulator.audit().requests_received == 0

    relay.correct_secret("UNUSABLE", secret_of("UNUSABLE"))

    assert relay.wait_for("UNUSABLE/patient", "ACCEPTED")["message_id"] == message_id
    assert relay.failures_of(message_id) == []


def test_message_waits_until_a_wrong_security_id_is_corrected(relay: DeployedRelay, simulator: SimulatorClient) -> None:
    register_with(simulator, "MISTAKEN")
    relay.put_secret("MISTAKEN", secret_of("MISTAKEN", security_id="0" * 64))
    message_id = relay.send(message_of("MISTAKEN", "patient"))
    waiting = relay.wait_for("MISTAKEN/patient", "WAITING")
    assert (waiting["reason"], waiting["code"]) == ("INVALID_SECURITY_ID", 202)

    relay.correct_secret("MISTAKEN", secret_of("MISTAKEN"))

    assert relay.wait_for("MISTAKEN/patient", "ACCEPTED")["message_id"] == message_id
    assert relay.failures_of(message_id) == []


def test_security_id_changed_on_both_sides_is_used_at_once(relay: DeployedRelay, simulator: SimulatorClient) -> None:
    register_with(simulator, "ROTATING")
    relay.put_secret("ROTATING", secret_of("ROTATING"))
    relay.send(message_of("ROTATING", "before"))
    relay.wait_for("ROTATING/before", "ACCEPTED")

    register_with(simulator, "ROTATING", security_id="9" * 64)
    relay.correct_secret("ROTATING", secret_of("ROTATING", security_id="9" * 64))
    relay.send(message_of("ROTATING", "after"))

    # Two attempts: the cached secret is refused, the one asked for anew is not.
    assert relay.wait_for("ROTATING/after", "ACCEPTED")["attempts"] == 2
