"""The deployed replay: calls that failed are sent again, and calls that were delivered are not."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from local.simulator.client import SimulatorClient
from local.simulator.faults import CodeAnswer
from local.stack.deploy import STACK_NAME
from local.stack.flows import ALERTS
from local.stack.stack_files import Stack
from sealed_relay_operations.replay.answer import Counts
from tests.integration.local_stack.deployed_operations import DeployedOperations
from tests.integration.local_stack.deployed_relay import DeployedRelay, message_of
from tests.integration.local_stack.eventually import eventually
from tests.integration.local_stack.own_flow import register_with, secret_of
from tests.support.aws_clients import AwsClients

pytestmark = pytest.mark.stack

NO_DATA_AVAILABLE = "910000000213"  # one of the simulator's test numbers
TRACE = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0;Lineage=1:fec4b5f2:9"


@pytest.fixture
def replay(stack: Stack, clients: AwsClients, relay: DeployedRelay) -> Iterator[DeployedOperations]:
    """The replay, with a failure queue that is empty before and after the test."""
    relay.failures()
    yield DeployedOperations(stack, clients)
    relay.failures()


def test_dry_run_counts_entries_and_changes_nothing(relay: DeployedRelay, replay: DeployedOperations) -> None:
    relay.send(message_of(ALERTS, "replay-refused", number=NO_DATA_AVAILABLE))
    relay.send("call Zoe, please")
    assert eventually(lambda: replay.entries() == 2)

    for _ in range(2):
        answer = replay.run()
        assert (answer.dry_run, answer.complete) == (True, True)
        assert answer.by_reason == {
            "NO_DATA_AVAILABLE": Counts(seen=1, chosen=1, left=1),
            "INVALID_MESSAGE": Counts(seen=1, left=1),
        }
    assert replay.entries() == 2


def test_rejected_call_is_sent_again_in_a_fresh_request(
    relay: DeployedRelay, replay: DeployedOperations, simulator: SimulatorClient, stack: Stack, clients: AwsClients
) -> None:
    relay.send(message_of(ALERTS, "replay-again", number=NO_DATA_AVAILABLE))
    assert eventually(lambda: replay.entries() == 1)
    simulator.plan(CodeAnswer(code=213), flow_id=ALERTS)
    relay.send(message_of(ALERTS, "replay-mended"))
    assert eventually(lambda: replay.entries() == 2)
    refused = {name: relay.record(f"{ALERTS}/{name}")["request_id"] for name in ("replay-again", "replay-mended")}
    for name in refused:
        let_failure_be_long_ago(relay, stack, clients, f"{ALERTS}/{name}")

    answer = replay.run(codes=[213], flow_ids=[ALERTS], dry_run=False)

    assert (answer.total.chosen, answer.total.moved) == (2, 2)
    assert relay.wait_for(f"{ALERTS}/replay-mended", "ACCEPTED")["request_id"] != refused["replay-mended"]
    assert eventually(lambda: replay.entries() == 1)
    again = relay.record(f"{ALERTS}/replay-again")
    assert (again["status"], again["code"]) == ("REJECTED", 213)
    assert again["request_id"] != refused["replay-again"]
    assert [json.loads(failure.body) for failure in relay.failures()[-1:]] == [
        json.loads(message_of(ALERTS, "replay-again", number=NO_DATA_AVAILABLE))
    ]


def test_call_delivered_after_its_failure_is_not_sent_again(
    relay: DeployedRelay, replay: DeployedOperations, simulator: SimulatorClient, stack: Stack, clients: AwsClients
) -> None:
    relay.send(message_of("REPLAY01", "meanwhile"))
    assert eventually(lambda: replay.entries() == 1)
    register_with(simulator, "REPLAY01")
    relay.put_secret("REPLAY01", secret_of("REPLAY01"))
    let_failure_be_long_ago(relay, stack, clients, "REPLAY01/meanwhile")
    relay.send(message_of("REPLAY01", "meanwhile"))
    relay.wait_for("REPLAY01/meanwhile", "ACCEPTED")
    received = simulator.audit().requests_received

    answer = replay.run(reasons=["UNKNOWN_FLOW"], dry_run=False)

    assert answer.by_reason == {"UNKNOWN_FLOW": Counts(seen=1, delivered=1, left=1)}
    assert replay.entries() == 1
    assert simulator.audit().requests_received == received


def test_unresolved_call_is_withheld_until_asked_for_by_name(
    relay: DeployedRelay, replay: DeployedOperations, stack: Stack, clients: AwsClients
) -> None:
    relay.send(message_of(ALERTS, "replay-doubtful", number=NO_DATA_AVAILABLE))
    assert eventually(lambda: replay.entries() == 1)
    let_failure_be_long_ago(relay, stack, clients, f"{ALERTS}/replay-doubtful")
    set_in_record(stack, clients, f"{ALERTS}/replay-doubtful", "status", "UNRESOLVED")

    assert replay.run(dry_run=False).total == Counts(seen=1, withheld=1, left=1)
    both = ["UNRESOLVED", "NO_DATA_AVAILABLE"]
    assert replay.run(reasons=both, dry_run=False).total.moved == 1
    assert eventually(lambda: replay.entries() == 1)  # refused again


def test_redriven_message_moves_without_the_producers_attributes(
    relay: DeployedRelay, replay: DeployedOperations, stack: Stack, clients: AwsClients
) -> None:
    with relay.polling_stopped():
        clients.sqs.send_message(
            QueueUrl=stack.outputs["IngressQueueUrl"],
            MessageBody=message_of(ALERTS, "replay-redriven"),
            MessageAttributes={"reason": {"DataType": "String", "StringValue": "PRODUCERS_OWN"}},
            MessageSystemAttributes={"AWSTraceHeader": {"DataType": "String", "StringValue": TRACE}},
        )
        redrive(stack, clients)
        assert eventually(lambda: replay.entries() == 1)

        answer = replay.run(reasons=["REDRIVEN"], dry_run=False)

        assert answer.by_reason == {"REDRIVEN": Counts(seen=1, chosen=1, moved=1)}
        [message] = clients.sqs.receive_message(
            QueueUrl=stack.outputs["IngressQueueUrl"],
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=["All"],
            VisibilityTimeout=0,
        )["Messages"]
        assert message["Body"] == message_of(ALERTS, "replay-redriven")
        assert "MessageAttributes" not in message
        assert TRACE not in json.dumps(message["Attributes"])
    relay.wait_for(f"{ALERTS}/replay-redriven", "ACCEPTED")


def let_failure_be_long_ago(relay: DeployedRelay, stack: Stack, clients: AwsClients, call_id: str) -> None:
    """Date a rejected call's record back, so that the relay takes the next message for a retry without a wait."""
    relay.wait_for(call_id, "REJECTED")
    set_in_record(stack, clients, call_id, "updated_at", "2026-01-01T00:00:00.000+00:00")


def set_in_record(stack: Stack, clients: AwsClients, call_id: str, attribute: str, value: str) -> None:
    clients.dynamodb.update_item(
        TableName=stack.outputs["OutcomesTableName"],
        Key={"call_id": {"S": call_id}},
        UpdateExpression="SET #attribute = :value",
        ExpressionAttributeNames={"#attribute": attribute},
        ExpressionAttributeValues={":value": {"S": value}},
    )


def redrive(stack: Stack, clients: AwsClients) -> None:
    """Let SQS move the messages of the ingress queue to the failure queue."""
    url = stack.outputs["IngressQueueUrl"]
    policy = clients.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"])["Attributes"]
    often = json.loads(policy["RedrivePolicy"])
    clients.sqs.set_queue_attributes(
        QueueUrl=url, Attributes={"RedrivePolicy": json.dumps(often | {"maxReceiveCount": 1})}
    )
    try:
        for _ in range(2):
            clients.sqs.receive_message(QueueUrl=url, VisibilityTimeout=0)
    finally:
        clients.sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": json.dumps(often)})


def test_event_with_an_unknown_field_is_refused(replay: DeployedOperations) -> None:
    answer, _ = replay.invoke({"action": "replay", "reason": ["EXPIRED"], "dry_run": False})
    assert "`reason`" in answer["error"]
    assert "action, reasons, codes, flow_ids" in answer["error"]


def test_counts_are_logged_in_a_log_group_of_its_own(replay: DeployedOperations, clients: AwsClients) -> None:
    replay.run()
    group = f"/sealed-relay/{STACK_NAME}/operations"
    assert eventually(lambda: "replay ended" in str(clients.logs.filter_log_events(logGroupName=group)["events"]))


# The role may delete pauses only, by a condition on the key. MiniStack does not know such conditions, so no case here
# deletes a record: `tests/infrastructure/test_operations.py` reads the condition in the template.
@pytest.mark.parametrize(
    ("service", "beyond_its_work"),
    [
        ("sqs", lambda c, s: c.send_message(QueueUrl=s.outputs["FailureQueueUrl"], MessageBody="x")),
        ("sqs", lambda c, s: c.receive_message(QueueUrl=s.outputs["IngressQueueUrl"])),
        ("dynamodb", lambda c, s: c.update_item(TableName=s.outputs["OutcomesTableName"], Key={"call_id": {"S": "x"}})),
        ("sqs", lambda c, s: c.purge_queue(QueueUrl=s.outputs["FailureQueueUrl"])),
        ("dynamodb", lambda c, s: c.scan(TableName=s.outputs["OutcomesTableName"])),
        ("secretsmanager", lambda c, s: c.get_secret_value(SecretId=s.outputs["FlowSecretPrefix"] + ALERTS)),
    ],
)
def test_role_allows_nothing_beyond_its_work(
    stack: Stack,
    session: boto3.Session,
    clients: AwsClients,
    service: str,
    beyond_its_work: Callable[[Any, Stack], object],
) -> None:
    name = stack.outputs["OperationsFunctionName"]
    role = clients.functions.get_function_configuration(FunctionName=name)["Role"]
    with closing(session.client("sts", endpoint_url=stack.endpoint_url)) as sts:
        keys = sts.assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    as_the_function = boto3.Session(
        keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], region_name=stack.region
    )
    client = as_the_function.client(service, endpoint_url=stack.endpoint_url)  # type: ignore[call-overload]
    with closing(client), pytest.raises(ClientError) as refusal:
        beyond_its_work(client, stack)
    assert refusal.value.response["Error"]["Code"].startswith("AccessDenied")
