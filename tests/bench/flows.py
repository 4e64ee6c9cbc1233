"""Registers the bench's ten flows at the simulator, and creates their secrets on the stack."""

import secrets

from cryptography.hazmat.primitives.asymmetric import rsa

from local.simulator.open_request import KeyWrap
from local.stack.deploy import Deployed
from local.stack.flows import ALERTS, LocalFlow, register_flows
from local.stack.stack_files import Stack
from sealed_relay.kairos.flow import Flow
from sealed_relay.kairos.flow import KeyWrap as RelayKeyWrap

FLOW_IDS = tuple(f"BENCH{number:03}" for number in range(10))


def introduce_flows(stack: Stack) -> Flow:
    """Register the flows, and return the first one as the relay sees it.

    One key of 4096 bits does for all: a key takes a second to find, and sealing is the same work with any.
    """
    private_key = rsa.generate_private_key(public_exponent=65537, key_size=4096)
    flows = [LocalFlow(flow_id, KeyWrap.RSA1_5, "outbound", secrets.token_hex(32), private_key) for flow_id in FLOW_IDS]
    aws = stack.aws()
    secrets_manager = aws.session().client("secretsmanager", endpoint_url=aws.endpoint_url)
    key = secrets_manager.describe_secret(SecretId=stack.outputs["FlowSecretPrefix"] + ALERTS)["KmsKeyId"]
    secrets_manager.close()
    assert stack.simulator_url
    register_flows(flows, aws, Deployed(stack.outputs, {"Key": key}), stack.simulator_url)
    return Flow(
        FLOW_IDS[0], flows[0].security_id, private_key.public_key(), RelayKeyWrap.RSA1_5, "1.0", flows[0].endpoint
    )
