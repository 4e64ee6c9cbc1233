"""Two queues, one function: which queue a message came from decides its permits, and where it goes back to."""

from datetime import timedelta
from types import SimpleNamespace

import pytest

from local.simulator.faults import CodeAnswer
from sealed_relay import handler
from sealed_relay.calls.message import Lane
from sealed_relay.dependencies import Limits
from tests.functional.canary_scene import CONTEXT
from tests.support.scene import Scene
from tests.support.sqs_events import arn_of, event_of

LONE = Limits(max_calls=1, max_body_bytes=262_144, give_up_after=timedelta(hours=24))


def invoke_handler(scene: Scene, lane: Lane, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the function's handler run on what the queue has."""
    dependencies = scene.dependencies()
    monkeypatch.setattr(handler, "_dependencies", lambda: dependencies)
    monkeypatch.setattr(handler, "_settings", lambda: SimpleNamespace(urgent_queue_arn=arn_of(Lane.URGENT)))
    monkeypatch.setattr(handler, "telemetry", SimpleNamespace(observe=lambda _: None, flush=lambda: None))
    handler.lambda_handler(event_of(scene.queues[lane].receive(10), lane), CONTEXT)


@pytest.mark.parametrize("lane", Lane)
def test_deferred_message_goes_back_to_the_queue_it_came_from(lane: Lane, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene()
    scene.plan(CodeAnswer(code=212))
    scene.send("a", lane=lane)

    invoke_handler(scene, lane, monkeypatch)

    next_visible_at = scene.queues[lane].next_visible_at
    assert next_visible_at is not None
    assert next_visible_at < scene.clock.now + 30  # and not when the visibility timeout ends


@pytest.mark.parametrize("lane", Lane)
def test_failures_name_the_queue_that_the_message_came_from(lane: Lane, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene()
    scene.send("a", lane=lane, not_after="2026-11-23T00:00:00+05:30", start_time="2026-11-22T00:00:00+05:30")
    scene.queues[lane].send("unreadable")

    invoke_handler(scene, lane, monkeypatch)

    assert [(failure.reason, failure.source_queue) for failure in scene.failures.published] == [
        ("INVALID_MESSAGE", lane),
        ("EXPIRED", lane),
    ]


def test_ordinary_backlog_leaves_the_reserve_to_urgent_calls() -> None:
    scene = Scene(LONE, requests_per_minute=20, urgent_reserve=5)
    for index in range(40):
        scene.send(f"ordinary-{index}")

    scene.invoke()
    for index in range(7):
        scene.send(f"urgent-{index}", lane=Lane.URGENT)
    scene.invoke(lane=Lane.URGENT)

    accepted = [call_id.split("/")[1].split("-")[0] for call_id in scene.accepted()]
    assert accepted.count("ordinary") == 15
    assert accepted.count("urgent") == 5


def test_urgent_backlog_uses_the_whole_limit() -> None:
    scene = Scene(LONE, requests_per_minute=20, urgent_reserve=5)
    for index in range(40):
        scene.send(f"urgent-{index}", lane=Lane.URGENT)

    scene.invoke(lane=Lane.URGENT)

    assert len(scene.accepted()) == 20


def test_backlogs_of_both_queues_leave_within_the_limit_the_urgent_one_first() -> None:
    scene = Scene(LONE, requests_per_minute=20, urgent_reserve=5)
    for index in range(60):
        scene.send(f"ordinary-{index}")
        scene.send(f"urgent-{index}", lane=Lane.URGENT)

    scene.run(max_invocations=1000)

    left_at = [time.timestamp() for time in scene.gateway.sent_at]
    assert max(sum(start <= time < start + 60 for time in left_at) for start in left_at) == 20
    order = [call_id.split("/")[1].split("-")[0] for call_id in scene.accepted()]
    assert sorted(order) == ["ordinary"] * 60 + ["urgent"] * 60
    assert order[:60].count("urgent") >= 50


def test_call_in_both_queues_is_accepted_once() -> None:
    scene = Scene()
    scene.send("a")
    scene.send("a", lane=Lane.URGENT)

    scene.run()

    assert scene.accepted() == {"FLOWAAAA/a": 1}


def test_call_behind_a_backlog_overtakes_it_in_the_urgent_queue_and_leaves_once() -> None:
    scene = Scene(LONE, requests_per_minute=20, urgent_reserve=5)
    for index in range(40):
        scene.send(f"ordinary-{index}")
    scene.invoke()
    assert "FLOWAAAA/ordinary-39" not in scene.accepted()

    scene.clock.now += 2
    scene.send("ordinary-39", lane=Lane.URGENT)
    scene.invoke(lane=Lane.URGENT)

    assert scene.accepted()["FLOWAAAA/ordinary-39"] == 1
    scene.run(max_invocations=200)
    assert set(scene.accepted().values()) == {1}
    assert len(scene.accepted()) == 40


def test_ordinary_backlog_leaves_no_permit_unused_but_the_reserve() -> None:
    scene = Scene(LONE, requests_per_minute=20, urgent_reserve=5)
    for index in range(75):
        scene.send(f"ordinary-{index}")
    began = scene.clock()

    scene.run(max_invocations=500)

    # 15 in each 63.25 seconds: a minute, a permit's life and what clocks may differ.
    assert len(scene.accepted()) == 75
    assert scene.clock() - began < 5 * 63.25 + 15


def test_urgent_calls_beyond_the_reserve_take_the_permits_of_ordinary_ones() -> None:
    scene = Scene(LONE, requests_per_minute=20, urgent_reserve=5)
    for index in range(60):
        scene.send(f"ordinary-{index}")
    scene.run_for(1)
    for index in range(30):
        scene.send(f"urgent-{index}", lane=Lane.URGENT)

    scene.run_for(80)  # until the permits of the first minute are free again

    accepted = [call_id.split("/")[1].split("-")[0] for call_id in scene.accepted()]
    assert accepted[:15] == ["ordinary"] * 15
    assert accepted.count("urgent") >= 20
