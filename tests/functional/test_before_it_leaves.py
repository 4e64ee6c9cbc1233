"""Between the writing down of a request and its first byte."""

from collections.abc import Sequence
from datetime import datetime

import pytest

from sealed_relay.calls.call import SERVICE_TIME_ZONE
from sealed_relay.kairos.answer import Answer
from sealed_relay.ports import Item
from tests.support.gateway import SimulatedGateway
from tests.support.scene import Scene
from tests.support.table import InMemoryTable


def is_stored(items: Sequence[Item]) -> bool:
    return any(str(item["call_id"]).startswith("#envelope/") for item in items)


@pytest.mark.parametrize("written", ["#envelope/", "#request/"])
def test_a_request_that_was_written_down_in_part_was_never_sent_and_its_calls_go_out_anew(written: str) -> None:
    scene = Scene()

    class TableThatFailsHalfway(InMemoryTable):
        failures = 1

        def insert(self, items: Sequence[Item]) -> list[bool]:
            if self.failures and is_stored(items):
                self.failures -= 1
                super().insert([item for item in items if str(item["call_id"]).startswith(written)])
                raise ConnectionError("throttled")
            return super().insert(items)

    scene.table = TableThatFailsHalfway()
    scene.send("a", "b")
    scene.run()

    assert scene.statuses() == {"ACCEPTED": 2}
    assert scene.record("a")["attempts"] == 1


def test_a_request_that_the_gate_cannot_decide_on_is_known_as_not_sent_and_its_calls_go_out_anew() -> None:
    scene = Scene()

    class TableWithoutTurns(InMemoryTable):
        """Throttles the item of the turns, once."""

        throttled = 1

        def insert(self, items: Sequence[Item]) -> list[bool]:
            if self.throttled and any(item["call_id"] == "#permits" for item in items):
                self.throttled -= 1
                raise ConnectionError("throttled")
            return super().insert(items)

    scene.table = TableWithoutTurns()
    scene.send("a", not_after="2026-11-23T05:30:00Z")
    scene.invoke()
    assert scene.gateway.bodies == []
    [stored] = [item for key, item in scene.table.items.items() if key.startswith("#request/")]

    assert stored["may_have_been_sent"] is False
    scene.run()
    assert scene.statuses() == {"ACCEPTED": 1}


def test_a_first_send_does_not_leave_on_a_later_day_than_it_was_sealed_for() -> None:
    scene = Scene()
    scene.clock.now = datetime(2026, 11, 23, 23, 59, 59, tzinfo=SERVICE_TIME_ZONE).timestamp()

    class SlowTable(InMemoryTable):
        def insert(self, items: Sequence[Item]) -> list[bool]:
            scene.clock.now += 2 * is_stored(items)
            return super().insert(items)

    scene.table = SlowTable()
    scene.send("a", "b")
    scene.invoke()
    assert scene.gateway.bodies == []

    scene.run()

    assert scene.statuses() == {"ACCEPTED": 2}


@pytest.mark.parametrize("names", [["a"], ["a", "b"]])
def test_a_first_send_that_midnight_overtook_on_its_way_is_sealed_anew_for_the_new_day(names: list[str]) -> None:
    scene = Scene()
    scene.clock.now = datetime(2026, 11, 23, 23, 59, 59, tzinfo=SERVICE_TIME_ZONE).timestamp()

    class LongWay(SimulatedGateway):
        def send(self, endpoint: str, body: bytes, timeout_seconds: float) -> Answer:
            scene.clock.now += 2
            return super().send(endpoint, body, timeout_seconds)

    scene.gateway = LongWay(scene.simulator)
    scene.send(*names)

    scene.run()

    assert scene.statuses() == {"ACCEPTED": len(names)}
    assert len(scene.gateway.bodies) == 2


def test_a_request_whose_writing_down_took_all_the_time_is_not_sent_and_known_as_not_sent() -> None:
    scene = Scene()
    scene.send("a")

    class SlowTable(InMemoryTable):
        seconds = 55

        def insert(self, items: Sequence[Item]) -> list[bool]:
            scene.clock.now += self.seconds * is_stored(items)
            return super().insert(items)

    scene.table = SlowTable()
    scene.invoke()
    SlowTable.seconds = 0
    assert scene.gateway.bodies == []
    assert scene.record("a")["reason"] == "OUT_OF_TIME"
    scene.run()
    assert scene.accepted() == {"FLOWAAAA/a": 1}


def test_a_turn_whose_writing_down_took_long_is_not_used_and_a_slow_store_costs_none() -> None:
    scene = Scene()
    scene.send("a")

    class SlowTable(InMemoryTable):
        slow_key = "#permits"

        def insert(self, items: Sequence[Item]) -> list[bool]:
            scene.clock.now += 20 * any(str(item["call_id"]).startswith(self.slow_key) for item in items)
            return super().insert(items)

    scene.table = SlowTable()
    scene.invoke()
    assert scene.gateway.bodies == []
    assert scene.record("a")["reason"] == "OUT_OF_TIME"
    SlowTable.slow_key = "#envelope"
    scene.run()
    assert scene.accepted() == {"FLOWAAAA/a": 1}


def test_no_byte_leaves_past_a_deadline_that_passed_while_the_request_was_written_down() -> None:
    scene = Scene()
    scene.send("a", not_after="2026-11-23T04:30:03Z")

    class SlowTable(InMemoryTable):
        def insert(self, items: Sequence[Item]) -> list[bool]:
            scene.clock.now += 5 * is_stored(items)
            return super().insert(items)

    scene.table = SlowTable()
    scene.run()
    assert scene.gateway.bodies == []
    assert scene.record("a")["status"] == "EXPIRED"
