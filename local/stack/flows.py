"""Two flows for the local stack, new with every `up`. Their private keys are only in the simulator's memory."""

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from local.simulator.client import SimulatorClient
from local.simulator.flows import Endpoint, FlowRegistration
from local.simulator.open_request import KeyWrap
from local.stack.deploy import STACK_NAME, Deployed
from local.stack.local_aws import LocalAws

ALERTS, NOTICES = "ALERTS01", "NOTICE02"
FLOW_IDS = (ALERTS, NOTICES)


@dataclass(frozen=True, slots=True)
class LocalFlow:
    """Everything about a flow: what the simulator and the relay's secret need."""

    flow_id: str
    key_wrap: KeyWrap
    endpoint: Endpoint
    security_id: str = field(repr=False)
    private_key: rsa.RSAPrivateKey = field(repr=False)


def make_flows() -> tuple[LocalFlow, ...]:
    """Make two flows: one with the default settings, and one with other settings. RSA keys of 4096 bits take time."""
    return (_flow(ALERTS, KeyWrap.RSA1_5, "outbound"), _flow(NOTICES, KeyWrap.RSA_OAEP_256, "outbounddialer"))


def register_flows(flows: Sequence[LocalFlow], aws: LocalAws, deployed: Deployed, simulator_url: str) -> None:
    """Register each flow at the simulator, and create its secret for the relay."""
    secrets_manager = aws.session().client("secretsmanager", endpoint_url=aws.endpoint_url)
    with SimulatorClient(simulator_url) as simulator:
        for flow in flows:
            simulator.register_flow(_registration(flow))
            secrets_manager.create_secret(
                Name=deployed.outputs["FlowSecretPrefix"] + flow.flow_id,
                KmsKeyId=f"alias/{STACK_NAME}",
                SecretString=_secret(flow),
            )
    secrets_manager.close()


def _flow(flow_id: str, key_wrap: KeyWrap, endpoint: Endpoint) -> LocalFlow:
    private_key = rsa.generate_private_key(public_exponent=65537, key_size=4096)
    return LocalFlow(flow_id, key_wrap, endpoint, security_id=secrets.token_hex(32), private_key=private_key)


def _registration(flow: LocalFlow) -> FlowRegistration:
    return FlowRegistration(
        flow_id=flow.flow_id,
        security_id=flow.security_id,
        private_key=flow.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
        key_wrap=flow.key_wrap,
        endpoint=flow.endpoint,
    )


def _secret(flow: LocalFlow) -> str:
    public_key = flow.private_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    document = {
        "security-id": flow.security_id,
        "public-key": public_key.decode(),
        "key-wrap": flow.key_wrap.value,
        "endpoint": flow.endpoint,
    }
    return json.dumps(document)
