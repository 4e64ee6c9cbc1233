import secrets
from collections.abc import Iterator

import pytest

from local.stack.records import Stack
from tests.support.aws_clients import AwsClients


@pytest.fixture
def table_name(stack: Stack, clients: AwsClients) -> Iterator[str]:
    """An empty table with the key that the template gives to the relay's."""
    deployed = clients.dynamodb.describe_table(TableName=stack.outputs["OutcomesTableName"])["Table"]
    name = f"contract-{secrets.token_hex(4)}"
    clients.dynamodb.create_table(
        TableName=name,
        KeySchema=deployed["KeySchema"],
        AttributeDefinitions=deployed["AttributeDefinitions"],
        BillingMode="PAY_PER_REQUEST",
    )
    yield name
    clients.dynamodb.delete_table(TableName=name)


@pytest.fixture
def queue_url(clients: AwsClients) -> Iterator[str]:
    """An empty queue."""
    url = clients.sqs.create_queue(QueueName=f"contract-{secrets.token_hex(4)}")["QueueUrl"]
    yield url
    clients.sqs.delete_queue(QueueUrl=url)
