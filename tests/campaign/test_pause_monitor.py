"""What watches the pauses finds what leaves against the rules, and lets probes pass."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import pytest

from sealed_relay.kairos.answer import Answered
from tests.campaign.evidence import Invariant
from tests.campaign.pause_monitor import PauseMonitor

if TYPE_CHECKING:
    from tests.campaign.execution_environment import ExecutionEnvironment

ACCOUNT = "#pause/account"
NOT_ENOUGH = 212
SUCCESS = 200


@dataclass(frozen=True)
class Began:
    began_at: float


class Scene:
    """An account that is paused at second 0, and an environment whose invocation began after."""

    def __init__(self) -> None:
        self.now = 0.0
        self.breaches: list[str] = []
        self.pauses = PauseMonitor(lambda: self.now, self._breach, lag_seconds=0.0)
        self.environment = self.environment_since(1.0)
        self._write(probes=0)

    def environment_since(self, began_at: float) -> "ExecutionEnvironment":
        return cast("ExecutionEnvironment", Began(began_at))

    def probe(self, at: float, probes: int, *, code: int = NOT_ENOUGH) -> None:
        """Take the right to a probe, send it, and get an answer."""
        self.now = at
        self._write(probes)
        self.leave(self.environment)
        self.pauses.answered("r1", Answered(code))
        self.pauses.ended("r1")

    def leave(self, environment: "ExecutionEnvironment") -> None:
        self.pauses.left(environment, "r1", "FLOWAAAA")

    def _write(self, probes: int) -> None:
        self.pauses.wrote(self.environment, ACCOUNT, {"reason": "X", "since_ms": 0, "probes": probes})

    def _breach(self, invariant: Invariant, detail: str) -> None:
        assert invariant is Invariant.PAUSED
        self.breaches.append(detail)


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_probes_at_growing_intervals_are_allowed(scene: Scene) -> None:
    for number, at in enumerate((15.0, 60.0, 120.0, 240.0, 480.0, 780.0, 1080.0), start=1):
        scene.probe(at, number)
    assert scene.breaches == []


@pytest.mark.parametrize("moments", [(14.0,), (15.0, 59.0), (15.0, 60.0, 119.0)])
def test_probe_sent_too_early_is_found(scene: Scene, moments: tuple[float, ...]) -> None:
    for number, at in enumerate(moments, start=1):
        scene.probe(at, number)
    assert len(scene.breaches) == 1


def test_second_probe_may_follow_an_answer_about_calls_at_once(scene: Scene) -> None:
    scene.probe(15.0, 1, code=SUCCESS)
    scene.probe(16.0, 2)
    assert scene.breaches == []


def test_request_in_a_pause_that_is_no_probe_is_found(scene: Scene) -> None:
    scene.probe(15.0, 1)
    scene.leave(scene.environment)
    assert len(scene.breaches) == 1


def test_invocation_older_than_the_pause_may_send(scene: Scene) -> None:
    scene.leave(scene.environment_since(-1.0))
    assert scene.breaches == []


def test_invocation_older_than_the_pause_may_not_send_when_it_has_read_of_it(scene: Scene) -> None:
    environment = scene.environment_since(-1.0)
    [paused] = scene.pauses.now([ACCOUNT])
    paused.known_to.add(environment)
    scene.leave(environment)
    assert len(scene.breaches) == 1


def test_invocation_older_than_the_pause_may_not_send_much_later(scene: Scene) -> None:
    scene.now = 5.0
    scene.leave(scene.environment_since(-1.0))
    assert len(scene.breaches) == 1


def test_request_in_a_pause_put_by_hand_is_found(scene: Scene) -> None:
    scene.pauses.put_by_hand(ACCOUNT)
    scene.leave(scene.environment_since(-1.0))
    assert scene.breaches == []  # it may not know of it yet
    scene.now = 2000.0
    scene.leave(scene.environment)
    scene.pauses.removed_by_hand(ACCOUNT)
    scene.leave(scene.environment)
    assert len(scene.breaches) == 1


def test_change_of_a_pause_put_by_hand_is_found(scene: Scene) -> None:
    scene.pauses.put_by_hand(ACCOUNT)
    scene.pauses.wrote(scene.environment, ACCOUNT, {"probes": 0})
    assert scene.breaches == [f"{ACCOUNT} was put by hand, and the relay changed it"]


def test_two_probes_at_a_time_are_found(scene: Scene) -> None:
    scene.probe(15.0, 1)
    scene.now = 60.0
    for number in (2, 3):
        scene.pauses.wrote(scene.environment, ACCOUNT, {"reason": "X", "since_ms": 0, "probes": number})
        scene.leave(scene.environment)
        scene.now += 100.0
    assert scene.breaches == ["two probes of #pause/account are under way"]


def test_request_after_resume_is_allowed(scene: Scene) -> None:
    scene.pauses.wrote(scene.environment, ACCOUNT, {"probes": 0})
    scene.leave(scene.environment)
    assert scene.breaches == []
