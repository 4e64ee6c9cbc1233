"""The one local stack of a whole test run, apart from the one of `make up`."""

from collections.abc import Iterator
from contextlib import closing

import boto3
import pytest

from local.simulator.client import SimulatorClient
from local.stack.home import Home
from local.stack.lifecycle import bring_up, take_down
from local.stack.records import Stack
from tests.support.aws_clients import AwsClients


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The stack's folder; its `logs` are kept for a look after a failed run."""
    return Home(tmp_path_factory.mktemp("local-stack"))


@pytest.fixture(scope="session")
def stack(home: Home) -> Iterator[Stack]:
    """The local stack, brought up when the first test asks for it. Mark such tests `stack`."""
    try:
        yield bring_up(home, None, say=lambda _: None)
    finally:
        take_down(home)


@pytest.fixture(scope="session")
def session(stack: Stack) -> boto3.Session:
    """An administrator's session; its clients need `endpoint_url` beside."""
    return stack.aws().session()


@pytest.fixture(scope="session")
def clients(stack: Stack, session: boto3.Session) -> Iterator[AwsClients]:
    """An administrator's clients, connected to the stack's AWS."""
    with closing(AwsClients(session, stack.endpoint_url)) as clients:
        yield clients


@pytest.fixture
def simulator(stack: Stack) -> Iterator[SimulatorClient]:
    """The stack's simulator with everything but its flows forgotten."""
    assert stack.simulator_url
    with SimulatorClient(stack.simulator_url) as client:
        client.reset()
        yield client
