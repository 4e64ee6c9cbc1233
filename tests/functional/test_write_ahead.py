"""What happens between the storing of a request and its first byte on the wire."""

from datetime import datetime
from functools import partial

import pytest

from sealed_relay.calls.start_time import SERVICE_TIME_ZONE
from sealed_relay.kairos.answer import Answer
from tests.support.gateway import SimulatedGateway
from tests.support.scene import Scene
from tests.support.scripted_table import before, fail_before

ENVELOPE = "#envelope/"


@pytest.mark.parametrize("missing", [ENVELOPE, "#request/"])
def test_request_stored_in_part_was_never_sent_and_its_calls_go_out_fresh(missing: str) -> None:
    scene = Scene()
    scene.script_table().at_write(fail_before(ConnectionError("throttled")), missing, times=1)
    scene.send("a", "b")
    scene.run()

    assert scene.statuses() == {"ACCEPTED": 2}
    assert scene.record("a")["attempts"] == 1


def test_request_without_a_decision_of_admission_is_not_sent_and_its_calls_go_fresh() -> None:
    scene = Scene()
    scene.script_table().at_write(fail_before(ConnectionError("throttled")), "#permits", times=1)
    scene.send("a", not_after="2026-11-23T05:30:00Z")
    scene.invoke()
    assert scene.gateway.bodies == []
    [stored] = [item for key, item in scene.table.items.items() if key.startswith("#request/")]

    assert stored["may_have_been_sent"] is False
    scene.run()
    assert scene.statuses() == {"ACCEPTED": 1}


def test_first_send_does_not_leave_on_a_later_day_than_it_was_sealed_for() -> None:
    scene = Scene()
    scene.clock.now = datetime(2026, 11, 23, 23, 59, 52, tzinfo=SERVICE_TIME_ZONE).timestamp()
    scene.script_table().at_write(before(partial(scene.clock.pause, 4)), ENVELOPE, times=1)
    scene.send("a", "b")
    scene.invoke()
    assert scene.gateway.bodies == []

    scene.run()

    assert scene.statuses() == {"ACCEPTED": 2}


@pytest.mark.parametrize("names", [["a"], ["a", "b"]])
def test_first_send_overtaken_by_midnight_is_sealed_again_for_the_new_day(names: list[str]) -> None:
    scene = Scene()
    scene.clock.now = datetime(2026, 11, 23, 23, 59, 52, tzinfo=SERVICE_TIME_ZONE).timestamp()

    class LongWay(SimulatedGateway):
        def send(self, endpoint: str, body: bytes, timeout_seconds: float) -> Answer:
            scene.clock.now += 10
            return super().send(endpoint, body, timeout_seconds)

    scene.gateway = LongWay(scene.simulator)
    scene.send(*names)

    scene.run()

    assert scene.statuses() == {"ACCEPTED": len(names)}
    assert len(scene.gateway.bodies) == 2


def test_request_whose_storing_took_all_the_time_is_known_as_not_sent() -> None:
    scene = Scene()
    scene.send("a")
    scene.script_table().at_write(before(partial(scene.clock.pause, 55)), ENVELOPE, times=1)
    scene.invoke()
    assert scene.gateway.bodies == []
    assert scene.record("a")["reason"] == "OUT_OF_TIME"
    scene.run()
    assert scene.accepted() == {"FLOWAAAA/a": 1}


def test_permit_that_grew_old_is_not_used_and_slow_storing_costs_no_permit() -> None:
    scene = Scene()
    scene.send("a")
    table = scene.script_table()
    table.at_write(before(partial(scene.clock.pause, 20)), "#permits", times=1)
    table.at_write(before(partial(scene.clock.pause, 20)), ENVELOPE)
    scene.invoke()
    assert scene.gateway.bodies == []
    assert scene.record("a")["reason"] == "OUT_OF_TIME"
    scene.run()
    assert scene.accepted() == {"FLOWAAAA/a": 1}


def test_request_whose_deadline_passed_while_it_was_stored_is_not_sent() -> None:
    scene = Scene()
    scene.send("a", not_after="2026-11-23T04:30:03Z")
    scene.script_table().at_write(before(partial(scene.clock.pause, 5)), ENVELOPE)
    scene.run()
    assert scene.gateway.bodies == []
    assert scene.record("a")["status"] == "EXPIRED"
