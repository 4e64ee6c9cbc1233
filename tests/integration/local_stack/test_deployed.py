"""The real template, deployed on the local AWS."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import psutil
import pytest
from botocore.exceptions import ClientError

from local.simulator.client import SimulatorClient
from local.stack.deploy import STACK_NAME
from local.stack.paths import StackFolder
from local.stack.stack_files import Stack, read_running
from tests.integration.local_stack.eventually import eventually

pytestmark = pytest.mark.stack

Refused = Callable[[Any, Stack], object]


@pytest.fixture
def client(stack: Stack) -> Iterator[Callable[[str], Any]]:
    """Make an administrator's client for a service."""
    clients = []

    def make(service: str) -> Any:  # noqa: ANN401 - boto3 types clients by literal names only
        made = stack.aws().session().client(service, endpoint_url=stack.endpoint_url)  # type: ignore[call-overload]
        clients.append(made)
        return made

    yield make
    for made in clients:
        made.close()


@pytest.fixture
def as_the_function(stack: Stack, client: Callable[[str], Any]) -> boto3.Session:
    """Make a session with the permissions of the function's role."""
    role = client("lambda").get_function_configuration(FunctionName=stack.outputs["RelayFunctionName"])["Role"]
    keys = client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    return boto3.Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], region_name=stack.region)


def test_message_of_every_flow_is_accepted_once(stack: Stack, client: Callable[[str], Any]) -> None:
    for flow_id in stack.flow_ids:
        call = {"client-identifier": "deployed-1", "contact-numbers": ["919999999999"]}
        body = json.dumps({"flow-id": flow_id, "calls": [call]})
        client("sqs").send_message(QueueUrl=stack.outputs["IngressQueueUrl"], MessageBody=body)

    def statuses() -> list[str]:
        keys = [{"call_id": {"S": f"{flow_id}/deployed-1"}} for flow_id in stack.flow_ids]
        table = stack.outputs["OutcomesTableName"]
        records = client("dynamodb").batch_get_item(RequestItems={table: {"Keys": keys}})["Responses"][table]
        return [record["status"]["S"] for record in records]

    assert eventually(lambda: statuses() == ["ACCEPTED"] * len(stack.flow_ids)), statuses()
    with SimulatorClient(stack.simulator_url or "") as simulator:
        taken = simulator.accepted_calls()
    assert [len(taken[f"{flow_id}/deployed-1"]) for flow_id in stack.flow_ids] == [1] * len(stack.flow_ids)


def test_function_logs_into_the_log_group_of_the_stack(stack: Stack, client: Callable[[str], Any]) -> None:
    client("sqs").send_message(QueueUrl=stack.outputs["IngressQueueUrl"], MessageBody="unreadable")
    group = f"/sealed-relay/{STACK_NAME}"
    assert eventually(lambda: client("logs").filter_log_events(logGroupName=group)["events"])


def test_all_processes_listen_on_loopback_only(stack: Stack, stack_folder: StackFolder) -> None:
    running = read_running(stack_folder)
    assert running
    sockets = [s for process in running.processes for s in psutil.Process(process.pid).net_connections(kind="inet")]
    listening = {s.laddr.ip for s in sockets if s.status == psutil.CONN_LISTEN}
    assert listening == {"127.0.0.1"}
    assert stack.endpoint_url.startswith("http://127.0.0.1:")


@pytest.mark.parametrize(
    ("service", "beyond_its_work"),
    [
        ("sqs", lambda c, s: c.send_message(QueueUrl=s.outputs["IngressQueueUrl"], MessageBody="x")),
        ("sqs", lambda c, s: c.receive_message(QueueUrl=s.outputs["FailureQueueUrl"])),
        ("sqs", lambda c, s: c.purge_queue(QueueUrl=s.outputs["IngressQueueUrl"])),
        ("dynamodb", lambda c, s: c.scan(TableName=s.outputs["OutcomesTableName"])),
        ("dynamodb", lambda c, s: c.delete_table(TableName=s.outputs["OutcomesTableName"])),
        ("secretsmanager", lambda c, _: c.get_secret_value(SecretId="somebody-elses")),
        ("secretsmanager", lambda c, s: c.delete_secret(SecretId=s.outputs["FlowSecretPrefix"] + s.flow_ids[0])),
        ("kms", lambda c, _: c.list_keys()),
        ("s3", lambda c, _: c.list_buckets()),
    ],
)
def test_role_is_denied_everything_beyond_its_work(
    stack: Stack, as_the_function: boto3.Session, service: str, beyond_its_work: Refused
) -> None:
    function_client = as_the_function.client(service, endpoint_url=stack.endpoint_url)  # type: ignore[call-overload]
    with pytest.raises(ClientError) as refusal:
        beyond_its_work(function_client, stack)
    function_client.close()
    assert refusal.value.response["Error"]["Code"].startswith("AccessDenied")
