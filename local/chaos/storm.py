"""Carrying the weather out, and keeping count."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Event as Flag
from typing import Protocol

from local.chaos.weather import Event, Kill, Pause, Squall
from local.simulator.faults import Fault, PlannedFault


class Victims(Protocol):
    """The processes that a storm strikes."""

    def kill_function(self, draw: float) -> bool:
        """Kill one of the function's processes, chosen by `draw` from 0 to 1; False if none runs."""

    def pause(self, seconds: float) -> None:
        """Stop the local AWS for so long."""

    def failed_invocations(self) -> int:
        """How many invocations of the function failed so far."""


class Gateway(Protocol):
    """The simulator, as `local.simulator.client.SimulatorClient` drives it."""

    def plan(self, fault: Fault, *, requests: int | None, latency_milliseconds: int) -> None:
        """Plan a fault for the next requests."""

    def planned_faults(self) -> list[PlannedFault]:
        """Return the faults still to come, each with its requests left."""

    def clear_faults(self) -> None:
        """Forget every planned fault."""


@dataclass(slots=True)
class Toll:
    """What a storm did. `requests_by_fault` counts requests that met a fault, by the squall's name."""

    kills: int = 0
    failed_invocations: int = 0
    pauses: int = 0
    paused_seconds: float = 0.0
    requests_by_fault: Counter[str] = field(default_factory=Counter)


class Storm:
    """Strikes one stack. `clock` tells seconds."""

    def __init__(self, victims: Victims, gateway: Gateway, clock: Callable[[], float] = time.monotonic) -> None:
        self._victims = victims
        self._gateway = gateway
        self._clock = clock
        self._is_calm = Flag()
        self._last_squall: Squall | None = None
        self.toll = Toll()

    def calm(self) -> None:
        """Let nothing more happen."""
        self._is_calm.set()

    def blow(self, events: Sequence[Event]) -> None:
        """Let all this happen, each at its time; when it returns, nothing of it lasts."""
        started_at, failed_before = self._clock(), self._victims.failed_invocations()
        try:
            for event in events:
                if self._is_calm.wait(max(0.0, started_at + event.at_seconds - self._clock())):
                    break
                self._strike(event)
        finally:
            self._take_back()
            self.toll.failed_invocations = self._victims.failed_invocations() - failed_before

    def _strike(self, event: Event) -> None:
        match event:
            case Kill(draw=draw):
                self.toll.kills += self._victims.kill_function(draw)
            case Pause(seconds=seconds):
                self._victims.pause(seconds)
                self.toll.pauses += 1
                self.toll.paused_seconds += seconds
            # One at a time: squalls that pile up would leave no request without a fault, and that is an outage.
            case Squall() if not self._gateway.planned_faults():
                self._gateway.plan(
                    event.fault, requests=event.requests, latency_milliseconds=event.latency_milliseconds
                )
                self.toll.requests_by_fault[event.name] += event.requests
                self._last_squall = event

    def _take_back(self) -> None:
        for planned in self._gateway.planned_faults():
            if self._last_squall:
                self.toll.requests_by_fault[self._last_squall.name] -= planned.requests or 0
        self._gateway.clear_faults()
