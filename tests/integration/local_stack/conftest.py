"""The deployed relay for tests that only use it, with checks after each of them."""

from collections.abc import Iterator

import pytest

from local.simulator.client import SimulatorClient
from local.stack.stack_files import Stack
from tests.integration.local_stack.deployed_relay import DeployedRelay
from tests.integration.local_stack.eventually import eventually
from tests.support.aws_clients import AwsClients


@pytest.fixture
def relay(stack: Stack, clients: AwsClients, simulator: SimulatorClient) -> Iterator[DeployedRelay]:
    """The relay with an empty ingress queue. After the test it is empty again, and no call was taken twice."""
    relay = DeployedRelay(stack, clients)
    assert eventually(relay.ingress_queue_is_empty)
    simulator.reset()
    relay.resume_account()
    yield relay
    assert eventually(relay.ingress_queue_is_empty)
    assert simulator.audit().calls_accepted_more_than_once == 0
