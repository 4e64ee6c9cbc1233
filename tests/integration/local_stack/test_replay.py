"""The deployed replay: what failed goes out again, and what was delivered does not."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from local.simulator.client import SimulatorClient
from local.simulator.faults import CodeAnswer
from local.stack.deploying import STACK_NAME
from local.stack.flows import ALERTS
from local.stack.records import Stack
from sealed_relay_replay.answer import Counts
from tests.integration.local_stack.deployed_relay import DeployedRelay, message_of
from tests.integration.local_stack.deployed_replay import DeployedReplay
from tests.integration.local_stack.own_flow import register_with, secret_of
from tests.integration.local_stack.waiting import eventually
from tests.support.aws_clients import AwsClients

pytestmark = pytest.mark.stack

NO_DATA_AVAILABLE = "910000000213"  # one of the simulator's test numbers
TRACE = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0;Lineage=1:fec4b5f2:9"


@pytest.fixture
def replay(stack: Stack, clients: AwsClients, relay: DeployedRelay) -> Iterator[DeployedReplay]:
    """The replay with an empty failure queue, before the test and after."""
    relay.failures()
    yield DeployedReplay(stack, clients)
    relay.failures()


def test_a_dry_run_tells_what_there_is_and_changes_nothing(relay: DeployedRelay, replay: DeployedReplay) -> None:
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


def test_a_rejected_call_goes_out_as_a_fresh_request_and_fails_again_or_not(
    relay: DeployedRelay, replay: DeployedReplay, simulator: SimulatorClient
) -> None:
    relay.send(message_of(ALERTS, "replay-again", number=NO_DATA_AVAILABLE))
    assert eventually(lambda: replay.entries() == 1)
    simulator.plan(CodeAnswer(code=213), flow_id=ALERTS)
    relay.send(message_of(ALERTS, "replay-mended"))
    assert eventually(lambda: replay.entries() == 2)
    refused = {name: relay.record(f"{ALERTS}/{name}")["request_id"] for name in ("replay-again", "replay-mended")}

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


def test_a_call_delivered_meanwhile_is_not_sent_again(
    relay: DeployedRelay, replay: DeployedReplay, simulator: SimulatorClient
) -> None:
    relay.send(message_of("REPLAY01", "meanwhile"))
    assert eventually(lambda: replay.entries() == 1)
    register_with(simulator, "REPLAY01")
    relay.put_secret("REPLAY01", secret_of("REPLAY01"))
    relay.send(message_of("REPLAY01", "meanwhile"))
    relay.wait_for("REPLAY01/meanwhile", "ACCEPTED")
    received = simulator.audit().requests_received

    answer = replay.run(reasons=["UNKNOWN_FLOW"], dry_run=False)

    assert answer.by_reason == {"UNKNOWN_FLOW": Counts(seen=1, delivered=1, left=1)}
    assert replay.entries() == 1
    assert simulator.audit().requests_received == received


def test_a_call_that_may_have_been_delivered_is_withheld_until_asked_for_by_name(
    relay: DeployedRelay, replay: DeployedReplay, stack: Stack, clients: AwsClients
) -> None:
    relay.send(message_of(ALERTS, "replay-doubtful", number=NO_DATA_AVAILABLE))
    assert eventually(lambda: replay.entries() == 1)
    clients.dynamodb.update_item(
        TableName=stack.outputs["OutcomesTableName"],
        Key={"call_id": {"S": f"{ALERTS}/replay-doubtful"}},
        UpdateExpression="SET #status = :unresolved",
        ExpressionAttributeNames={"#status": "status"},
        ExpressionAttributeValues={":unresolved": {"S": "UNRESOLVED"}},
    )

    assert replay.run(dry_run=False).total == Counts(seen=1, withheld=1, left=1)
    both = ["UNRESOLVED", "NO_DATA_AVAILABLE"]
    assert replay.run(reasons=both, dry_run=False).total.moved == 1
    assert eventually(lambda: replay.entries() == 1)  # refused again


def test_what_sqs_redrove_is_chosen_by_that_name_and_goes_over_without_what_the_producer_put_beside_it(
    relay: DeployedRelay, replay: DeployedReplay, stack: Stack, clients: AwsClients
) -> None:
    with relay.paused():
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


def redrive(stack: Stack, clients: AwsClients) -> None:
    """Have SQS move what is on the ingress queue to the failure queue."""
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


def test_an_event_with_a_field_that_there_is_not_is_refused_with_those_that_there_are(replay: DeployedReplay) -> None:
    answer, _ = replay.invoke({"reason": ["EXPIRED"], "dry_run": False})
    assert "`reason`" in answer["errorMessage"]
    assert "reasons, codes, flow_ids" in answer["errorMessage"]


def test_it_logs_counts_into_a_log_group_of_its_own(replay: DeployedReplay, clients: AwsClients) -> None:
    replay.run()
    group = f"/sealed-relay/{STACK_NAME}/replay"
    assert eventually(lambda: "replay ended" in str(clients.logs.filter_log_events(logGroupName=group)["events"]))


@pytest.mark.parametrize(
    ("service", "beyond_its_work"),
    [
        ("sqs", lambda c, s: c.send_message(QueueUrl=s.outputs["FailureQueueUrl"], MessageBody="x")),
        ("sqs", lambda c, s: c.receive_message(QueueUrl=s.outputs["IngressQueueUrl"])),
        ("sqs", lambda c, s: c.purge_queue(QueueUrl=s.outputs["FailureQueueUrl"])),
        ("dynamodb", lambda c, s: c.scan(TableName=s.outputs["OutcomesTableName"])),
        ("dynamodb", lambda c, s: c.delete_item(TableName=s.outputs["OutcomesTableName"], Key={"call_id": {"S": "x"}})),
        ("secretsmanager", lambda c, s: c.get_secret_value(SecretId=s.outputs["FlowSecretPrefix"] + ALERTS)),
    ],
)
def test_its_role_may_do_nothing_beyond_its_work(
    stack: Stack,
    session: boto3.Session,
    clients: AwsClients,
    service: str,
    beyond_its_work: Callable[[Any, Stack], object],
) -> None:
    name = stack.outputs["ReplayFunctionName"]
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
