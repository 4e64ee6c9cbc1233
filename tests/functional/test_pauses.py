"""Paused flows and accounts, from the front door: nothing but single probes goes out, and all is delivered after."""

import io
from datetime import timedelta

import msgspec
import pytest
from aws_lambda_powertools import Logger, Metrics

from local.simulator.faults import CodeAnswer, DroppedConnection, Fault, ForeignPage, PlannedFault
from sealed_relay.dependencies import Limits
from sealed_relay.observability.emitter import Telemetry
from sealed_relay.observability.events import MessagesDeferred, WorkFailed
from sealed_relay.ports import Value
from tests.support.clock import START
from tests.support.scene import Scene

EMPTY = CodeAnswer(code=212)
A_DAY_AND_A_BIT = Limits(max_calls=500, max_body_bytes=262_144, give_up_after=timedelta(hours=96))


def test_request_whose_account_is_paused_meanwhile_stays_unsent() -> None:
    scene = Scene()
    scene.plan(EMPTY, requests=None)
    scene.send("a", flow_id="FLOWAAAA")
    scene.send("b", flow_id="FLOWBBBB")

    scene.invoke()

    assert len(scene.gateway.bodies) == 1
    assert scene.statuses() == {"WAITING": 2}
    assert not [each for each in scene.observed if isinstance(each, WorkFailed)]


def test_message_of_a_paused_account_is_recorded_as_waiting_with_the_reason() -> None:
    scene = Scene()
    scene.plan(EMPTY, requests=None)
    scene.send("first")
    scene.invoke()
    scene.send("second")

    scene.invoke()

    assert (scene.record("second")["status"], scene.record("second")["code"]) == ("WAITING", 212)
    assert len(scene.gateway.bodies) == 1


def test_receive_of_a_paused_message_writes_nothing() -> None:
    scene = Scene()
    scene.table.put({"call_id": "#pause/account", "reason": "MAINTENANCE"})
    message_id = scene.send("a")
    scene.invoke()
    before = dict(scene.table.items)

    scene.run_for(3600)

    assert scene.ingress.receive_count(message_id) > 5
    assert scene.table.items == before
    assert len([observed for observed in scene.observed if isinstance(observed, MessagesDeferred)]) > 5


def test_other_flows_go_on_while_one_is_paused() -> None:
    scene = Scene()
    scene.simulator.faults.plan(msgspec.structs.replace(_for_ever(CodeAnswer(code=204)), flow_id="FLOWAAAA"))
    scene.send("paused", flow_id="FLOWAAAA")
    scene.invoke()

    for index in range(5):
        scene.send(f"free-{index}", flow_id="FLOWBBBB")
    scene.invoke()

    assert scene.statuses() == {"WAITING": 1, "ACCEPTED": 5}


def test_deleted_item_resumes_at_once() -> None:
    scene = Scene()
    scene.plan(CodeAnswer(code=204), requests=1)
    scene.send("a")
    scene.invoke()
    scene.table.remove("#pause/flow/FLOWAAAA")
    scene.send("b")

    scene.invoke()

    assert scene.record("b")["status"] == "ACCEPTED"


def test_item_with_a_reason_pauses_and_no_probe_leaves() -> None:
    scene = Scene()
    scene.table.put({"call_id": "#pause/flow/FLOWAAAA", "reason": "MAINTENANCE"})
    scene.send("a")
    scene.run_for(3600)
    assert scene.gateway.bodies == []
    assert scene.record("a")["reason"] == "MAINTENANCE"

    scene.table.remove("#pause/flow/FLOWAAAA")
    scene.run_for(60)

    assert scene.statuses() == {"ACCEPTED": 1}


@pytest.mark.parametrize("paused_seconds", [1, 100, 3600, 90 * 60])
@pytest.mark.parametrize("key", ["#pause/account", "#pause/flow/FLOWAAAA"])
def test_all_that_waits_leaves_within_a_minute_of_the_end_of_a_pause(key: str, paused_seconds: int) -> None:
    scene = Scene()
    scene.table.put({"call_id": key, "reason": "MAINTENANCE"})
    for index in range(20):
        scene.send(f"call-{index}")
        scene.run_for(1)
    scene.run_for(paused_seconds)
    scene.table.remove(key)

    scene.run_for(60)

    assert scene.statuses() == {"ACCEPTED": 20}


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


def test_wrong_address_pauses_the_account_at_once() -> None:
    scene = Scene(Limits(max_calls=1, max_body_bytes=262_144, give_up_after=timedelta(hours=24)))
    scene.plan(ForeignPage(http_status=404), requests=None)
    for index in range(5):
        scene.send(f"call-{index}")

    scene.invoke()

    assert len(scene.gateway.bodies) == 1


def test_lost_call_keeps_its_chance_while_others_probe_an_empty_account() -> None:
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


def test_paused_call_expires_at_its_deadline_unsent() -> None:
    scene = Scene(Limits(max_calls=500, max_body_bytes=262_144, give_up_after=timedelta(hours=2)))
    scene.plan(EMPTY, requests=None)
    scene.send("a")
    scene.invoke()
    for _ in range(3):
        scene.send("late")
    scene.run_for(2 * 3600 + 1500)

    assert scene.statuses() == {"EXPIRED": 2}
    assert "late" in scene.failed_names()


def test_call_expires_also_if_no_probe_ever_leaves() -> None:
    scene = Scene(Limits(max_calls=500, max_body_bytes=262_144, give_up_after=timedelta(hours=2)))
    scene.table.put({"call_id": "#pause/account", "reason": "MAINTENANCE"})
    scene.send("a")

    scene.run_for(2 * 3600 + 1500)

    assert scene.statuses() == {"EXPIRED": 1}
    assert scene.failed_names() == ["a"]


def test_messages_paused_for_a_day_are_delivered_and_none_is_near_the_redrive() -> None:
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
    assert max(receives) < 400  # 150 within a minute each, then one in seven and a half minutes


@pytest.mark.parametrize("key", ["#pause/account", "#pause/flow/FLOWAAAA"])
@pytest.mark.parametrize("slip", [{"since_ms": int(START * 1_000_000)}, {"since_ms": 10**30}, {"revision": "none"}])
def test_slip_in_a_pause_written_by_hand_fails_no_invocation(key: str, slip: dict[str, Value]) -> None:
    scene = Scene()
    telemetry = Telemetry(Logger(stream=io.StringIO()), Metrics(namespace="SealedRelay"))
    scene.table.put({"call_id": key, "reason": "MAINTENANCE", **slip})
    scene.send("a")

    scene.run_for(3600)
    for observation in scene.observed:
        telemetry.observe(observation)

    assert scene.gateway.bodies == []
    assert scene.record("a")["reason"] == "MAINTENANCE"
    assert not [each for each in scene.observed if isinstance(each, WorkFailed)]


def _for_ever(fault: CodeAnswer) -> PlannedFault:
    return PlannedFault(fault=fault, requests=None)
