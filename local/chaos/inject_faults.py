"""Injects the scheduled faults, each at its time, and counts them."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Event as Flag
from typing import Protocol

from local.chaos.fault_schedule import GatewayFault, KillProcess, ScheduledFault, SuspendAws
from local.simulator.faults import Fault, PlannedFault


class Processes(Protocol):
    """The processes that are killed or suspended."""

    def kill_function(self, draw: float) -> bool:
        """Kill one of the function's processes, chosen by `draw` from 0 to 1; False if none runs."""

    def suspend_aws(self, seconds: float) -> None:
        """Suspend the local AWS for so many seconds."""

    def failed_invocations(self) -> int:
        """Return how many invocations of the function have failed so far."""


class Gateway(Protocol):
    """The simulator, as `local.simulator.client.SimulatorClient` controls it."""

    def plan(self, fault: Fault, *, requests: int | None, latency_milliseconds: int) -> None:
        """Plan a fault for the next requests."""

    def planned_faults(self) -> list[PlannedFault]:
        """Return the planned faults, each with the number of its requests that are left."""

    def clear_faults(self) -> None:
        """Remove every planned fault."""


@dataclass(slots=True)
class FaultCounts:
    """What was injected. `requests_by_fault` counts the requests that met a gateway fault, by its name."""

    kills: int = 0
    failed_invocations: int = 0
    suspensions: int = 0
    suspended_seconds: float = 0.0
    requests_by_fault: Counter[str] = field(default_factory=Counter)


class FaultInjector:
    """Injects faults into one stack. `clock` returns seconds."""

    def __init__(self, processes: Processes, gateway: Gateway, clock: Callable[[], float] = time.monotonic) -> None:
        self._processes = processes
        self._gateway = gateway
        self._clock = clock
        self._is_stopped = Flag()
        self._last_gateway_fault: GatewayFault | None = None
        self.counts = FaultCounts()

    def stop(self) -> None:
        """Inject no further fault."""
        self._is_stopped.set()

    def inject(self, faults: Sequence[ScheduledFault]) -> None:
        """Inject each fault at its time. When this returns, no fault is active any more."""
        started_at, failed_before = self._clock(), self._processes.failed_invocations()
        try:
            for fault in faults:
                if self._is_stopped.wait(max(0.0, started_at + fault.at_seconds - self._clock())):
                    break
                self._inject_one(fault)
        finally:
            self._clear_gateway_faults()
            self.counts.failed_invocations = self._processes.failed_invocations() - failed_before

    def _inject_one(self, fault: ScheduledFault) -> None:
        match fault:
            case KillProcess(draw=draw):
                self.counts.kills += self._processes.kill_function(draw)
            case SuspendAws(seconds=seconds):
                self._processes.suspend_aws(seconds)
                self.counts.suspensions += 1
                self.counts.suspended_seconds += seconds
            # One at a time: with several gateway faults at once every request would meet a fault, as in an outage.
            case GatewayFault() if not self._gateway.planned_faults():
                self._gateway.plan(
                    fault.fault, requests=fault.requests, latency_milliseconds=fault.latency_milliseconds
                )
                self.counts.requests_by_fault[fault.name] += fault.requests
                self._last_gateway_fault = fault

    def _clear_gateway_faults(self) -> None:
        for planned in self._gateway.planned_faults():
            if self._last_gateway_fault:
                self.counts.requests_by_fault[self._last_gateway_fault.name] -= planned.requests or 0
        self._gateway.clear_faults()
