"""Several admissions over one table."""

from typing import TYPE_CHECKING

from sealed_relay.admission.control import Admission, Deferral, Permit
from sealed_relay.admission.health_signal import HealthSignal
from tests.support.clock import Clock
from tests.support.table import InMemoryTable

if TYPE_CHECKING:
    from sealed_relay.observability.events import Observation


class Gates:
    """One table, one clock, and an admission for each invocation: `gate()` makes one."""

    def __init__(self, requests_per_minute: int = 500, urgent_reserve: int = 0) -> None:
        self.table = InMemoryTable()
        self.clock = Clock()
        self.observed: list[Observation] = []
        self._rate = requests_per_minute, urgent_reserve

    def gate(self) -> Admission:
        return Admission(self.table, self.clock, self.clock.pause, self.observed.append, *self._rate)

    def permit(self, gate: Admission, flow_id: str = "FLOWAAAA") -> Permit:
        permit = gate.admit(flow_id)
        assert isinstance(permit, Permit)
        return permit

    def deferral(self, gate: Admission, flow_id: str = "FLOWAAAA") -> Deferral:
        deferral = gate.admit(flow_id)
        assert isinstance(deferral, Deferral)
        return deferral

    def report(self, signal: HealthSignal, times: int = 1) -> None:
        """Let requests of FLOWAAAA leave, each of a new invocation, and report this signal of each."""
        for _ in range(times):
            gate = self.gate()
            gate.report("FLOWAAAA", self.permit(gate), signal, "v1")
