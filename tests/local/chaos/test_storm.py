from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from local.chaos.storm import Storm
from local.chaos.weather import Kill, Pause, Squall
from local.simulator.faults import DroppedConnection, Fault, PlannedFault


@dataclass
class RecordedVictims:
    """`alive` is how many of the function's processes are left to kill; `meanwhile` happens in each pause."""

    alive: int = 100
    paused: list[float] = field(default_factory=list)
    meanwhile: Callable[[], None] = lambda: None

    def kill_function(self, draw: float) -> bool:
        assert 0 <= draw <= 1
        self.alive -= 1
        return self.alive >= 0

    def pause(self, seconds: float) -> None:
        self.paused.append(seconds)
        self.meanwhile()

    def failed_invocations(self) -> int:
        return 7 + len(self.paused)


@dataclass
class PlannedFaults:
    """Faults stay planned until `requests` come and use them up."""

    planned: list[PlannedFault] = field(default_factory=list)

    def plan(self, fault: Fault, *, requests: int | None, latency_milliseconds: int) -> None:
        self.planned.append(PlannedFault(fault=fault, requests=requests, latency_milliseconds=latency_milliseconds))

    def planned_faults(self) -> list[PlannedFault]:
        return self.planned

    def clear_faults(self) -> None:
        self.planned = []


def squall(name: str, requests: int) -> Squall:
    return Squall(0, name, DroppedConnection(), requests, 0)


@dataclass
class Scene:
    victims: RecordedVictims = field(default_factory=RecordedVictims)
    gateway: PlannedFaults = field(default_factory=PlannedFaults)

    def storm(self) -> Storm:
        return Storm(self.victims, self.gateway)


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_a_storm_counts_what_it_strikes(scene: Scene) -> None:
    storm = scene.storm()
    storm.blow([Kill(0, 0.1), Pause(0, 2.5), Kill(0, 0.9), Pause(0, 1.5)])
    assert (storm.toll.kills, storm.toll.pauses, storm.toll.paused_seconds) == (2, 2, 4.0)
    assert storm.toll.failed_invocations == 2
    assert scene.victims.paused == [2.5, 1.5]


def test_a_kill_that_finds_no_process_counts_for_nothing(scene: Scene) -> None:
    scene.victims.alive = 1
    storm = scene.storm()
    storm.blow([Kill(0, 0.1), Kill(0, 0.1)])
    assert storm.toll.kills == 1


def test_squalls_do_not_pile_up(scene: Scene) -> None:
    planned_at_the_time: list[int] = []
    scene.victims.meanwhile = lambda: planned_at_the_time.append(len(scene.gateway.planned))
    scene.storm().blow([squall("first", 3), squall("second", 2), Pause(0, 1)])
    assert planned_at_the_time == [1]


def test_after_a_storm_no_fault_is_left_and_only_requests_that_met_one_count(scene: Scene) -> None:
    def two_requests_come() -> None:
        scene.gateway.planned = [PlannedFault(fault=DroppedConnection(), requests=1)]

    scene.victims.meanwhile = two_requests_come
    storm = scene.storm()
    storm.blow([squall("answer lost", 3), Pause(0, 1)])
    assert storm.toll.requests_by_fault == {"answer lost": 2}
    assert scene.gateway.planned == []


def test_nothing_happens_any_more_once_it_is_calm(scene: Scene) -> None:
    storm = scene.storm()
    storm.calm()
    storm.blow([Kill(0, 0.1), Pause(3600, 1)])
    assert storm.toll.kills == 0
    assert scene.victims.paused == []
