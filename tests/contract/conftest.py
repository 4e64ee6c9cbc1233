"""The promises of `ports`, one suite for each port, kept by the parts in memory and by the adapters alike.

A suite has two fixtures, `in_memory` and `on_aws`, of the same shape. Its tests ask for `bench` and run on both.
"""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.support.aws_clients import AwsClients
from tests.support.dynamodb_local import new_table

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

_VISIBILITY_TIMEOUT_SECONDS = 60


@dataclass(frozen=True, slots=True)
class SqsQueue:
    """A queue of the local AWS, as a test that owns it uses it."""

    sqs: "SQSClient"
    url: str

    def send(self, body: str) -> None:
        self.sqs.send_message(QueueUrl=self.url, MessageBody=body)

    def receive(self, visibility_timeout_seconds: int = _VISIBILITY_TIMEOUT_SECONDS) -> "list[MessageTypeDef]":
        """Receive up to 10 visible messages, with all their attributes."""
        received = self.sqs.receive_message(
            QueueUrl=self.url,
            MaxNumberOfMessages=10,
            MessageAttributeNames=["All"],
            VisibilityTimeout=visibility_timeout_seconds,
        )
        return received.get("Messages", [])

    def receive_all(self) -> "list[MessageTypeDef]":
        """Receive until no message is visible."""
        messages: list[MessageTypeDef] = []
        while received := self.receive():
            messages += received
        return messages


@pytest.fixture(params=["in_memory", pytest.param("on_aws", marks=pytest.mark.stack)])
def bench(request: pytest.FixtureRequest) -> object:
    """What a suite tests: its fixture `in_memory`, then its fixture `on_aws`."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def table_name(clients: AwsClients) -> Iterator[str]:
    """An empty table of the local AWS with the relay's key."""
    with new_table(clients.dynamodb) as name:
        yield name


@pytest.fixture
def queue_url(clients: AwsClients) -> Iterator[str]:
    """An empty queue."""
    url = clients.sqs.create_queue(QueueName=f"contract-{secrets.token_hex(4)}")["QueueUrl"]
    yield url
    clients.sqs.delete_queue(QueueUrl=url)


@pytest.fixture
def queue(clients: AwsClients, queue_url: str) -> SqsQueue:
    """An empty queue, with a client."""
    return SqsQueue(clients.sqs, queue_url)
