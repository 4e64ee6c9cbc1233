"""What becomes of calls when no verdict of the API comes back, seen from the queue."""

import pytest

from local.simulator.faults import CodeAnswer, DroppedConnection, Fault, ForeignPage, TruncatedAnswer
from sealed_relay.kairos.answer import Answer, Answered
from tests.support.gateway import SimulatedGateway
from tests.support.scene import Scene


@pytest.mark.parametrize(
    "fault",
    [
        DroppedConnection(after_accepting=True),
        TruncatedAnswer(),
        ForeignPage(http_status=502, after_accepting=True),
        ForeignPage(http_status=408, after_accepting=True),
        ForeignPage(http_status=404, after_accepting=True),
        ForeignPage(http_status=200, body="hello", after_accepting=True),
    ],
)
def test_lost_answer_is_found_out_by_a_resend(fault: Fault) -> None:
    scene = Scene()
    scene.send("a", "b")
    scene.plan(fault)
    scene.invoke()
    assert scene.statuses() == {"WAITING": 2}
    assert "phonon_uuid" not in scene.record("a")
    scene.run()
    assert scene.statuses() == {"PRESUMED_ACCEPTED": 2}
    assert scene.record("a")["code"] == 201
    assert scene.record("a")["attempts"] == 2
    assert scene.accepted() == {"FLOWAAAA/a": 1, "FLOWAAAA/b": 1}
    assert len(scene.gateway.bodies) == 2
    assert len(set(scene.gateway.bodies)) == 1


@pytest.mark.parametrize(
    "fault",
    [
        DroppedConnection(),
        ForeignPage(http_status=500),
        ForeignPage(http_status=503),
        ForeignPage(http_status=404),
        ForeignPage(http_status=405),
        ForeignPage(http_status=302),
        ForeignPage(http_status=200, body="<html>welcome</html>"),
    ],
)
def test_request_that_had_not_arrived_is_accepted_at_the_resend(fault: Fault) -> None:
    scene = Scene()
    scene.send("a", "b")
    scene.plan(fault)
    scene.run()
    assert scene.statuses() == {"ACCEPTED": 2}
    assert scene.record("a")["phonon_uuid"]
    assert len(set(scene.gateway.bodies)) == 1


def test_calls_of_a_request_that_was_certainly_not_sent_go_out_in_fresh_bytes() -> None:
    scene = Scene()
    scene.send("a", "b")
    scene.gateway.refused_connections = 3
    scene.invoke()
    assert scene.record("a")["reason"] == "NOT_SENT"
    scene.run()
    assert scene.statuses() == {"ACCEPTED": 2}
    assert len({sent.request_id for sent in scene.requests_sent()}) == 4
    assert len(scene.gateway.bodies) == 1


def test_repeated_checksum_after_a_refused_connection_is_no_delivery() -> None:
    scene = Scene()
    scene.send("a")
    scene.gateway.refused_connections = 1
    scene.invoke()
    scene.plan(CodeAnswer(code=201))
    scene.run()
    assert scene.statuses() == {"UNRESOLVED": 1}
    assert scene.accepted() == {}


def test_resend_that_fails_to_leave_keeps_the_request_ambiguous() -> None:
    scene = Scene()
    scene.send("a")
    scene.plan(DroppedConnection(after_accepting=True))
    scene.invoke()
    scene.gateway.refused_connections = 1
    scene.run()
    assert scene.statuses() == {"PRESUMED_ACCEPTED": 1}
    assert scene.accepted() == {"FLOWAAAA/a": 1}


def test_http_429_waits_at_least_as_long_as_it_asks() -> None:
    scene = Scene()
    scene.send("a")
    scene.plan(ForeignPage(http_status=429, retry_after_seconds=120))
    began = scene.clock()
    scene.run()
    assert scene.statuses() == {"ACCEPTED": 1}
    assert scene.clock() - began >= 120


@pytest.mark.parametrize("http_status", [401, 403])
def test_refusal_by_the_edge_pauses_like_an_address_that_is_not_whitelisted(http_status: int) -> None:
    scene = Scene()
    scene.send("a")
    scene.plan(ForeignPage(http_status=http_status))
    scene.invoke()
    assert scene.record("a")["status"] == "WAITING"
    assert scene.record("a")["reason"] == "IP_NOT_WHITELISTED"
    scene.run()
    assert scene.statuses() == {"ACCEPTED": 1}


def test_http_413_splits_the_request() -> None:
    scene = Scene()
    scene.send("a", "b", "c", "d")
    scene.plan(ForeignPage(http_status=413))
    scene.run()
    assert scene.statuses() == {"ACCEPTED": 4}
    assert len(scene.gateway.bodies) == 3


def test_resend_settles_the_calls_of_all_messages_of_its_request() -> None:
    scene = Scene()
    first, second = scene.send("a"), scene.send("b", "c")
    scene.plan(DroppedConnection(after_accepting=True))
    scene.invoke()
    scene.clock.now = scene.ingress.next_visible_at or 0.0
    [message] = scene.ingress.receive(1)
    assert message.message_id in {first, second}
    scene.deliver([message])
    scene.run()
    assert scene.statuses() == {"PRESUMED_ACCEPTED": 3}
    assert len(scene.gateway.bodies) == 2


def test_answer_that_lists_a_million_bytes_of_other_calls_is_still_kept() -> None:
    scene = Scene()
    scene.send("a", "b")
    listed = {f"somebody-else-{number}": str(number) * 8 for number in range(40_000)} | {"a": "uuid-of-a" * 1000}

    class TalkativeGateway(SimulatedGateway):
        def send(self, endpoint: str, body: bytes, timeout_seconds: float) -> Answer:
            super().send(endpoint, body, timeout_seconds)
            return Answered(200, listed)

    scene.gateway = TalkativeGateway(scene.simulator)
    scene.run()
    assert scene.statuses() == {"ACCEPTED": 2}
    assert str(scene.record("a")["phonon_uuid"]).startswith("uuid-of-a")
    assert all(len(str(item)) < 10_000 for item in scene.table.items.values())


@pytest.mark.parametrize(
    "refusal",
    [
        ForeignPage(http_status=401),
        ForeignPage(http_status=403),
        ForeignPage(http_status=413),
        *(CodeAnswer(code=number) for number in (400, 202, 203, 206, 208, 211, 212, 302, 303, 401, 500, 999)),
    ],
    ids=repr,
)
def test_transient_refusal_proves_nothing_of_the_attempt_before(refusal: Fault) -> None:
    scene = Scene()
    scene.send("a", "b")
    scene.plan(DroppedConnection(after_accepting=True))
    scene.plan(refusal)
    scene.run(max_invocations=500)  # until the deadline: a resend probes no refusal
    assert scene.accepted() == {"FLOWAAAA/a": 1, "FLOWAAAA/b": 1}
    assert scene.statuses() == {"UNRESOLVED": 2}
    assert len(set(scene.gateway.bodies)) == 1


def test_repeated_checksum_that_a_refused_resend_may_have_left_is_no_delivery() -> None:
    scene = Scene()
    scene.send("a", "b")
    scene.plan(DroppedConnection())
    scene.plan(CodeAnswer(code=212))
    scene.run(max_invocations=500)  # until the deadline: a resend probes no refusal
    assert scene.accepted() == {}
    assert scene.statuses() == {"UNRESOLVED": 2}
    assert sorted(scene.failed_names()) == ["a", "b"]


@pytest.mark.parametrize("number", [205, 210, 213, 402])
def test_refusal_for_a_call_of_the_request_proves_that_no_attempt_was_accepted(number: int) -> None:
    scene = Scene()
    scene.send("a", "b")
    scene.plan(DroppedConnection())
    scene.plan(CodeAnswer(code=number))
    scene.run()
    assert scene.statuses() == {"ACCEPTED": 2}
