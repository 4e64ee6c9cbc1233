"""A flow as the vendor's sample has it: with an RSA key of 4096 bits, for the relay and for the simulated API."""

from dataclasses import replace

from local.simulator.flows import Flow as SimulatedFlow
from local.simulator.open_request import KeyWrap
from sealed_relay.kairos.flow import Flow
from tests.support.flows import make_flow, rsa_key

_KEY_BITS = 4096


def flow_with_large_key(flow_id: str = "FLOWAAAA") -> Flow:
    """The relay's end."""
    return replace(make_flow(flow_id), public_key=rsa_key(_KEY_BITS).public_key())


def simulated(flow: Flow) -> SimulatedFlow:
    """The API's end of such a flow."""
    return SimulatedFlow(
        flow.flow_id, flow.security_id, rsa_key(_KEY_BITS), KeyWrap(flow.key_wrap.value), ("1.0",), "outbound"
    )
