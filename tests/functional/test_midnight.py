"""The service's midnight, with the API's clock before or behind the relay's."""

from datetime import UTC, datetime

import pytest

from local.simulator.faults import CodeAnswer, DroppedConnection
from sealed_relay.calls.start_time import SERVICE_TIME_ZONE
from sealed_relay.kairos.answer import Answer
from tests.support.gateway import SimulatedGateway
from tests.support.scene import Scene

MIDNIGHT = datetime(2026, 11, 24, tzinfo=SERVICE_TIME_ZONE).timestamp()
SECONDS_TO_MIDNIGHT = [-3600.0, -6.0, -5.0, -2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0]


def scene_at(seconds_after_midnight: float, api_clock_ahead_seconds: float) -> Scene:
    scene = Scene()
    scene.clock.now = MIDNIGHT + seconds_after_midnight
    scene.simulator.now = lambda: datetime.fromtimestamp(scene.clock.now + api_clock_ahead_seconds, UTC)
    return scene


@pytest.mark.parametrize("api_clock_ahead_seconds", [-2.0, -1.0, 0.0, 1.0, 2.0])
@pytest.mark.parametrize("seconds", SECONDS_TO_MIDNIGHT)
def test_call_around_midnight_is_accepted_at_its_first_send(seconds: float, api_clock_ahead_seconds: float) -> None:
    scene = scene_at(seconds, api_clock_ahead_seconds)
    scene.send("a", "b")

    scene.run()

    assert scene.statuses() == {"ACCEPTED": 2}
    assert len(scene.gateway.bodies) == 1


@pytest.mark.parametrize("api_clock_ahead_seconds", [-2.0, 0.0, 2.0])
@pytest.mark.parametrize("seconds", [seconds for seconds in SECONDS_TO_MIDNIGHT if seconds < 0])
def test_call_for_this_day_is_accepted_until_midnight(seconds: float, api_clock_ahead_seconds: float) -> None:
    scene = scene_at(seconds, api_clock_ahead_seconds)
    scene.send("a", start_time="2026-11-23T10:00:00+05:30")

    scene.run()

    assert scene.statuses() == {"ACCEPTED": 1}
    assert len(scene.gateway.bodies) == 1


def test_call_whose_date_ended_at_the_api_on_its_way_is_sealed_anew_and_not_rejected() -> None:
    scene = scene_at(-5.5, api_clock_ahead_seconds=1.0)

    class LongWay(SimulatedGateway):
        def send(self, endpoint: str, body: bytes, timeout_seconds: float) -> Answer:
            scene.clock.now += 4.75
            return super().send(endpoint, body, timeout_seconds)

    scene.gateway = LongWay(scene.simulator)
    scene.send("a", "b")

    scene.run()

    assert scene.clock() < MIDNIGHT + 5
    assert scene.statuses() == {"ACCEPTED": 2}
    assert len(scene.gateway.bodies) == 2


def test_refused_resend_in_the_last_seconds_of_the_day_does_not_send_a_taken_call_again() -> None:
    scene = scene_at(-20.0, api_clock_ahead_seconds=1.0)
    scene.plan(DroppedConnection(after_accepting=True))
    scene.send("a")
    scene.invoke()
    scene.clock.now = MIDNIGHT - 0.5
    scene.plan(CodeAnswer(code=210))

    scene.run()

    assert scene.accepted() == {"FLOWAAAA/a": 1}
    assert scene.statuses() == {"UNRESOLVED": 1}
