"""Claimed calls get into a request, or are settled without one."""

import pytest

from local.simulator.faults import DroppedConnection
from sealed_relay.admission.control import Deferral
from sealed_relay.calls.outcome import Outcome, Reason, Status
from sealed_relay.delivery.deliver import deliver, look_up_flow, recover, settle_late, settle_unsent
from sealed_relay.delivery.request import Request, WorkResult
from sealed_relay.kairos.codes import Scope
from sealed_relay.kairos.flow import UnusableFlowError
from sealed_relay.ledger.claim_rules import Lease
from sealed_relay.observability.events import CallsWaiting
from tests.support.flows import InMemoryFlows, make_flow
from tests.support.messages import SENT_AT
from tests.support.scene import Scene
from tests.support.scripted_table import before
from tests.unit.delivery.claimed import REQUEST_ID, claim, invocation_in, names_of


def test_flow_without_a_secret_rejects_its_calls_and_an_unusable_one_lets_them_wait() -> None:
    flow = make_flow("FLOWAAAA")
    flows = InMemoryFlows({"FLOWAAAA": flow, "BADFLOW1": UnusableFlowError("not now")})

    found = [look_up_flow(flows, flow_id) for flow_id in ("FLOWAAAA", "BADFLOW1", "NOFLOW00")]

    assert found[0] is flow
    assert found[1] == Outcome(Status.WAITING, Reason.FLOW_SECRET_UNUSABLE, detail="not now")
    assert isinstance(found[2], Outcome)
    assert (found[2].status, found[2].reason) == (Status.REJECTED, Reason.UNKNOWN_FLOW)


def test_call_is_delivered_in_the_request_that_its_record_names() -> None:
    scene = Scene()
    invocation = invocation_in(scene)
    [a] = claim(invocation, "a")

    result = deliver(invocation, Request(REQUEST_ID, "FLOWAAAA", (a,)))

    assert result.finished == [a.call]
    assert (scene.record("a")["status"], scene.record("a")["request_id"]) == ("ACCEPTED", REQUEST_ID)


@pytest.mark.parametrize(("request_id", "moved_from"), [(REQUEST_ID, ""), ("request-2", REQUEST_ID)])
def test_request_without_time_to_send_is_neither_stored_nor_moved(request_id: str, moved_from: str) -> None:
    scene = Scene()
    invocation = invocation_in(scene, seconds_left=9.9)
    [a] = claim(invocation, "a")

    result = deliver(invocation, Request(request_id, "FLOWAAAA", (a,), moved_from))

    assert list(result.delays_seconds) == ["message of a"]
    assert (scene.record("a")["reason"], scene.record("a")["request_id"]) == ("OUT_OF_TIME", REQUEST_ID)
    assert list(scene.table.items) == ["FLOWAAAA/a"]


def test_call_that_was_taken_before_the_move_is_deferred_and_the_others_go_out() -> None:
    scene = Scene()
    first = invocation_in(scene)
    a, b = claim(first, "a", "b")
    table = scene.script_table()
    second = invocation_in(scene)
    first.dependencies.call_records.move([a.call], REQUEST_ID, "request-9", Lease("lease-9", 0))

    result = deliver(second, Request("request-2", "FLOWAAAA", (a, b), moved_from=REQUEST_ID))

    assert result.finished == [b.call]
    assert list(result.delays_seconds) == ["message of a"]
    assert scene.record("a")["request_id"] == "request-9"
    assert scene.accepted() == {"FLOWAAAA/b": 1}
    assert "#envelope/request-2" in table.written


def test_late_calls_expire_and_the_others_stay_due() -> None:
    scene = Scene()
    invocation = invocation_in(scene)
    calls = claim(invocation, "a", "b")
    scene.clock.now = (SENT_AT + scene.limits.give_up_after).timestamp() - 1

    due, result = settle_late(invocation, REQUEST_ID, calls)
    assert (names_of(due), result) == (["a", "b"], WorkResult())

    scene.clock.now += 1
    due, result = settle_late(invocation, REQUEST_ID, calls)
    assert (due, result.finished) == ((), [claimed.call for claimed in calls])
    assert scene.statuses() == {"EXPIRED": 2}
    assert sorted(scene.failed_names()) == ["a", "b"]


def test_unsent_calls_get_their_outcome_without_a_request() -> None:
    scene = Scene()
    invocation = invocation_in(scene)
    calls = claim(invocation, "a")
    unknown = Outcome(Status.REJECTED, Reason.UNKNOWN_FLOW)

    result = settle_unsent(invocation, REQUEST_ID, calls, unknown)

    assert result.finished == [calls[0].call]
    assert scene.record("a")["reason"] == "UNKNOWN_FLOW"
    assert scene.gateway.bodies == []


def test_deferred_calls_wait_with_the_reason_and_scope_of_the_deferral() -> None:
    scene = Scene()
    invocation = invocation_in(scene)
    calls = claim(invocation, "a", "b")
    paused = Outcome(Status.WAITING, "INSUFFICIENT_BALANCE", 212)

    result = settle_unsent(invocation, REQUEST_ID, calls, Deferral(paused, 60.0, scope=Scope.ACCOUNT))

    [seconds] = set(result.delays_seconds.values())
    assert seconds >= 60.0
    assert {scene.record(name)["reason"] for name in "ab"} == {"INSUFFICIENT_BALANCE"}
    assert [told.scope for told in scene.observed if isinstance(told, CallsWaiting)] == [Scope.ACCOUNT] * 2


def test_recovery_without_time_to_send_leaves_the_request_to_another() -> None:
    scene = Scene()
    invocation = invocation_in(scene, seconds_left=9.9)
    calls = claim(invocation, "a")
    before_recovery = dict(scene.table.items)

    result = recover(invocation, REQUEST_ID, calls)

    assert list(result.delays_seconds) == ["message of a"]
    assert scene.table.items == before_recovery


def test_recovery_of_a_request_that_another_took_over_defers_the_messages() -> None:
    scene = Scene()
    first = invocation_in(scene)
    [a] = claim(first, "a")
    scene.plan(DroppedConnection(after_accepting=True))
    deliver(first, Request(REQUEST_ID, "FLOWAAAA", (a,)))
    scene.clock.now += 700  # past the lease and the backoff
    rival = invocation_in(scene)
    table = scene.script_table()
    taken = [False]

    def take_over() -> None:
        taken[0] = rival.dependencies.request_log.take_over(REQUEST_ID, Lease("rival", 2**60)) is not None

    table.at_write(before(take_over), f"#request/{REQUEST_ID}", times=1)

    result = recover(invocation_in(scene), REQUEST_ID, [a])

    assert taken == [True]
    assert list(result.delays_seconds) == ["message of a"]
    assert len(scene.gateway.bodies) == 1
