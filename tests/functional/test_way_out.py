"""Rule 4: a message leaves only if each call is delivered, or is on the failure queue for this very message."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from local.simulator.faults import CodeAnswer, DroppedConnection
from sealed_relay.batch.process_batch import LEASE_MARGIN_SECONDS
from sealed_relay.calls.outcome import Status
from sealed_relay.dependencies import Dependencies
from sealed_relay.ledger.claim_rules import RETRY_MARGIN_SECONDS
from sealed_relay.ports import Change, Failure
from tests.support.compose import LIMITS
from tests.support.crash_at_step import Killed
from tests.support.queues import InMemoryFailures
from tests.support.scene import FUNCTION_TIMEOUT_SECONDS, Scene
from tests.support.table import InMemoryTable

MANY = 30


class VisitedFailures:
    """Publishes failures, and then lets something else happen before the publisher goes on."""

    def __init__(self, failures: InMemoryFailures, visit: Callable[[], object]) -> None:
        self._failures = failures
        self._visit = visit

    def publish(self, failures: Sequence[Failure]) -> None:
        self._failures.publish(failures)
        self._visit()


class SlowTable(InMemoryTable):
    """Lets something happen once, right before a status is written that the caller has dated already."""

    def __init__(self, status: Status, before_write: Callable[[], object]) -> None:
        super().__init__()
        self._status = status
        self._before_write: Callable[[], object] | None = before_write

    def update(self, changes: Sequence[Change]) -> list[bool]:
        if self._before_write and any(change.attributes.get("status") == self._status for change in changes):
            visit, self._before_write = self._before_write, None
            visit()
        return super().update(changes)


def _publishing(scene: Scene, visit: Callable[[], object]) -> Dependencies:
    return replace(scene.dependencies(), failure_queue=VisitedFailures(scene.failures, visit))


def _failed_messages(scene: Scene) -> list[str]:
    return sorted(failure.source_message_id for failure in scene.failures.published)


@pytest.mark.parametrize("duplicates", [16, 17, 18, MANY])
def test_duplicates_of_a_waiting_call_stay_until_it_is_delivered(duplicates: int) -> None:
    scene = Scene()
    messages = [scene.send("a")]
    scene.plan(CodeAnswer(code=500))
    scene.invoke()
    for _ in range(duplicates):
        messages.append(scene.send("a"))
        scene.invoke()
    assert scene.ingress.message_ids == messages
    assert scene.statuses() == {"WAITING": 1}

    scene.run(max_invocations=500)

    assert scene.accepted() == {"FLOWAAAA/a": 1}
    assert scene.statuses() == {"ACCEPTED": 1}
    assert scene.failures.published == []


@pytest.mark.parametrize("duplicates", [16, 17, 18, MANY])
def test_duplicates_of_a_waiting_call_each_share_its_failure(duplicates: int) -> None:
    scene = Scene()
    messages = [scene.send("a")]
    scene.plan(CodeAnswer(code=500))
    scene.invoke()
    for _ in range(duplicates):
        messages.append(scene.send("a"))
        scene.invoke()

    scene.plan(CodeAnswer(code=213))
    scene.run(max_invocations=500)

    assert scene.statuses() == {"REJECTED": 1}
    assert _failed_messages(scene) == sorted(messages)


def test_late_copy_of_a_message_that_left_neither_sends_nor_opens_its_call_again() -> None:
    scene = Scene()
    messages = [scene.send("a") for _ in range(18)]
    scene.run(max_invocations=500)
    assert scene.ingress.message_ids == []

    for message_id in messages:
        scene.ingress.bring_back(message_id)
    scene.run(max_invocations=500)

    assert scene.accepted() == {"FLOWAAAA/a": 1}
    assert scene.statuses() == {"ACCEPTED": 1}


def test_message_whose_outcome_was_not_written_stays_until_the_call_has_its_end() -> None:
    scene = Scene()
    first = scene.send("a")
    [received] = scene.ingress.receive(1)
    second = scene.send("a")

    def claim_for_the_second() -> None:
        scene.clock.now += FUNCTION_TIMEOUT_SECONDS + LEASE_MARGIN_SECONDS
        scene.plan(CodeAnswer(code=500))
        assert scene.deliver(scene.ingress.receive_these([second])) == [second]

    scene.plan(CodeAnswer(code=213))
    assert scene.deliver([received], _publishing(scene, claim_for_the_second)) == [first]
    assert scene.statuses() == {"WAITING": 1}

    scene.run()

    assert scene.statuses() == {"ACCEPTED": 1}
    assert scene.accepted() == {"FLOWAAAA/a": 1}


def test_call_replayed_before_its_failure_is_recorded_fails_for_the_replay_too() -> None:
    scene = Scene()
    scene.plan(CodeAnswer(code=213))
    first = scene.send("a")
    replays: list[str] = []

    def replay() -> None:
        replays.append(scene.ingress.send(scene.failures.published[0].body))
        assert scene.invoke() == replays  # the record is not written yet: the call is busy

    assert scene.invoke(_publishing(scene, replay)) == replays[:0]
    assert scene.statuses() == {"REJECTED": 1}
    assert scene.ingress.message_ids == replays

    scene.run()

    assert _failed_messages(scene) == sorted([first, *replays])
    assert scene.accepted() == {}


def test_call_replayed_before_a_crash_kept_it_from_its_record_is_delivered() -> None:
    scene = Scene()
    scene.plan(CodeAnswer(code=213))
    scene.send("a")

    def replay_and_die() -> None:
        scene.ingress.send(scene.failures.published[0].body)
        raise Killed

    with pytest.raises(Killed):
        scene.invoke(_publishing(scene, replay_and_die))
    assert len(scene.ingress.message_ids) == 2

    scene.run()

    assert scene.statuses() == {"ACCEPTED": 1}
    assert scene.accepted() == {"FLOWAAAA/a": 1}


@pytest.mark.parametrize("seconds_to_write", [0.0, 1.0, RETRY_MARGIN_SECONDS - 0.001])
def test_duplicate_sent_while_unresolved_is_written_is_no_retry(seconds_to_write: float) -> None:
    scene = Scene(replace(LIMITS, give_up_after=timedelta(minutes=10)))
    repeats: list[str] = []

    def send_a_repeat() -> None:
        scene.clock.now += seconds_to_write
        repeats.append(scene.send("a"))

    scene.table = SlowTable(Status.UNRESOLVED, send_a_repeat)
    scene.plan(DroppedConnection(after_accepting=True), requests=None)
    first = scene.send("a")
    while not repeats:
        scene.run_for(60)
    scene.simulator.faults.clear()
    scene.run()

    assert scene.accepted() == {"FLOWAAAA/a": 1}
    assert scene.statuses() == {"UNRESOLVED": 1}
    assert [failure.source_message_id for failure in scene.failures.published] == [first, *repeats]
    assert scene.failures.published[-1].detail == "Another message with this call failed before, with UNRESOLVED."


def test_duplicate_sent_after_the_retry_margin_is_a_retry() -> None:
    scene = Scene(replace(LIMITS, give_up_after=timedelta(minutes=10)))
    scene.plan(DroppedConnection(), requests=None)
    scene.send("a")
    scene.run()
    assert scene.statuses() == {"UNRESOLVED": 1}
    scene.simulator.faults.clear()

    scene.let_the_retry_margin_pass()
    scene.send("a")
    scene.run()

    assert scene.statuses() == {"ACCEPTED": 1}


@pytest.mark.parametrize("duplicates", [25, MANY])
def test_many_duplicates_in_one_batch_leave_with_one_delivery(duplicates: int) -> None:
    scene = Scene()
    for _ in range(1 + duplicates):
        scene.send("a", "b")

    scene.run(max_invocations=500)

    assert scene.accepted() == {"FLOWAAAA/a": 1, "FLOWAAAA/b": 1}
    assert scene.failures.published == []


@pytest.mark.parametrize("duplicates", [25, MANY])
def test_many_duplicates_in_one_batch_each_give_one_failure(duplicates: int) -> None:
    scene = Scene()
    messages = [scene.send("a", contact_numbers=["910000000205"]) for _ in range(1 + duplicates)]

    scene.run(max_invocations=500)

    assert scene.statuses() == {"REJECTED": 1}
    assert _failed_messages(scene) == sorted(messages)


@pytest.mark.parametrize("is_delivered_before", [False, True])
def test_many_messages_with_other_content_in_one_batch_each_give_one_failure(*, is_delivered_before: bool) -> None:
    scene = Scene()
    scene.send("a")
    if is_delivered_before:
        scene.run()
    others = [scene.send("a", contact_numbers=["919900000002"]) for _ in range(MANY)]

    scene.run(max_invocations=500)

    assert scene.accepted() == {"FLOWAAAA/a": 1}
    assert _failed_messages(scene) == sorted(others)
    assert {failure.reason for failure in scene.failures.published} == {"CLIENT_IDENTIFIER_REUSED"}
