"""The simulated API in memory."""

import random

import msgspec

from local.simulator.answer_request import answer_request
from local.simulator.faults import Fault, PlannedFault
from local.simulator.flows import flow_from
from local.simulator.reply import ApiResponse, Reply
from local.simulator.state import SimulatorState
from tests.local.simulator.flow_owner import Clock, FlowOwner


class InMemorySimulator:
    """One flow is registered. The clock moves only when a test moves it."""

    def __init__(self, owner: FlowOwner) -> None:
        self.owner = owner
        self.clock = Clock()
        self.state = SimulatorState(self.clock, random.Random(7))
        self.state.flows[owner.flow_id] = flow_from(owner.registration())

    def change_settings(self, **changes: object) -> None:
        self.state.settings = msgspec.structs.replace(self.state.settings, **changes)

    def reply(self, body: bytes, *, source_ip: str = "127.0.0.1", endpoint: str = "outbound") -> Reply:
        return answer_request(self.state, endpoint=endpoint, source_ip=source_ip, body=body)

    def post(self, body: bytes, *, source_ip: str = "127.0.0.1", endpoint: str = "outbound") -> ApiResponse:
        return msgspec.json.decode(self.reply(body, source_ip=source_ip, endpoint=endpoint).body, type=ApiResponse)

    def send(self, *calls: object, **changes: object) -> ApiResponse:
        return self.post(self.owner.request(*calls, **changes))

    def plan(self, fault: Fault, *, requests: int | None = 1, flow_id: str | None = None) -> None:
        self.state.faults.plan(PlannedFault(fault=fault, requests=requests, flow_id=flow_id))
