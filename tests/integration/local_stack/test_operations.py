"""The deployed operations function: an operator pauses, looks at the status and resumes, and the relay obeys."""

import pytest

from local.stack.stack_files import Stack
from tests.integration.local_stack.deployed_operations import DeployedOperations
from tests.integration.local_stack.deployed_relay import DeployedRelay
from tests.integration.local_stack.eventually import eventually
from tests.support.aws_clients import AwsClients
from tests.support.messages import message_body

pytestmark = pytest.mark.stack

ALERTS = "ALERTS01"


def test_paused_flow_is_listed_and_its_call_is_delivered_after_resume(
    relay: DeployedRelay, stack: Stack, clients: AwsClients
) -> None:
    operations = DeployedOperations(stack, clients)

    def paused() -> list[str]:
        answer, _ = operations.invoke({"action": "status"})
        return [pause["paused"] for pause in answer["pauses"]]

    operations.invoke({"action": "pause", "flow": ALERTS, "reason": "MAINTENANCE"})
    try:
        assert eventually(lambda: ALERTS in paused())
        relay.send(message_body("operations-paused", flow_id=ALERTS))
        waiting = relay.wait_for(f"{ALERTS}/operations-paused", "WAITING")
        assert waiting["reason"] == "MAINTENANCE"
    finally:
        answer, _ = operations.invoke({"action": "resume", "flow": ALERTS})

    assert answer["before"]["reason"] == "MAINTENANCE"
    assert ALERTS not in paused()
    assert eventually(lambda: relay.record(f"{ALERTS}/operations-paused")["status"] == "ACCEPTED", seconds=90)
