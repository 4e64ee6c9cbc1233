"""Several admissions over one table."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sealed_relay.admission.control import Admission, Deferral
from sealed_relay.admission.health_signal import HealthSignal
from sealed_relay.calls.message import Lane
from tests.support.clock import Clock
from tests.support.table import InMemoryTable

if TYPE_CHECKING:
    from sealed_relay.observability.events import Observation


@dataclass(frozen=True, slots=True)
class Permit:
    """What a request got that may leave: until when, in seconds since 1970, and the pauses that it probes."""

    until: float
    probes: Mapping[str, int]


class Gates:
    """One table, one clock, and an admission for each invocation: `gate()` makes one."""

    def __init__(self, requests_per_minute: int = 500, urgent_reserve: int = 0) -> None:
        self.table = InMemoryTable()
        self.clock = Clock()
        self.observed: list[Observation] = []
        self._rate = requests_per_minute, urgent_reserve

    def gate(self) -> Admission:
        return Admission(self.table, self.clock, self.clock.pause, self.observed.append, *self._rate)

    def ask(
        self, gate: Admission, flow_id: str = "FLOWAAAA", lane: Lane = Lane.INGRESS, *, is_resend: bool = False
    ) -> Permit | Deferral:
        """Ask as a request does whose connection stands at once."""
        probes = gate.pass_pauses(flow_id, lane, is_resend=is_resend)
        if isinstance(probes, Deferral):
            return probes
        until = gate.take_permit(flow_id, lane, probes)
        if isinstance(until, Deferral):
            gate.give_back(probes)
            return until
        return Permit(until, probes)

    def permit(self, gate: Admission, flow_id: str = "FLOWAAAA") -> Permit:
        permit = self.ask(gate, flow_id)
        assert isinstance(permit, Permit)
        return permit

    def deferral(self, gate: Admission, flow_id: str = "FLOWAAAA") -> Deferral:
        deferral = self.ask(gate, flow_id)
        assert isinstance(deferral, Deferral)
        return deferral

    def report(self, signal: HealthSignal, times: int = 1) -> None:
        """Let requests of FLOWAAAA leave, each of a new invocation, and report this signal of each."""
        for _ in range(times):
            gate = self.gate()
            gate.report("FLOWAAAA", self.permit(gate).probes, signal, "v1")
