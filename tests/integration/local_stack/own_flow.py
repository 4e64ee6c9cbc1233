"""A flow that a test makes itself: its registration at the simulator, and its secret."""

import json

from local.simulator.client import SimulatorClient
from local.simulator.flows import FlowRegistration
from tests.support.flows import private_pem, public_pem, rsa_key, security_id_of


def register_with(simulator: SimulatorClient, flow_id: str, *, security_id: str = "") -> None:
    """Register the flow at the simulator."""
    security_id = security_id or security_id_of(flow_id)
    registration = FlowRegistration(flow_id=flow_id, security_id=security_id, private_key=private_pem(rsa_key()))
    simulator.register_flow(registration)


def secret_of(flow_id: str, **fields: str) -> str:
    """Return the flow's secret as in the contract, with other values for `fields` (underscores for dashes)."""
    secret = {"security-id": security_id_of(flow_id), "public-key": public_pem(rsa_key())}
    return json.dumps(secret | {name.replace("_", "-"): value for name, value in fields.items()})
