"""Deadlines, start times, and invocations that run short of time."""

import json
from datetime import UTC, datetime

import pytest

from local.simulator.faults import CodeAnswer, DroppedConnection, ForeignPage
from sealed_relay.batch.process_batch import process_batch
from sealed_relay.calls.message import Lane
from sealed_relay.calls.start_time import SERVICE_TIME_ZONE
from tests.support.clock import START
from tests.support.compose import LIMITS
from tests.support.scene import Scene

HOUR = 3600.0


def _iso(seconds_from_start: float) -> str:
    return datetime.fromtimestamp(START + seconds_from_start, UTC).isoformat()


def test_call_whose_not_after_has_passed_is_never_sent() -> None:
    scene = Scene()
    scene.send("late", not_after=_iso(-1))
    scene.send("due", not_after=_iso(60))
    scene.run()
    assert scene.record("late")["status"] == "EXPIRED"
    assert scene.record("late")["attempts"] == 0
    assert scene.record("due")["status"] == "ACCEPTED"
    assert [failure.reason for failure in scene.failures.published] == ["EXPIRED"]


def test_call_that_waits_past_its_not_after_expires() -> None:
    scene = Scene()
    scene.send("a", not_after=_iso(30))
    scene.plan(CodeAnswer(code=212), requests=None)
    scene.run()
    assert scene.record("a")["status"] == "EXPIRED"
    assert scene.clock() >= START + 30


def test_call_whose_start_day_is_over_in_the_service_time_zone_expires() -> None:
    scene = Scene()
    scene.send("yesterday", start_time="2026-11-22T23:59:59+05:30")
    scene.send("earlier-today", start_time="2026-11-23T00:00:00+05:30")
    scene.run()
    assert scene.record("yesterday")["status"] == "EXPIRED"
    assert scene.record("earlier-today")["status"] == "ACCEPTED"


def test_call_without_a_start_time_that_waits_past_midnight_is_delivered() -> None:
    scene = Scene()
    scene.clock.now = datetime(2026, 11, 23, 18, 29, tzinfo=UTC).timestamp()  # 23:59 in +05:30
    scene.send("a")
    scene.plan(CodeAnswer(code=212), requests=8)
    scene.run()
    assert scene.clock() > datetime(2026, 11, 23, 18, 30, tzinfo=UTC).timestamp()
    assert scene.statuses() == {"ACCEPTED": 1}


def test_call_expires_when_the_account_stays_empty_until_the_relay_gives_up() -> None:
    scene = Scene()
    message_id = scene.send("a")
    scene.plan(CodeAnswer(code=212), requests=None)
    receives = 0
    while message_id in scene.ingress.message_ids:
        scene.clock.now = scene.ingress.next_visible_at or 0.0
        scene.invoke()
        receives += 1
    assert scene.record("a")["status"] == "EXPIRED"
    assert scene.clock() - START >= LIMITS.give_up_after.total_seconds()
    assert receives < 1000  # what the ingress queue's redrive policy allows


def test_answer_that_stays_lost_ends_as_unresolved_and_not_as_expired() -> None:
    scene = Scene()
    scene.send("a", "b")
    scene.plan(DroppedConnection(after_accepting=True), requests=None)
    scene.run(max_invocations=1000)
    assert scene.statuses() == {"UNRESOLVED": 2}
    assert [failure.reason for failure in scene.failures.published] == ["UNRESOLVED"]
    assert scene.clock() - START >= LIMITS.give_up_after.total_seconds()
    assert len(set(scene.gateway.bodies)) == 1


def test_lost_request_is_not_resent_past_the_deadline_of_any_of_its_calls() -> None:
    scene = Scene()
    scene.send("urgent", not_after=_iso(1))
    scene.send("less-urgent", not_after=_iso(1800))
    scene.plan(DroppedConnection())
    scene.run()
    assert scene.statuses() == {"UNRESOLVED": 2}
    assert len(scene.gateway.bodies) == 1


def test_call_with_a_near_deadline_leaves_in_a_request_of_its_own() -> None:
    scene = Scene()
    scene.send("urgent", not_after=_iso(1))
    scene.send("patient")
    scene.plan(DroppedConnection(), requests=2)
    scene.run()
    assert scene.record("urgent")["status"] == "UNRESOLVED"
    assert scene.record("patient")["status"] == "ACCEPTED"


def test_unsent_request_frees_its_other_calls_when_one_of_them_expires() -> None:
    scene = Scene()
    scene.send("urgent", not_after=_iso(1))
    scene.send("less-urgent", not_after=_iso(1800))
    scene.gateway.refused_connections = 1
    scene.run()
    assert scene.record("urgent")["status"] == "EXPIRED"
    assert scene.record("less-urgent")["status"] == "ACCEPTED"
    assert scene.accepted() == {"FLOWAAAA/less-urgent": 1}


def test_calls_whose_envelope_ttl_removed_end_unresolved_and_are_not_sent_again() -> None:
    scene = Scene()
    scene.send("a")
    scene.plan(DroppedConnection(after_accepting=True))
    scene.invoke()
    scene.clock.now += 49 * HOUR
    for key in [key for key in scene.table.items if key.startswith("#envelope/")]:
        scene.table.remove(key)
    scene.run()
    assert scene.statuses() == {"UNRESOLVED": 1}
    assert scene.accepted() == {"FLOWAAAA/a": 1}


@pytest.mark.parametrize("seconds_left", [1.0, 5.0, 9.0])
def test_invocation_short_of_time_sends_nothing_and_returns_every_message(seconds_left: float) -> None:
    scene = Scene()
    scene.send("a")
    scene.send("b", flow_id="FLOWBBBB")
    messages = scene.ingress.receive(10)
    kept = process_batch(scene.dependencies(), messages, scene.clock() + seconds_left, Lane.INGRESS)
    assert sorted(kept) == sorted(message.message_id for message in messages)
    assert scene.gateway.bodies == []
    assert scene.record("a")["reason"] == "OUT_OF_TIME"
    scene.run()
    assert scene.statuses() == {"ACCEPTED": 2}
    assert scene.clock() - START < 60


def test_failure_body_is_what_the_producer_wrote() -> None:
    scene = Scene()
    keys = [{"name": "$flow.key.Name", "value": "Zoë"}]
    scene.send("late", "later", not_after=_iso(-1), keys=keys)
    scene.run()
    [failure] = scene.failures.published
    call = {"client-identifier": "late", "contact-numbers": ["919900000001"], "not-after": _iso(-1), "keys": keys}
    assert json.loads(failure.body) == {"flow-id": "FLOWAAAA", "calls": [call, {**call, "client-identifier": "later"}]}


def test_expired_call_sent_again_with_a_later_deadline_is_delivered() -> None:
    scene = Scene()
    scene.send("a", not_after=_iso(-1))
    scene.run()
    scene.let_the_retry_margin_pass()
    scene.send("a", not_after=_iso(HOUR))
    scene.run()
    assert scene.statuses() == {"ACCEPTED": 1}


@pytest.mark.parametrize("trouble", ["connection refused", "HTTP 429", "empty account"])
def test_messages_that_wait_together_return_together_and_share_one_request(trouble: str) -> None:
    scene = Scene()
    for index in range(300):
        scene.send(f"call-{index}")
    if trouble == "connection refused":
        scene.gateway.refused_connections = 5
    else:
        scene.plan(CodeAnswer(code=212) if trouble == "empty account" else ForeignPage(http_status=429), requests=5)
    scene.run()
    assert scene.statuses() == {"ACCEPTED": 300}
    assert [sent.calls for sent in scene.requests_sent()] == [300] * 6


def test_refusal_on_a_later_day_proves_nothing_of_the_lost_attempt() -> None:
    scene = Scene()
    scene.clock.now = datetime(2026, 11, 23, 23, 59, 50, tzinfo=SERVICE_TIME_ZONE).timestamp()
    scene.plan(DroppedConnection(after_accepting=True))
    scene.send("a")
    scene.invoke()
    scene.clock.now += 60
    scene.plan(CodeAnswer(code=210))

    scene.run()

    assert scene.accepted() == {"FLOWAAAA/a": 1}
    assert scene.statuses() == {"UNRESOLVED": 1}
