"""What whoever runs the relay is told of what is paused, from the front door."""

from datetime import timedelta

import pytest

from local.simulator.faults import CodeAnswer, DroppedConnection
from sealed_relay.dependencies import Limits
from sealed_relay.kairos.codes import Scope
from sealed_relay.kairos.flow import UnusableFlowError
from sealed_relay.observability.events import CallsWaiting, MessagesDeferred, Paused, PauseSeen
from tests.support.clock import START
from tests.support.scene import Scene

ACCOUNT, FLOW = "", "FLOWAAAA"
SINGLE_CALLS = Limits(max_calls=1, max_body_bytes=262_144, give_up_after=timedelta(hours=24))


def seen(scene: Scene) -> dict[str, tuple[str, int]]:
    """Why the account and each flow is paused, and since when, as the latest batch told."""
    told = [observed for observed in scene.observed if isinstance(observed, PauseSeen)]
    return {each.flow_id: (each.reason, each.since_ms) for each in told}


def held(scene: Scene) -> list[MessagesDeferred]:
    return [observed for observed in scene.observed if isinstance(observed, MessagesDeferred)]


def test_messages_that_wait_for_the_account_are_logged_with_reason_and_start() -> None:
    scene = Scene()
    scene.plan(CodeAnswer(code=212), requests=None)
    for name in ("a", "b", "c"):
        scene.send(name)
        scene.send(name, flow_id="FLOWBBBB")
    scene.run_for(3600)

    assert {(each.scope, each.reason, each.code) for each in held(scene)} == {
        (Scope.ACCOUNT, "INSUFFICIENT_BALANCE", 212)
    }
    assert {each.flow_id for each in held(scene)} == {"FLOWAAAA", "FLOWBBBB"}
    assert [each.since_ms for each in scene.observed if isinstance(each, Paused)] == [int(START * 1000)]


def test_outage_makes_messages_wait_for_the_account() -> None:
    scene = Scene(SINGLE_CALLS)
    scene.plan(DroppedConnection(), requests=None)
    for index in range(10):
        scene.send(f"call-{index}")
    scene.run_for(3600)

    assert {(each.scope, each.reason) for each in held(scene)} == {(Scope.ACCOUNT, "NO_ANSWER")}


def test_messages_of_a_paused_flow_wait_for_the_flow() -> None:
    scene = Scene()
    scene.plan(CodeAnswer(code=204), requests=None)
    for name in ("a", "b", "c"):
        scene.send(name)
        scene.run_for(60)

    assert {(each.scope, each.code) for each in held(scene)} == {(Scope.FLOW, 204)}


def test_messages_of_a_flow_with_an_unusable_secret_wait_for_the_flow() -> None:
    scene = Scene()
    scene.flows.flows["FLOWAAAA"] = UnusableFlowError("The secret is no JSON.")
    scene.send("a")
    scene.run_for(600)

    assert {(each.scope, each.reason) for each in held(scene)} == {(Scope.FLOW, "FLOW_SECRET_UNUSABLE")}


@pytest.mark.parametrize(("key", "scope"), [("#pause/account", Scope.ACCOUNT), ("#pause/flow/FLOWAAAA", Scope.FLOW)])
def test_message_received_during_a_pause_is_logged_with_the_scope_of_the_pause(key: str, scope: Scope) -> None:
    scene = Scene()
    scene.table.put({"call_id": key, "reason": "MAINTENANCE"})
    scene.send("a")
    scene.invoke()

    waiting = [observed for observed in scene.observed if isinstance(observed, CallsWaiting)]
    assert [(each.scope, each.reason) for each in waiting] == [(scope, "MAINTENANCE")]


def test_messages_over_the_rate_limit_wait_for_nobody() -> None:
    scene = Scene(SINGLE_CALLS, requests_per_minute=2)
    for index in range(5):
        scene.send(f"call-{index}")
    scene.invoke()

    assert [(each.scope, each.reason) for each in held(scene)] == [(Scope.REQUEST, "RATE_LIMITED")] * 3


def test_each_batch_tells_what_is_paused_and_what_is_not() -> None:
    scene = Scene()
    scene.plan(CodeAnswer(code=204), requests=None)
    scene.send("a")
    scene.invoke()
    assert seen(scene) == {ACCOUNT: ("", 0), FLOW: ("", 0)}

    scene.send("b")
    scene.invoke()
    assert seen(scene) == {ACCOUNT: ("", 0), FLOW: ("INVALID_GATEWAY_ID", int(START * 1000))}


@pytest.mark.parametrize(("key", "paused"), [("#pause/account", ACCOUNT), ("#pause/flow/FLOWAAAA", FLOW)])
def test_next_batch_after_a_deleted_pause_tells_that_nothing_is_paused(key: str, paused: str) -> None:
    scene = Scene()
    scene.table.put({"call_id": key, "reason": "MAINTENANCE"})
    scene.send("a")
    scene.invoke()
    assert seen(scene)[paused] == ("MAINTENANCE", 0)

    scene.table.items.pop(key)
    scene.send("b")
    scene.invoke()
    assert seen(scene) == {ACCOUNT: ("", 0), FLOW: ("", 0)}


def test_flow_whose_secret_cannot_be_used_is_told_as_paused() -> None:
    scene = Scene()
    scene.flows.flows["FLOWAAAA"] = UnusableFlowError("The secret is no JSON.")
    scene.send("a")
    scene.invoke()

    assert seen(scene) == {ACCOUNT: ("", 0), FLOW: ("FLOW_SECRET_UNUSABLE", 0)}
