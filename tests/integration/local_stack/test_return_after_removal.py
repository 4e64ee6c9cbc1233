"""docs/operate.md, "Come back after a removal", rehearsed: deploy again with what the deleted stack left."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from local.simulator.client import SimulatorClient
from local.stack.deploy import STACK_NAME, deploy
from local.stack.lifecycle import bring_up, take_down
from local.stack.paths import StackFolder
from local.stack.repair_ministack import repair_ministack
from tests.integration.local_stack.deployed_relay import DeployedRelay, message_of
from tests.integration.local_stack.eventually import eventually
from tests.integration.local_stack.own_flow import register_with, secret_of
from tests.support.aws_clients import AwsClients

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

pytestmark = pytest.mark.stack

FLOW_ID = "RETURNED"
WAITING_FLOW_ID = "WAITSFOR"
ROLE_PATH = "/returned/"


@dataclass(frozen=True)
class Left:
    """What the deleted stack left: the values of the three parameters `Existing...`."""

    table_name: str
    key_arn: str
    content_hash_key_arn: str


class OwnStack:
    """A local stack of this module's own, because it is deleted and deployed again."""

    def __init__(self, folder: StackFolder) -> None:
        self._folder = folder
        self.stack = bring_up(folder, None, say=lambda _: None)
        self.clients = AwsClients(self.stack.aws().session(), self.stack.endpoint_url)

    def relay(self) -> DeployedRelay:
        return DeployedRelay(self.stack, self.clients)

    def delete(self) -> Left:
        with closing(self._cloudformation()) as cloudformation:
            listed = cloudformation.describe_stack_resources(StackName=STACK_NAME)["StackResources"]
            ids = {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in listed}
            cloudformation.delete_stack(StackName=STACK_NAME)
            assert eventually(lambda: not _is_deployed(cloudformation))
        with closing(self.stack.aws().session().client("kms", endpoint_url=self.stack.endpoint_url)) as kms:
            key_arn = kms.describe_key(KeyId=ids["Key"])["KeyMetadata"]["Arn"]
        # On AWS the physical id is the ARN already.
        content_hash_key_arn = self.clients.secrets.describe_secret(SecretId=ids["ContentHashKey"])["ARN"]
        return Left(ids["OutcomesTable"], key_arn, content_hash_key_arn)

    def deploy_again(self, left: Left) -> None:
        deployed = deploy(
            self._folder,
            self.stack.aws(),
            self.stack.gateway_base_url,
            ExistingTableName=left.table_name,
            ExistingKeyArn=left.key_arn,
            ExistingContentHashKeyArn=left.content_hash_key_arn,
            RolePath=ROLE_PATH,
        )
        repair_ministack(self.stack.aws(), deployed)
        self.stack = msgspec.structs.replace(self.stack, outputs=dict(deployed.outputs))

    def _cloudformation(self) -> "CloudFormationClient":
        return self.stack.aws().session().client("cloudformation", endpoint_url=self.stack.endpoint_url)


def _is_deployed(cloudformation: "CloudFormationClient") -> bool:
    stacks = cloudformation.list_stacks()["StackSummaries"]
    return any(s["StackName"] == STACK_NAME and s["StackStatus"] != "DELETE_COMPLETE" for s in stacks)


@pytest.fixture
def own(tmp_path: Path) -> Iterator[OwnStack]:
    folder = StackFolder(tmp_path)
    try:
        own = OwnStack(folder)
        yield own
        own.clients.close()
    finally:
        take_down(folder)


@pytest.fixture
def own_simulator(own: OwnStack) -> Iterator[SimulatorClient]:
    with SimulatorClient(own.stack.simulator_url or "") as simulator:
        yield simulator


def test_returned_stack_delivers_what_waited_and_refuses_what_was_delivered(
    own: OwnStack, own_simulator: SimulatorClient
) -> None:
    relay = own.relay()
    for flow_id in (FLOW_ID, WAITING_FLOW_ID):
        register_with(own_simulator, flow_id)
    relay.put_secret(FLOW_ID, secret_of(FLOW_ID))
    relay.put_secret(WAITING_FLOW_ID, secret_of(WAITING_FLOW_ID, public_key="not a key"))
    delivered, waiting = message_of(FLOW_ID, "delivered"), message_of(WAITING_FLOW_ID, "waiting")
    relay.send(delivered)
    relay.send(waiting)
    before = relay.wait_for(f"{FLOW_ID}/delivered", "ACCEPTED")
    created_at = relay.wait_for(f"{WAITING_FLOW_ID}/waiting", "WAITING")["created_at"]

    left = own.delete()
    own.deploy_again(left)

    assert own.stack.outputs["OutcomesTableName"] == left.table_name
    relay = own.relay()
    relay.correct_secret(WAITING_FLOW_ID, secret_of(WAITING_FLOW_ID))
    # The queue went with the stack, so its messages are sent again.
    relay.send(waiting)
    relay.send(delivered)
    reused = relay.send(message_of(FLOW_ID, "delivered", number="919900000002"))

    assert relay.wait_for(f"{WAITING_FLOW_ID}/waiting", "ACCEPTED")["created_at"] == created_at
    # Told from the duplicate by the hash of its content, so with the same content hash key.
    assert relay.failure_of(reused).attributes["reason"] == "CLIENT_IDENTIFIER_REUSED"
    assert eventually(relay.ingress_queue_is_empty)
    assert len(relay.failures()) == 1
    assert relay.record(f"{FLOW_ID}/delivered") == before
    accepted = own_simulator.accepted_calls()
    assert {call_id: len(times) for call_id, times in accepted.items()} == {
        f"{FLOW_ID}/delivered": 1,
        f"{WAITING_FLOW_ID}/waiting": 1,
    }
