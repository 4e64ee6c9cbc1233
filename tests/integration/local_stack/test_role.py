"""The function's role in the template: the function needs each permission, and the role has no others.

The other tests here show that the permissions suffice. NOT_ASKED names those that the local AWS does not check.
"""

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from local.simulator.client import SimulatorClient
from local.stack.flows import ALERTS
from local.stack.stack_files import Stack
from tests.integration.local_stack.deployed_relay import DeployedRelay, message_of
from tests.integration.local_stack.invocations import DeployedFunction
from tests.integration.local_stack.own_flow import register_with, secret_of
from tests.support.aws_clients import AwsClients

pytestmark = pytest.mark.stack

NEEDED = {"dynamodb:BatchGetItem", "secretsmanager:GetSecretValue"}
# The local AWS asks for these by the names of the calls of many items that carry them.
NEEDED_IN_BATCHES = {
    "dynamodb:PartiQLInsert": "dynamodb:BatchExecuteStatement",
    "dynamodb:PartiQLUpdate": "dynamodb:BatchExecuteStatement",
    "sqs:SendMessage": "sqs:SendMessageBatch",
    "sqs:ChangeMessageVisibility": "sqs:ChangeMessageVisibilityBatch",
}
# What AWS's event source and log delivery do in the function's name, and what its key lets encrypted services do.
NOT_ASKED = {
    "sqs:ReceiveMessage",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "kms:Decrypt",
    "kms:GenerateDataKey",
    "logs:CreateLogStream",
    "logs:PutLogEvents",
}


@pytest.fixture
def function(stack: Stack, clients: AwsClients, session: boto3.Session) -> DeployedFunction:
    return DeployedFunction(stack, clients, session)


@pytest.fixture
def role_session(stack: Stack, session: boto3.Session, function: DeployedFunction) -> boto3.Session:
    """A session with the permissions of the function's role."""
    with closing(session.client("sts", endpoint_url=stack.endpoint_url)) as sts:
        keys = sts.assume_role(RoleArn=function.role_arn, RoleSessionName="test")["Credentials"]
    return boto3.Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], region_name=stack.region)


def test_every_action_of_the_role_has_a_test_here(
    stack: Stack, session: boto3.Session, function: DeployedFunction
) -> None:
    with closing(session.client("iam", endpoint_url=stack.endpoint_url)) as iam:
        role = function.role_arn.rpartition("/")[2]
        document: Any = iam.get_role_policy(RoleName=role, PolicyName="relay")["PolicyDocument"]
    actions = [statement["Action"] for statement in document["Statement"]]
    granted = {action for some in actions for action in ([some] if isinstance(some, str) else some)}
    assert granted == NEEDED | NEEDED_IN_BATCHES.keys() | NOT_ASKED


def test_role_without_partiql_cannot_claim_calls(function: DeployedFunction) -> None:
    body = message_of(ALERTS, "claimed")

    with function.denied("dynamodb:BatchExecuteStatement"):
        assert function.invoke(body).has_raised

    assert function.invoke(body).failed == []


def test_role_without_batch_get_item_cannot_decide_known_calls(function: DeployedFunction) -> None:
    body = message_of(ALERTS, "met-before")
    assert function.invoke(body).failed == []

    with function.denied("dynamodb:BatchGetItem"):
        assert function.invoke(body).has_raised

    assert function.invoke(body).failed == []


def test_role_without_get_secret_value_leaves_the_call_waiting(
    function: DeployedFunction, relay: DeployedRelay, simulator: SimulatorClient
) -> None:
    register_with(simulator, "READABLE")
    relay.put_secret("READABLE", secret_of("READABLE"))

    with function.denied("secretsmanager:GetSecretValue"):
        assert len(function.invoke(message_of("READABLE", "waits")).failed) == 1
    assert relay.record("READABLE/waits")["reason"] == "FLOW_SECRET_UNUSABLE"

    assert function.invoke(message_of("READABLE", "at-once")).failed == []


def test_role_without_send_message_leaves_the_failure_in_the_ingress_queue(function: DeployedFunction) -> None:
    with function.denied("sqs:SendMessageBatch"):
        assert len(function.invoke("unreadable").failed) == 1

    assert function.invoke("unreadable").failed == []


def test_role_without_change_message_visibility_cannot_defer_messages(
    function: DeployedFunction, relay: DeployedRelay
) -> None:
    for flow_id in ("HANDBACK", "HANDBCK2"):
        relay.put_secret(flow_id, secret_of(flow_id))
    with function.denied("secretsmanager:GetSecretValue", "sqs:ChangeMessageVisibilityBatch"):
        refused = function.invoke(message_of("HANDBACK", "handed-back"))

    assert '"operation":"ChangeMessageVisibilityBatch"' in refused.said
    with function.denied("secretsmanager:GetSecretValue"):
        assert "ChangeMessageVisibility" not in function.invoke(message_of("HANDBCK2", "handed-back")).said


@pytest.fixture
def secret_of_another_stage(clients: AwsClients) -> Iterator[str]:
    name = "sealed-relay/another-stage/flows/ALERTS01"
    clients.secrets.create_secret(Name=name, SecretString=json.dumps({"security-id": "x"}))
    yield name
    clients.secrets.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)


def test_role_cannot_read_the_secret_of_another_stage(
    stack: Stack, role_session: boto3.Session, secret_of_another_stage: str
) -> None:
    with closing(role_session.client("secretsmanager", endpoint_url=stack.endpoint_url)) as secrets:
        own = secrets.get_secret_value(SecretId=stack.outputs["FlowSecretPrefix"] + ALERTS)
        assert "security-id" in own["SecretString"]
        with pytest.raises(ClientError) as refusal:
            secrets.get_secret_value(SecretId=secret_of_another_stage)
    assert refusal.value.response["Error"]["Code"] == "AccessDeniedException"


def test_role_cannot_delete_or_scan_records(stack: Stack, role_session: boto3.Session) -> None:
    table = stack.outputs["OutcomesTableName"]
    key = {"call_id": {"S": "none"}}
    with closing(role_session.client("dynamodb", endpoint_url=stack.endpoint_url)) as dynamodb:
        dynamodb.batch_get_item(RequestItems={table: {"Keys": [key]}})
        for beyond_its_work in (
            lambda: dynamodb.delete_item(TableName=table, Key=key),
            lambda: dynamodb.batch_write_item(RequestItems={table: [{"DeleteRequest": {"Key": key}}]}),
            lambda: dynamodb.query(
                TableName=table, KeyConditionExpression="call_id = :id", ExpressionAttributeValues={":id": {"S": "x"}}
            ),
        ):
            with pytest.raises(ClientError) as refusal:
                beyond_its_work()
            assert refusal.value.response["Error"]["Code"] == "AccessDeniedException"
