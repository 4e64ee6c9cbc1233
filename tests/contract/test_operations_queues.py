"""The promises of the replay's `ports.FailureQueue` and `ports.SourceQueue`, kept by the fakes and by SQS."""

import time
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Protocol

import pytest

from sealed_relay.aws.sqs import FailureQueue
from sealed_relay.calls.message import Lane
from sealed_relay.ports import Failure
from sealed_relay_operations.aws.sqs import SqsFailureQueue, SqsSourceQueue
from sealed_relay_operations.replay.entry import Entry, calls_in
from tests.support.aws_clients import AwsClients
from tests.support.clock import Clock
from tests.support.failure_queue import InMemoryFailureQueue, InMemorySourceQueue

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

VISIBILITY_TIMEOUT_SECONDS = 60
MAX_RECEIVES = 20
"""Each receive that finds nothing takes a second."""


class Bench(Protocol):
    """One queue. The relay publishes failures to it; the replay receives from it and sends to it."""

    def publish(self, failure: Failure) -> None: ...

    def receive(self, max_entries: int, visibility_timeout_seconds: int) -> list[Entry]: ...

    def delete(self, receipt_handles: Collection[str]) -> None: ...

    def release(self, receipt_handles: Collection[str]) -> None: ...

    def send(self, entries: Sequence[Entry]) -> set[str]: ...


class FakeBench:
    """A receive that finds nothing moves the clock on by a second, which is how long the long poll of SQS takes."""

    def __init__(self) -> None:
        self._clock = Clock(time.time())
        self._queue = InMemoryFailureQueue(self._clock)
        self.delete, self.release = self._queue.delete, self._queue.release
        self.send = InMemorySourceQueue(self._queue.put).send

    def receive(self, max_entries: int, visibility_timeout_seconds: int) -> list[Entry]:
        entries = self._queue.receive(max_entries, visibility_timeout_seconds)
        if not entries:
            self._clock.now += 1
        return entries

    def publish(self, failure: Failure) -> None:
        self._queue.put(failure.body, failure.reason, failure.code, age_seconds=0)


class SqsBench:
    def __init__(self, sqs: "SQSClient", queue_url: str) -> None:
        queue = SqsFailureQueue(sqs, queue_url)
        self._failures = FailureQueue(sqs, queue_url)  # the relay's adapter publishes what the replay's receives
        self.receive, self.delete, self.release = queue.receive, queue.delete, queue.release
        self.send = SqsSourceQueue(sqs, queue_url).send

    def publish(self, failure: Failure) -> None:
        self._failures.publish([failure])


@pytest.fixture
def sqs_bench(clients: AwsClients, queue_url: str) -> SqsBench:
    return SqsBench(clients.sqs, queue_url)


@pytest.fixture(params=["fake", pytest.param("sqs", marks=pytest.mark.stack)])
def bench(request: pytest.FixtureRequest) -> Bench:
    if request.param == "fake":
        return FakeBench()
    sqs: SqsBench = request.getfixturevalue("sqs_bench")
    return sqs


def failure(name: str, reason: str = "EXPIRED", code: int | None = None) -> Failure:
    body = f'{{"flow-id":"FLOWAAAA","calls":[{{"client-identifier":"{name}","contact-numbers":["919900000001"]}}]}}'
    return Failure(body, reason, "Why.", "message-1", Lane.INGRESS, code)


def receive_all(bench: Bench, count: int) -> list[Entry]:
    """Receive until there are `count` entries; fewer if MAX_RECEIVES receives do not find so many."""
    entries: list[Entry] = []
    for _ in range(MAX_RECEIVES):
        if len(entries) >= count:
            break
        entries += bench.receive(10, VISIBILITY_TIMEOUT_SECONDS)
    return entries


def test_entry_is_received_as_the_relay_published_it(bench: Bench) -> None:
    published = failure("a", "NO_DATA_AVAILABLE", 213)
    before = time.time()
    bench.publish(published)
    [entry] = receive_all(bench, 1)
    assert (entry.body, entry.reason, entry.code) == (published.body, "NO_DATA_AVAILABLE", 213)
    assert (entry.calls.flow_id, entry.calls.call_ids) == ("FLOWAAAA", ("FLOWAAAA/a",))
    assert before - 1 <= entry.sent_at <= time.time() + 1


def test_no_entry_is_received_twice_and_no_more_than_asked_for(bench: Bench) -> None:
    for number in range(12):
        bench.publish(failure(f"a{number}"))
    assert len(bench.receive(3, VISIBILITY_TIMEOUT_SECONDS)) <= 3
    rest = receive_all(bench, 9)
    assert len({entry.message_id for entry in rest}) == len(rest) == 9
    assert bench.receive(10, VISIBILITY_TIMEOUT_SECONDS) == []


def test_entry_is_visible_again_after_its_visibility_timeout(bench: Bench) -> None:
    bench.publish(failure("a"))
    assert any(bench.receive(10, 1) for _ in range(MAX_RECEIVES))
    assert receive_all(bench, 1)


def test_only_the_released_entry_is_visible_at_once(bench: Bench) -> None:
    for name in "abc":
        bench.publish(failure(name))
    entries = receive_all(bench, 3)
    bench.release([entries[0].receipt_handle])
    assert [entry.message_id for entry in receive_all(bench, 1)] == [entries[0].message_id]
    assert bench.receive(10, VISIBILITY_TIMEOUT_SECONDS) == []


def test_deleted_entry_is_gone_and_can_be_deleted_again(bench: Bench) -> None:
    bench.publish(failure("a"))
    bench.publish(failure("b"))
    entries = receive_all(bench, 2)
    bench.delete([entries[0].receipt_handle])
    bench.delete([entries[0].receipt_handle])
    bench.release([entry.receipt_handle for entry in entries])
    assert [entry.message_id for entry in receive_all(bench, 1)] == [entries[1].message_id]
    assert bench.receive(10, VISIBILITY_TIMEOUT_SECONDS) == []


@pytest.mark.parametrize("body", [failure("₹ é 🔔").body, "call Zoe, please", " \t\r\n{", "x" * 1_048_576])
def test_body_arrives_unchanged(bench: Bench, body: str) -> None:
    entry = Entry("message-1", "handle", body, "EXPIRED", None, 0.0, calls_in(body))
    assert bench.send([entry]) == {"message-1"}
    assert [entry.body for entry in receive_all(bench, 1)] == [body]
