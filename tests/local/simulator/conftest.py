import random
from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from local.simulator.client import SimulatorClient
from local.simulator.state import SimulatorState
from tests.local.simulator.flow_owner import Clock, FlowOwner
from tests.local.simulator.in_memory_simulator import InMemorySimulator
from tests.local.simulator.serve_simulator import served


@pytest.fixture(scope="session")
def private_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture(scope="session")
def another_private_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture
def owner(private_key: rsa.RSAPrivateKey) -> FlowOwner:
    return FlowOwner(private_key)


@pytest.fixture
def api(owner: FlowOwner) -> InMemorySimulator:
    return InMemorySimulator(owner)


@pytest.fixture
def simulator(owner: FlowOwner) -> Iterator[SimulatorClient]:
    state = SimulatorState(Clock(), random.Random(7))
    with served(state) as base_url, SimulatorClient(base_url) as client:
        client.register_flow(owner.registration())
        yield client
