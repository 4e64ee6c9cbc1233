"""Failures are published before outcomes are recorded, and a message leaves only after both."""

from dataclasses import replace

import pytest

from sealed_relay.admission.control import Deferral
from sealed_relay.calls.message import Lane
from sealed_relay.calls.outcome import Outcome, Reason, Status
from sealed_relay.delivery.request import WorkResult
from sealed_relay.delivery.settle import backoff_seconds, deferral_seconds, settle
from sealed_relay.kairos.codes import Scope
from sealed_relay.ledger.claim_rules import Tries
from sealed_relay.observability.events import CallsSettled, CallsWaiting
from tests.support.scene import Scene
from tests.support.scripted_table import Trouble, fail_before, refuse, repeat
from tests.unit.delivery.claimed import REQUEST_ID, claim, invocation_in, received

ACCEPTED = Outcome(Status.ACCEPTED, "SUCCESS", 200)
REJECTED = Outcome(Status.REJECTED, "NO_DATA_AVAILABLE", 213, detail="The API answered.")
TRANSIENT = Outcome(Status.WAITING, "FAILURE", 500)
PAUSED = Outcome(Status.WAITING, "INSUFFICIENT_BALANCE", 212)


def test_recorded_outcome_finishes_the_call() -> None:
    scene = Scene()
    invocation = invocation_in(scene)
    [a] = claim(invocation, "a")

    result = settle(invocation, REQUEST_ID, [(a, ACCEPTED)])

    assert result == WorkResult(finished=[a.call])
    assert scene.record("a")["status"] == "ACCEPTED"
    assert scene.observed == [CallsSettled(Status.ACCEPTED, 1, Lane.INGRESS, [0.0])]


def test_settled_call_tells_its_queue_and_the_seconds_since_its_message_was_sent() -> None:
    scene = Scene()
    invocation = replace(invocation_in(scene), lane=Lane.URGENT)
    a, b = claim(invocation, "a", "b")
    scene.clock.now += 1.5

    settle(invocation, REQUEST_ID, [(a, ACCEPTED), (b, ACCEPTED)])

    assert scene.observed == [CallsSettled(Status.ACCEPTED, 2, Lane.URGENT, [1.5, 1.5])]


@pytest.mark.parametrize("trouble", [refuse, repeat], ids=["another has the call", "written twice"])
def test_final_outcome_that_was_not_recorded_keeps_its_message(trouble: Trouble) -> None:
    scene = Scene()
    table = scene.script_table()
    invocation = invocation_in(scene)
    a, b = claim(invocation, "a", "b")
    table.at_write(trouble, "FLOWAAAA/a")

    result = settle(invocation, REQUEST_ID, [(a, ACCEPTED), (b, ACCEPTED)], retry_in=9.0)

    assert result == WorkResult(finished=[b.call], delays_seconds={"message of a": 9.0})
    assert scene.observed == [CallsSettled(Status.ACCEPTED, 1, Lane.INGRESS, [0.0])]


def test_failure_is_published_before_a_record_is_written() -> None:
    scene = Scene()
    table = scene.script_table()
    invocation = invocation_in(scene)
    [a] = claim(invocation, "a")
    table.at_write(fail_before(ConnectionError()))

    with pytest.raises(ConnectionError):
        settle(invocation, REQUEST_ID, [(a, REJECTED)])

    assert scene.failed_names() == ["a"]
    assert scene.record("a")["status"] == "SENDING"


@pytest.mark.parametrize(("outcome", "refusals"), [(TRANSIENT, 3), (PAUSED, 2), (REJECTED, 2)])
def test_transient_failure_alone_is_counted_as_a_refusal(outcome: Outcome, refusals: int) -> None:
    scene = Scene()
    invocation = invocation_in(scene)
    [a] = claim(invocation, "a", tries=Tries(attempts=4, refusals=2))

    settle(invocation, REQUEST_ID, [(a, outcome)])

    assert (scene.record("a")["attempts"], scene.record("a")["refusals"]) == (4, refusals)


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (REJECTED, "UNRESOLVED"),
        (Outcome(Status.EXPIRED, Reason.EXPIRED), "UNRESOLVED"),
        (ACCEPTED, "ACCEPTED"),
        (PAUSED, "WAITING"),
    ],
)
def test_call_that_may_have_been_delivered_before_fails_as_unresolved(outcome: Outcome, status: str) -> None:
    scene = Scene()
    invocation = invocation_in(scene)
    [a] = claim(invocation, "a", tries=Tries(may_have_been_delivered=True))

    settle(invocation, REQUEST_ID, [(a, outcome)])

    assert scene.record("a")["status"] == status
    assert [failure.reason for failure in scene.failures.published] == ["UNRESOLVED"] * (status == "UNRESOLVED")


def test_record_of_an_unanswered_call_says_no_answer_and_the_log_says_why_it_waits() -> None:
    scene = Scene()
    invocation = invocation_in(scene)
    [a] = claim(invocation, "a")

    settle(invocation, REQUEST_ID, [(a, PAUSED)], retry_in=30.0, scope=Scope.ACCOUNT, is_unanswered=True)

    assert (scene.record("a")["status"], scene.record("a")["reason"]) == ("WAITING", "NO_ANSWER")
    [told] = scene.observed
    assert isinstance(told, CallsWaiting)
    assert (told.reason, told.scope) == ("INSUFFICIENT_BALANCE", Scope.ACCOUNT)


def test_waiting_call_is_due_again_when_its_message_comes_back() -> None:
    scene = Scene()
    invocation = invocation_in(scene)
    [a] = claim(invocation, "a")

    result = settle(invocation, REQUEST_ID, [(a, TRANSIENT)], retry_in=30.0)

    assert result.delays_seconds == {"message of a": 30.0}
    assert scene.record("a")["lease_expires_at_ms"] == int((scene.clock.now + 30.0) * 1000)


def test_no_outcomes_write_nothing() -> None:
    scene = Scene()
    table = scene.script_table()

    assert settle(invocation_in(scene), REQUEST_ID, []) == WorkResult()
    assert table.written == []


def test_backoff_follows_the_call_that_was_received_most_often() -> None:
    scene = Scene()
    invocation = invocation_in(scene)
    a, b = claim(invocation, "a", "b")

    assert backoff_seconds(invocation, [a.call, received(b, 100).call]) >= 200.0


@pytest.mark.parametrize(("receive_count", "at_least_seconds"), [(1, 45), (23, 45), (150, 45), (225, 450)])
def test_paused_deferral_ends_within_a_minute_for_150_receives(receive_count: int, at_least_seconds: float) -> None:
    scene = Scene()
    invocation = invocation_in(scene)
    [a] = claim(invocation, "a")
    deferral = Deferral(Outcome(Status.WAITING, "MAINTENANCE"), 45.0, scope=Scope.FLOW)

    found = [deferral_seconds(invocation, deferral, [received(a, receive_count).call]) for _ in range(20)]
    assert at_least_seconds <= min(found) < max(found) < at_least_seconds + 15


@pytest.mark.parametrize(("seconds", "deferred_seconds"), [(70.0, 70.0), (1.0, 10.0)])
def test_brief_deferral_has_a_second_of_jitter_and_grows_with_the_receives(
    seconds: float, deferred_seconds: float
) -> None:
    scene = Scene()
    invocation = invocation_in(scene)
    [a] = claim(invocation, "a")
    deferral = Deferral(Outcome(Status.WAITING, Reason.RATE_LIMITED), seconds, is_brief=True)

    found = [deferral_seconds(invocation, deferral, [received(a, 5).call]) for _ in range(20)]
    assert deferred_seconds <= min(found) < max(found) <= deferred_seconds + 1.0
