"""A gateway without a verdict: the relay resends the same bytes, and the API accepts the call once."""

import pytest

from local.simulator.client import SimulatorClient
from local.simulator.faults import DroppedConnection, Fault, ForeignPage, TruncatedAnswer
from local.stack.flows import ALERTS
from tests.integration.local_stack.deployed_relay import DeployedRelay, message_of, outcome_in

pytestmark = pytest.mark.stack


@pytest.mark.parametrize(
    "fault",
    [DroppedConnection(after_accepting=True), TruncatedAnswer(), ForeignPage(http_status=503, after_accepting=True)],
    ids=["dropped", "truncated", "503"],
)
def test_call_with_a_lost_answer_is_presumed_accepted_and_was_taken_once(
    relay: DeployedRelay, simulator: SimulatorClient, fault: Fault, request: pytest.FixtureRequest
) -> None:
    name = f"presumed-{request.node.callspec.id}"
    simulator.plan(fault)

    relay.send(message_of(ALERTS, name))

    assert outcome_in(relay.wait_for(f"{ALERTS}/{name}", "PRESUMED_ACCEPTED")) == {
        "status": "PRESUMED_ACCEPTED",
        "code": 201,
        "reason": "CHECKSUM_REPEATED",
        "attempts": 2,
    }
    assert [len(times) for times in simulator.accepted_calls().values()] == [1]


@pytest.mark.parametrize("fault", [DroppedConnection(), ForeignPage(http_status=503)], ids=["dropped", "503"])
def test_call_whose_request_never_arrived_is_accepted_in_the_end(
    relay: DeployedRelay, simulator: SimulatorClient, fault: Fault, request: pytest.FixtureRequest
) -> None:
    name = f"in-the-end-{request.node.callspec.id}"
    simulator.plan(fault)

    relay.send(message_of(ALERTS, name))

    outcome = outcome_in(relay.wait_for(f"{ALERTS}/{name}", "ACCEPTED"))
    assert outcome["attempts"] == 2
    assert [len(times) for times in simulator.accepted_calls().values()] == [1]
