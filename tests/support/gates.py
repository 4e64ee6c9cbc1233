"""Several gates over one table."""

from dataclasses import replace
from typing import TYPE_CHECKING

from sealed_relay.admission.control import Admission, Admitted, Held
from sealed_relay.admission.health_signal import Refused
from sealed_relay.batch.plan import Request
from tests.functional.scene import Clock
from tests.support.making import make_call
from tests.support.table import InMemoryTable

if TYPE_CHECKING:
    from sealed_relay.observability.events import Observation


class Gates:
    """One table, one clock, and as many gates as there are invocations."""

    def __init__(self, requests_per_minute: int = 500) -> None:
        self.table = InMemoryTable()
        self.clock = Clock()
        self.observed: list[Observation] = []
        self._requests_per_minute = requests_per_minute

    def gate(self) -> Admission:
        return Admission(self.table, self.clock, self.clock.pause, self.observed.append, self._requests_per_minute)

    def passed(self, gate: Admission, flow_id: str = "FLOWAAAA") -> Admitted:
        admitted = gate.admit(flow_id)
        assert isinstance(admitted, Admitted)
        return admitted

    def paused(self, sign: Refused) -> None:
        gate = self.gate()
        gate.report("FLOWAAAA", self.passed(gate), sign, "v1")

    def held(self, gate: Admission, flow_id: str = "FLOWAAAA") -> Held:
        held = gate.admit(flow_id)
        assert isinstance(held, Held)
        return held


def requests(*flow_ids: str, receive_count: int = 1) -> list[Request]:
    """A request with one call for each flow id."""
    return [
        Request(f"request-{index}", flow_id, (replace(make_call(flow_id=flow_id), receive_count=receive_count),))
        for index, flow_id in enumerate(flow_ids)
    ]
