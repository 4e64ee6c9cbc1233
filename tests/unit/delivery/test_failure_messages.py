"""Failed calls and unreadable messages are put on the failure queue, and told only when they are there."""

from collections.abc import Sequence

import msgspec
import pytest

from sealed_relay.calls.message import Lane, read
from sealed_relay.calls.outcome import Outcome, Reason, Status
from sealed_relay.delivery.failure_messages import fail_for_message, fail_unreadable, publish_failures
from sealed_relay.observability.events import MessageFailed
from sealed_relay.ports import Failure
from tests.support.messages import body_of_calls, make_call, make_message, written_call
from tests.support.queues import InMemoryFailures
from tests.support.scene import Scene, names_in
from tests.unit.delivery.claimed import invocation_in

NO_DATA = Outcome(Status.REJECTED, "NO_DATA_AVAILABLE", 213, "", "The API answered.", "api-1")
EXPIRED = Outcome(Status.EXPIRED, Reason.EXPIRED, detail="Its deadline passed.")


class FullQueue(InMemoryFailures):
    def publish(self, failures: Sequence[Failure]) -> None:
        raise ConnectionError(failures)


def test_calls_of_one_message_and_outcome_share_a_failure() -> None:
    scene = Scene()
    a, b, c = (make_call(name, message_id="m-1") for name in "abc")
    other = make_call("d", message_id="m-2")

    publish_failures(invocation_in(scene), "r-1", [(a, NO_DATA), (b, EXPIRED), (c, NO_DATA), (other, NO_DATA)])

    found = [(failure.source_message_id, failure.reason, names_in(failure)) for failure in scene.failures.published]
    assert found == [
        ("m-1", "NO_DATA_AVAILABLE", ["a", "c"]),
        ("m-1", "EXPIRED", ["b"]),
        ("m-2", "NO_DATA_AVAILABLE", ["d"]),
    ]


def test_failure_holds_the_call_as_written_and_quotes_both_request_ids() -> None:
    scene = Scene()
    written = written_call("a", not_after="2026-11-23T12:00:00+05:30")
    [call] = read(make_message(body_of_calls(written)))

    publish_failures(invocation_in(scene), "r-1", [(call, NO_DATA)])

    [failure] = scene.failures.published
    assert msgspec.json.decode(failure.body) == {"flow-id": "FLOWAAAA", "calls": [written]}
    assert (failure.code, failure.detail) == (213, "The API answered.")
    assert (failure.request_id, failure.api_request_id) == ("r-1", "api-1")


def test_no_failed_calls_publish_nothing() -> None:
    scene = Scene()
    scene.failures = FullQueue()

    publish_failures(invocation_in(scene), "r-1", [])

    assert scene.observed == []


def test_failure_is_not_told_if_the_queue_did_not_take_it() -> None:
    scene = Scene()
    scene.failures = FullQueue()

    with pytest.raises(ConnectionError):
        fail_for_message(invocation_in(scene), "r-1", [(make_call("a"), NO_DATA)])

    assert scene.observed == []


def test_call_that_fails_for_its_message_is_finished_without_a_write() -> None:
    scene = Scene()
    call = make_call("a")

    result = fail_for_message(invocation_in(scene), "r-1", [(call, NO_DATA)])

    assert result.finished == [call]
    assert scene.failed_names() == ["a"]
    assert scene.table.items == {}


def test_unreadable_message_fails_with_its_own_body_and_is_closed() -> None:
    scene = Scene()

    result = fail_unreadable(invocation_in(scene), make_message("call Zoe", "m-1"), "The body is not JSON.")

    assert scene.failures.published == [
        Failure("call Zoe", "INVALID_MESSAGE", "The body is not JSON.", "m-1", Lane.INGRESS)
    ]
    assert result.closed == ["m-1"]
    [told] = scene.observed
    assert isinstance(told, MessageFailed)
    assert (told.message_id, told.reason, told.calls) == ("m-1", "INVALID_MESSAGE", 0)
