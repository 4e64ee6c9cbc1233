"""The rate limit of the whole relay: it holds over all invocations, no permit is wasted, and it is cheap."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from sealed_relay.dependencies import Limits
from tests.support.clock import START
from tests.support.scene import Scene

LONE = Limits(max_calls=1, max_body_bytes=262_144, give_up_after=timedelta(hours=24))


def left_at(scene: Scene) -> list[float]:
    """When each request reached the API."""
    return [time.timestamp() for time in scene.gateway.sent_at]


def max_in_a_minute(times: Sequence[float]) -> int:
    return max(sum(start <= time < start + 60 for time in times) for start in times)


def test_no_minute_has_more_requests_than_the_limit_and_every_call_leaves() -> None:
    scene = Scene(LONE, requests_per_minute=20)
    for index in range(100):
        scene.send(f"call-{index}")

    scene.run(max_invocations=500)

    assert len(scene.accepted()) == 100
    assert max_in_a_minute(left_at(scene)) == 20


def test_backlog_uses_the_whole_limit() -> None:
    scene = Scene(LONE, requests_per_minute=20)
    for index in range(100):
        scene.send(f"call-{index}")
    began = scene.clock()

    scene.run(max_invocations=500)

    assert left_at(scene)[:20] == [began] * 20
    # The other 80 come back one by one, 20 in each 63.25 seconds: a minute, a permit's life and what clocks may differ.
    assert scene.clock() - began < 5 * 63.25 + 15


def test_call_over_the_limit_is_neither_claimed_nor_sealed() -> None:
    scene = Scene(LONE, requests_per_minute=1)
    scene.send("a")
    scene.send("b")

    scene.invoke()

    assert len(scene.statuses()) == 1
    assert len([key for key in scene.table.items if key.startswith("#envelope/")]) == 1


def test_request_costs_one_small_write_for_its_permit() -> None:
    scene = Scene(Limits(max_calls=2, max_body_bytes=262_144, give_up_after=timedelta(hours=24)))
    table = scene.script_table()
    for index in range(40):
        scene.send(f"call-{index}")
    scene.run()

    assert len(scene.gateway.bodies) == 20
    assert table.written.count("#permits") <= 20
    assert not any(key.startswith("#pause") for key in table.written)


def test_deferred_message_comes_back_when_a_permit_is_free() -> None:
    scene = Scene(LONE, requests_per_minute=2)
    began = scene.clock()
    for name in ("a", "b", "c", "d"):
        scene.send(name)

    scene.invoke()
    waiting = [scene.ingress.next_visible_at or 0.0]
    scene.clock.now = waiting[0]
    scene.invoke()

    assert 60 < waiting[0] - began < 65
    assert len(scene.gateway.bodies) == 3


def test_permits_of_messages_that_expired_meanwhile_go_to_later_messages() -> None:
    scene = Scene(LONE, requests_per_minute=20)
    for index in range(100):
        scene.send(f"call-{index}", not_after=datetime.fromtimestamp(START + 50, UTC).isoformat())
    scene.invoke()
    scene.clock.now = START + 110
    for index in range(15):
        scene.send(f"later-{index}")

    scene.run_for(60)

    assert scene.accepted().keys() >= {f"FLOWAAAA/later-{index}" for index in range(15)}


def test_deferred_messages_leave_although_new_messages_keep_coming() -> None:
    scene = Scene(LONE, requests_per_minute=20)
    for index in range(60):
        scene.send(f"call-{index}")

    for index in range(200):
        scene.send(f"later-{index}")  # nine tenths of what can leave
        scene.run_for(3.5)

    assert sum("call-" in call_id for call_id in scene.accepted()) == 60


@pytest.mark.parametrize("window_seconds", [2, 5, 10])
def test_deferred_messages_leave_however_long_sqs_gathers_a_batch(window_seconds: int) -> None:
    scene = Scene(LONE, requests_per_minute=60)
    for index in range(180):
        scene.send(f"call-{index}")

    for batch in range(600 // window_seconds):
        scene.invoke()
        for index in range(window_seconds * 3 // 2):  # half as many again as leave
            scene.send(f"later-{batch}-{index}")
        scene.clock.now += window_seconds

    assert sum("call-" in call_id for call_id in scene.accepted()) == 180


@pytest.mark.parametrize("requests_per_minute", [1, 5])
def test_message_with_more_requests_than_permits_is_delivered_whole(requests_per_minute: int) -> None:
    scene = Scene(LONE, requests_per_minute=requests_per_minute)
    names = [f"call-{number}" for number in range(8)]
    scene.send(*names)

    scene.run(max_invocations=100)

    assert scene.accepted() == {f"FLOWAAAA/{name}": 1 for name in names}
