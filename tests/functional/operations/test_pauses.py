"""An operator pauses and resumes, and the relay obeys: both work on one table."""

from typing import Any

import pytest

from local.simulator.faults import CodeAnswer
from sealed_relay_operations.ports import Dependencies, Messages
from sealed_relay_operations.request import Pause, Resume
from sealed_relay_operations.status import pause, resume, status
from tests.functional.operations.scene import Scene
from tests.support.clock import START
from tests.support.scene import Scene as RelayScene
from tests.support.table import InMemoryTable


class Both:
    """A relay, and an operator who works on its table."""

    def __init__(self) -> None:
        self.relay = RelayScene()
        table = InMemoryTable()
        self.relay.table = table
        operator = Scene(self.relay.clock)
        operator.table_items = table.items
        self.operator: Dependencies = operator.dependencies()

    def pauses(self) -> list[tuple[Any, ...]]:
        states = status(self.operator).pauses
        return [(each.paused, each.reason, each.code, each.is_by_operator) for each in states]


@pytest.fixture
def both() -> Both:
    return Both()


@pytest.mark.parametrize("flow", ["", "FLOWAAAA"])
def test_paused_calls_wait_and_leave_within_a_minute_after_resume(both: Both, flow: str) -> None:
    done = pause(both.operator, Pause(flow=flow, reason="MAINTENANCE"))
    both.relay.send("a")
    both.relay.run_for(3600)
    assert both.relay.gateway.bodies == []
    assert both.relay.record("a")["reason"] == "MAINTENANCE"
    assert both.pauses() == [(flow or "account", "MAINTENANCE", None, True)]

    assert resume(both.operator, Resume(flow=flow)).before == done.now
    both.relay.run_for(60)

    assert both.relay.statuses() == {"ACCEPTED": 1}
    assert both.pauses() == []


def test_pause_of_one_flow_leaves_the_others_alone(both: Both) -> None:
    pause(both.operator, Pause(flow="FLOWAAAA", reason="MAINTENANCE"))
    both.relay.send("a", flow_id="FLOWAAAA")
    both.relay.send("b", flow_id="FLOWBBBB")

    both.relay.run_for(600)

    assert both.relay.statuses() == {"WAITING": 1, "ACCEPTED": 1}


def test_status_tells_the_pause_that_the_relay_began_and_its_next_probe(both: Both) -> None:
    both.relay.plan(CodeAnswer(code=212), requests=None)
    both.relay.send("a")
    both.relay.invoke()

    [state] = status(both.operator).pauses

    assert (state.paused, state.reason, state.code, state.is_by_operator) == (
        "account",
        "INSUFFICIENT_BALANCE",
        212,
        False,
    )
    assert state.since is not None
    assert state.next_probe_at is not None
    assert state.next_probe_at > state.since


def test_resumed_pause_of_the_relay_lets_calls_leave_within_a_minute(both: Both) -> None:
    both.relay.plan(CodeAnswer(code=204), requests=None)
    for index in range(10):
        both.relay.send(f"call-{index}")
        both.relay.run_for(60)
    both.relay.run_for(1800)
    both.relay.simulator.faults.clear()

    before = resume(both.operator, Resume(flow="FLOWAAAA")).before
    both.relay.send("new")
    both.relay.run_for(60)

    assert before is not None
    assert before.reason == "INVALID_GATEWAY_ID"
    assert both.relay.statuses()["ACCEPTED"] >= 10  # the last probe has a backoff of its own


def test_operators_pause_takes_the_place_of_the_relays_and_no_probe_leaves(both: Both) -> None:
    both.relay.plan(CodeAnswer(code=204), requests=1)
    both.relay.send("a")
    both.relay.invoke()

    change = pause(both.operator, Pause(flow="FLOWAAAA", reason="MAINTENANCE"))
    both.relay.run_for(7200)

    assert change.before is not None
    assert change.before.code == 204
    assert len(both.relay.gateway.bodies) == 1
    assert both.pauses() == [("FLOWAAAA", "MAINTENANCE", None, True)]


def test_operators_pause_outlives_the_days_after_which_the_relays_are_deleted(both: Both) -> None:
    both.relay.plan(CodeAnswer(code=204), requests=1)
    both.relay.send("a")
    both.relay.invoke()
    pause(both.operator, Pause(flow="FLOWAAAA", reason="MAINTENANCE"))

    assert "expires_at" not in both.relay.table.items["#pause/flow/FLOWAAAA"]


def test_pause_tells_since_when_and_a_second_pause_tells_what_was_before(both: Both) -> None:
    first = pause(both.operator, Pause(reason="MAINTENANCE"))
    both.relay.clock.now = START + 90
    second = pause(both.operator, Pause(reason="AUDIT"))

    assert first.before is None
    assert second.before == first.now
    assert first.now is not None
    assert second.now is not None
    assert (second.now.reason, second.now.is_by_operator) == ("AUDIT", True)


def test_resume_of_what_is_not_paused_changes_nothing(both: Both) -> None:
    change = resume(both.operator, Resume(flow="FLOWAAAA"))
    assert (change.paused, change.now, change.before) == ("FLOWAAAA", None, None)


def test_count_of_failures_in_a_row_is_no_pause(both: Both) -> None:
    both.relay.table.items["#pause/account"] = {"call_id": "#pause/account", "failures_in_a_row": 3, "revision": 1}
    assert both.pauses() == []


def test_status_has_the_messages_of_each_queue(both: Both) -> None:
    assert status(both.operator).queues == {"ingress": Messages(0, 0), "failure": Messages(0, 0)}
