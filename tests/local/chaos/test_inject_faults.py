from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from local.chaos.fault_schedule import GatewayFault, KillProcess, SuspendAws
from local.chaos.inject_faults import FaultInjector
from local.simulator.faults import DroppedConnection, Fault, PlannedFault


@dataclass
class RecordedProcesses:
    """`alive` is how many processes of the function are left to kill. `meanwhile` runs during each suspension."""

    alive: int = 100
    paused: list[float] = field(default_factory=list)
    meanwhile: Callable[[], None] = lambda: None

    def kill_function(self, draw: float) -> bool:
        assert 0 <= draw <= 1
        self.alive -= 1
        return self.alive >= 0

    def suspend_aws(self, seconds: float) -> None:
        self.paused.append(seconds)
        self.meanwhile()

    def failed_invocations(self) -> int:
        return 7 + len(self.paused)


@dataclass
class PlannedFaults:
    """Keeps faults planned until requests use them up."""

    planned: list[PlannedFault] = field(default_factory=list)

    def plan(self, fault: Fault, *, requests: int | None, latency_milliseconds: int) -> None:
        self.planned.append(PlannedFault(fault=fault, requests=requests, latency_milliseconds=latency_milliseconds))

    def planned_faults(self) -> list[PlannedFault]:
        return self.planned

    def clear_faults(self) -> None:
        self.planned = []


def gateway_fault(name: str, requests: int) -> GatewayFault:
    return GatewayFault(0, name, DroppedConnection(), requests, 0)


@dataclass
class Scene:
    processes: RecordedProcesses = field(default_factory=RecordedProcesses)
    gateway: PlannedFaults = field(default_factory=PlannedFaults)

    def injector(self) -> FaultInjector:
        return FaultInjector(self.processes, self.gateway)


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_injector_counts_kills_suspensions_and_failed_invocations(scene: Scene) -> None:
    injector = scene.injector()
    injector.inject([KillProcess(0, 0.1), SuspendAws(0, 2.5), KillProcess(0, 0.9), SuspendAws(0, 1.5)])
    assert (injector.counts.kills, injector.counts.suspensions, injector.counts.suspended_seconds) == (2, 2, 4.0)
    assert injector.counts.failed_invocations == 2
    assert scene.processes.paused == [2.5, 1.5]


def test_kill_without_a_process_is_not_counted(scene: Scene) -> None:
    scene.processes.alive = 1
    injector = scene.injector()
    injector.inject([KillProcess(0, 0.1), KillProcess(0, 0.1)])
    assert injector.counts.kills == 1


def test_gateway_fault_is_skipped_while_another_is_active(scene: Scene) -> None:
    planned_at_the_time: list[int] = []
    scene.processes.meanwhile = lambda: planned_at_the_time.append(len(scene.gateway.planned))
    scene.injector().inject([gateway_fault("first", 3), gateway_fault("second", 2), SuspendAws(0, 1)])
    assert planned_at_the_time == [1]


def test_injector_clears_unused_gateway_faults_and_does_not_count_them(scene: Scene) -> None:
    def two_requests_come() -> None:
        scene.gateway.planned = [PlannedFault(fault=DroppedConnection(), requests=1)]

    scene.processes.meanwhile = two_requests_come
    injector = scene.injector()
    injector.inject([gateway_fault("answer lost", 3), SuspendAws(0, 1)])
    assert injector.counts.requests_by_fault == {"answer lost": 2}
    assert scene.gateway.planned == []


def test_stopped_injector_injects_nothing(scene: Scene) -> None:
    injector = scene.injector()
    injector.stop()
    injector.inject([KillProcess(0, 0.1), SuspendAws(3600, 1)])
    assert injector.counts.kills == 0
    assert scene.processes.paused == []
