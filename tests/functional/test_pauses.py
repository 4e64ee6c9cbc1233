"""Paused flows and accounts, from the front door: nothing but single probes goes out, and all is delivered after."""

from datetime import timedelta

import msgspec
import pytest

from local.simulator.faults import CodeAnswer, DroppedConnection, Fault, ForeignPage, PlannedFault
from sealed_relay.dependencies import Limits
from sealed_relay.observability.events import CallsHeld, WorkFailed
from tests.functional.scene import Scene

EMPTY = CodeAnswer(code=212)
A_DAY_AND_A_BIT = Limits(max_calls=500, max_body_bytes=262_144, give_up_after=timedelta(hours=96))


def test_a_request_whose_account_is_paused_while_it_waits_its_turn_stays_unsent() -> None:
    scene = Scene()
    scene.plan(EMPTY, requests=None)
    scene.send("a", flow_id="FLOWAAAA")
    scene.send("b", flow_id="FLOWBBBB")

    scene.invoke()

    assert len(scene.gateway.bodies) == 1
    assert scene.statuses() == {"WAITING": 2}
    assert not [each for each in scene.observed if isinstance(each, WorkFailed)]


def test_a_message_that_comes_while_its_account_is_paused_is_on_record_as_waiting_and_why() -> None:
    scene = Scene()
    scene.plan(EMPTY, requests=None)
    scene.send("first")
    scene.invoke()
    scene.send("second")

    scene.invoke()

    assert (scene.record("second")["status"], scene.record("second")["code"]) == ("WAITING", 212)
    assert len(scene.gateway.bodies) == 1


def test_a_paused_message_is_not_written_about_again_each_time_it_is_received() -> None:
    scene = Scene()
    scene.table.put({"call_id": "#pause/account", "reason": "MAINTENANCE"})
    message_id = scene.send("a")
    scene.invoke()
    before = dict(scene.table.items)

    scene.run_for(3600)

    assert scene.ingress.receive_count(message_id) > 5
    assert scene.table.items == before
    assert len([observed for observed in scene.observed if isinstance(observed, CallsHeld)]) > 5


def test_other_flows_go_on_while_one_is_paused() -> None:
    scene = Scene()
    scene.simulator.faults.plan(msgspec.structs.replace(_for_ever(CodeAnswer(code=204)), flow_id="FLOWAAAA"))
    scene.send("paused", flow_id="FLOWAAAA")
    scene.invoke()

    for index in range(5):
        scene.send(f"free-{index}", flow_id="FLOWBBBB")
    scene.invoke()

    assert scene.statuses() == {"WAITING": 1, "ACCEPTED": 5}


def test_an_operator_resumes_at_once_by_deleting_the_item() -> None:
    scene = Scene()
    scene.plan(CodeAnswer(code=204), requests=1)
    scene.send("a")
    scene.invoke()
    del scene.table.items["#pause/flow/FLOWAAAA"]
    scene.send("b")

    scene.invoke()

    assert scene.record("b")["status"] == "ACCEPTED"


def test_an_operator_pauses_with_an_item_of_his_own_and_no_probe_goes_out() -> None:
    scene = Scene()
    scene.table.put({"call_id": "#pause/flow/FLOWAAAA", "reason": "MAINTENANCE"})
    scene.send("a")
    scene.run_for(3600)
    assert scene.gateway.bodies == []
    assert scene.record("a")["reason"] == "MAINTENANCE"

    del scene.table.items["#pause/flow/FLOWAAAA"]
    scene.run_for(1000)

    assert scene.statuses() == {"ACCEPTED": 1}


@pytest.mark.parametrize(
    "fault", [DroppedConnection(), ForeignPage(http_status=503), ForeignPage(http_status=429)], ids=repr
)
def test_several_requests_in_a_row_without_an_answer_pause_the_account(fault: Fault) -> None:
    scene = Scene(Limits(max_calls=1, max_body_bytes=262_144, give_up_after=timedelta(hours=24)))
    scene.plan(fault, requests=None)
    for index in range(50):
        scene.send(f"call-{index}")

    scene.invoke()

    assert len(scene.gateway.bodies) == 5
    scene.simulator.faults.clear()
    scene.run_for(3600)
    assert len(scene.accepted()) == 50
    assert set(scene.accepted().values()) == {1}


def test_something_else_at_the_address_pauses_the_account_at_once() -> None:
    scene = Scene(Limits(max_calls=1, max_body_bytes=262_144, give_up_after=timedelta(hours=24)))
    scene.plan(ForeignPage(http_status=404), requests=None)
    for index in range(5):
        scene.send(f"call-{index}")

    scene.invoke()

    assert len(scene.gateway.bodies) == 1


def test_a_call_whose_answer_was_lost_keeps_its_chance_while_others_probe_an_empty_account() -> None:
    scene = Scene()
    scene.plan(DroppedConnection(after_accepting=True))
    scene.send("lost")
    scene.invoke()
    scene.plan(EMPTY, requests=None)
    for index in range(6):
        scene.send(f"new-{index}")
    scene.run_for(3 * 3600)
    scene.simulator.faults.clear()

    scene.run_for(3600)

    assert scene.statuses() == {"PRESUMED_ACCEPTED": 1, "ACCEPTED": 6}


def test_a_paused_call_expires_at_its_deadline_without_being_sent() -> None:
    scene = Scene(Limits(max_calls=500, max_body_bytes=262_144, give_up_after=timedelta(hours=2)))
    scene.plan(EMPTY, requests=None)
    scene.send("a")
    scene.invoke()
    for _ in range(3):
        scene.send("late")
    scene.run_for(2 * 3600 + 1500)

    assert scene.statuses() == {"EXPIRED": 2}
    assert "late" in scene.failed_names()


def test_a_call_expires_also_where_no_probe_ever_goes_out() -> None:
    scene = Scene(Limits(max_calls=500, max_body_bytes=262_144, give_up_after=timedelta(hours=2)))
    scene.table.put({"call_id": "#pause/account", "reason": "MAINTENANCE"})
    scene.send("a")

    scene.run_for(2 * 3600 + 1500)

    assert scene.statuses() == {"EXPIRED": 1}
    assert scene.failed_names() == ["a"]


def test_paused_for_a_day_and_then_released_every_message_is_delivered_and_none_came_near_the_redrive() -> None:
    scene = Scene(A_DAY_AND_A_BIT)
    scene.simulator.settings = msgspec.structs.replace(scene.simulator.settings, balance_calls=0)
    ids = [scene.send(f"call-{index}") for index in range(60)]
    scene.run_for(24 * 3600)
    receives = [scene.ingress.receive_count(message_id) for message_id in ids]
    assert scene.statuses() == {"WAITING": 60}
    assert len(scene.gateway.bodies) < 24 * 3600 / 300 + 10

    scene.simulator.settings = msgspec.structs.replace(scene.simulator.settings, balance_calls=None)
    scene.run_for(1500)

    assert scene.statuses() == {"ACCEPTED": 60}
    assert scene.failures.published == []
    assert max(receives) < 250


def _for_ever(fault: CodeAnswer) -> PlannedFault:
    return PlannedFault(fault=fault, requests=None)
