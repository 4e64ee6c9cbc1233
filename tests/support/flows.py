"""The flows' secrets in memory, and the two ends of a flow: the relay's public key and the API's private one."""

import functools
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from local.simulator.flows import Flow as SimulatedFlow
from local.simulator.flows import FlowRegistration, flow_from
from local.simulator.open_request import KeyWrap as SimulatedKeyWrap
from local.simulator.state import SimulatorState
from sealed_relay.kairos.flow import Flow, KeyWrap, UnknownFlowError


def rsa_key(bits: int = 2048, name: str = "") -> rsa.RSAPrivateKey:
    """The key of that size and name, made once for the whole run."""
    return _rsa_key(bits, name)


@functools.cache
def _rsa_key(bits: int, name: str) -> rsa.RSAPrivateKey:  # noqa: ARG001 - the name tells keys of one size apart
    return rsa.generate_private_key(65537, bits)


def public_pem(key: rsa.RSAPrivateKey) -> str:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def private_pem(key: rsa.RSAPrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def security_id_of(flow_id: str) -> str:
    return (flow_id * 8)[:64]


def make_flow(flow_id: str, key_wrap: KeyWrap = KeyWrap.RSA1_5, *, security_id: str = "", key_name: str = "") -> Flow:
    security_id = security_id or security_id_of(flow_id)
    return Flow(
        flow_id=flow_id,
        security_id=security_id,
        public_key=rsa_key(name=key_name).public_key(),
        key_wrap=key_wrap,
        api_version="1.0",
        endpoint="outbound",
        version=f"{security_id[:8]}-{key_name}",
    )


def register(simulator: SimulatorState, flow: Flow, key_name: str = "") -> None:
    """Let the simulated API know a flow that `make_flow` made, with the private key of that name."""
    simulator.flows[flow.flow_id] = _simulated(
        flow.flow_id, flow.security_id, flow.key_wrap, flow.api_version, key_name
    )


@functools.cache
def _simulated(flow_id: str, security_id: str, key_wrap: KeyWrap, api_version: str, key_name: str) -> SimulatedFlow:
    registration = FlowRegistration(
        flow_id=flow_id,
        security_id=security_id,
        private_key=private_pem(rsa_key(name=key_name)),
        key_wrap=SimulatedKeyWrap(key_wrap.value),
        api_versions=(api_version,),
        endpoint="outbound",
    )
    return flow_from(registration)


@dataclass
class InMemoryFlows:
    """Keeps the promises of `ports.Flows`. An error in place of a flow is raised."""

    flows: dict[str, Flow | Exception] = field(default_factory=dict)
    refreshed: dict[str, Flow] = field(default_factory=dict)

    def get(self, flow_id: str, *, fresh: bool = False) -> Flow:
        if fresh and flow_id in self.refreshed:
            self.flows[flow_id] = self.refreshed[flow_id]
        flow = self.flows.get(flow_id, UnknownFlowError(flow_id))
        if isinstance(flow, Exception):
            raise flow
        return flow
