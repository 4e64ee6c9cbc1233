"""The answer to a stored request is stored before anything acts on it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from local.simulator.faults import CodeAnswer
from sealed_relay.calls.outcome import Reason
from sealed_relay.delivery.request import Attempt, Invocation, Request
from sealed_relay.delivery.send import send
from sealed_relay.kairos.answer import NotSent
from sealed_relay.kairos.seal import seal
from sealed_relay.ledger.claim_rules import Lease
from sealed_relay.ledger.request_log import LeaseLostError
from sealed_relay.ports import Connection
from tests.support.flows import make_flow
from tests.support.messages import SENT_AT
from tests.support.scene import Scene
from tests.support.scripted_table import fail_before
from tests.unit.delivery.claimed import REQUEST_ID, claim, invocation_in, names_of

REQUEST_ITEM = f"#request/{REQUEST_ID}"


def store(invocation: Invocation, *names: str) -> Attempt:
    """Claim calls, store a request with them, and return the first attempt to send it."""
    calls = claim(invocation, *names)
    sealed = seal(
        REQUEST_ID,
        make_flow("FLOWAAAA"),
        [claimed.call for claimed in calls],
        invocation.dependencies.random_bytes,
        now=SENT_AT,
        give_up_after=timedelta(hours=24),
    )
    invocation.dependencies.request_log.store(sealed, invocation.lease)
    return Attempt(sealed, calls)


class TimedGateway:
    """Keeps the timeout that it was given, and does not connect."""

    def __init__(self) -> None:
        self.timeouts_seconds: list[float] = []

    @contextmanager
    def connect(self, timeout_seconds: float) -> Iterator[Connection | NotSent]:
        self.timeouts_seconds.append(timeout_seconds)
        yield NotSent("Connection refused.")


def test_answer_that_cannot_be_stored_changes_nothing_of_its_calls() -> None:
    scene = Scene()
    table = scene.script_table()
    invocation = invocation_in(scene)
    attempt = store(invocation, "a")
    scene.plan(CodeAnswer(code=302))
    table.at_write(fail_before(ConnectionError()), REQUEST_ITEM)

    with pytest.raises(ConnectionError):
        send(invocation, attempt)

    assert len(scene.gateway.bodies) == 1
    assert scene.failures.published == []
    assert scene.record("a")["status"] == "SENDING"


def test_answer_is_not_acted_on_by_an_invocation_that_lost_its_lease() -> None:
    scene = Scene()
    invocation = invocation_in(scene)
    attempt = store(invocation, "a")
    scene.plan(CodeAnswer(code=302))

    with pytest.raises(LeaseLostError):
        send(replace(invocation, lease=Lease("another lease", invocation.lease.expires_at_ms)), attempt)

    assert scene.failures.published == []
    assert scene.record("a")["status"] == "SENDING"


def test_attempt_is_counted_for_each_of_its_calls() -> None:
    scene = Scene()
    invocation = invocation_in(scene)

    result = send(invocation, store(invocation, "a", "b"))

    assert [call.client_identifier for call in result.finished] == ["a", "b"]
    assert [scene.record(name)["attempts"] for name in "ab"] == [1, 1]


def test_refused_calls_of_an_isolating_answer_follow_in_two_requests() -> None:
    scene = Scene()
    invocation = invocation_in(scene)
    attempt = store(invocation, "a", "b", "c")
    scene.plan(CodeAnswer(code=213))

    result = send(invocation, attempt)

    assert [names_of(request.calls) for request in result.next_requests] == [["a", "b"], ["c"]]
    assert [request.moved_from for request in result.next_requests] == [REQUEST_ID] * 2
    assert len({request.request_id for request in result.next_requests} | {REQUEST_ID}) == 3
    assert all(claimed.tries.attempts == 1 for request in result.next_requests for claimed in request.calls)
    assert (result.finished, result.delays_seconds) == ([], {})


def test_refused_secret_is_followed_by_one_request_with_a_fresh_secret() -> None:
    scene = Scene()
    invocation = invocation_in(scene)
    attempt = store(invocation, "a")
    scene.plan(CodeAnswer(code=202))

    [following] = send(invocation, attempt).next_requests

    assert isinstance(following, Request)
    assert (following.refresh_secret, following.moved_from) == (True, REQUEST_ID)


@pytest.mark.parametrize(("seconds_left", "timeout_seconds"), [(60.0, 30.0), (20.0, 12.0)])
def test_send_takes_30_seconds_at_most_and_leaves_time_to_settle(seconds_left: float, timeout_seconds: float) -> None:
    scene = Scene()
    gateway = TimedGateway()
    invocation = invocation_in(scene, seconds_left)
    invocation = replace(invocation, dependencies=replace(invocation.dependencies, gateway=gateway))

    send(invocation, store(invocation, "a"))

    assert gateway.timeouts_seconds == [timeout_seconds]


@pytest.mark.parametrize(("is_resend", "may_have_been_sent"), [(False, False), (True, True)])
def test_request_that_does_not_leave_is_noted_as_unsent_unless_it_is_a_resend(
    *, is_resend: bool, may_have_been_sent: bool
) -> None:
    scene = Scene()
    invocation = invocation_in(scene)
    attempt = replace(store(invocation, "a"), is_resend=is_resend)
    scene.gateway.refused_connections = 1

    result = send(invocation, attempt)

    assert list(result.delays_seconds) == ["message of a"]
    assert scene.table.items[REQUEST_ITEM]["may_have_been_sent"] is may_have_been_sent
    assert scene.record("a")["reason"] == (Reason.NO_ANSWER if is_resend else Reason.NOT_SENT)


def test_answer_speaks_only_of_the_calls_whose_messages_are_here() -> None:
    scene = Scene()
    invocation = invocation_in(scene)
    attempt = store(invocation, "a", "b")
    [b] = [claimed for claimed in attempt.calls if claimed.call.client_identifier == "b"]

    result = send(invocation, replace(attempt, calls=(b,)))

    assert result.finished == [b.call]
    assert scene.statuses() == {"ACCEPTED": 1, "SENDING": 1}
