"""The local servers of a whole test run, apart from those of `make up`."""

import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import TYPE_CHECKING

import boto3
import pytest

from local.simulator.client import SimulatorClient
from local.stack.lifecycle import bring_up, take_down
from local.stack.local_aws import LocalAws
from local.stack.paths import REPOSITORY, StackFolder
from local.stack.stack_files import Stack
from tests.support.aws_clients import AwsClients
from tests.support.dynamodb_local import running_dynamodb_local, what_is_missing
from tests.support.outcome_events import StreamedTable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# As in the Makefile: beside the sources, compiled modules would be uploaded with the function.
sys.pycache_prefix = str(REPOSITORY / ".local/pycache")


@pytest.fixture(scope="session")
def stack_folder(tmp_path_factory: pytest.TempPathFactory) -> StackFolder:
    """The stack's folder; its `logs` are kept for a look after a failed run."""
    return StackFolder(tmp_path_factory.mktemp("local-stack"))


@pytest.fixture(scope="session")
def stack(stack_folder: StackFolder) -> Iterator[Stack]:
    """The local stack, brought up when the first test asks for it. Mark such tests `stack`."""
    try:
        yield bring_up(stack_folder, None, say=lambda _: None)
    finally:
        take_down(stack_folder)


@pytest.fixture(scope="session")
def session(stack: Stack) -> boto3.Session:
    """An administrator's session; its clients need `endpoint_url` beside."""
    return stack.aws().session()


@pytest.fixture(scope="session")
def clients(stack: Stack, session: boto3.Session) -> Iterator[AwsClients]:
    """An administrator's clients, connected to the stack's AWS."""
    with closing(AwsClients(session, stack.endpoint_url)) as clients:
        yield clients


@pytest.fixture(scope="session")
def dynamodb_local_aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    """DynamoDB Local, started when the first test asks for it. Mark such tests `stack`."""
    if missing := what_is_missing():
        pytest.skip(f"DynamoDB Local cannot run here: {missing}")
    with running_dynamodb_local(tmp_path_factory.mktemp("dynamodb-local") / "dynamodb-local.log") as aws:
        yield aws


@pytest.fixture(scope="session")
def dynamodb_local(dynamodb_local_aws: LocalAws) -> Iterator["DynamoDBClient"]:
    """A client of DynamoDB Local."""
    with closing(
        dynamodb_local_aws.session().client("dynamodb", endpoint_url=dynamodb_local_aws.endpoint_url)
    ) as client:
        yield client


@pytest.fixture(scope="session")
def streamed_table(dynamodb_local_aws: LocalAws, dynamodb_local: "DynamoDBClient") -> Callable[[], StreamedTable]:
    """Makes tables of DynamoDB Local whose stream can be read."""
    streams = dynamodb_local_aws.session().client("dynamodbstreams", endpoint_url=dynamodb_local_aws.endpoint_url)
    return lambda: StreamedTable(dynamodb_local, streams)


@pytest.fixture
def simulator(stack: Stack) -> Iterator[SimulatorClient]:
    """The stack's simulator with everything but its flows forgotten."""
    assert stack.simulator_url
    with SimulatorClient(stack.simulator_url) as client:
        client.reset()
        yield client
