"""What the replay's `ports.FailureQueue` and `ports.IngressQueue` promise."""

import time
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Protocol

import pytest

from sealed_relay.aws.sqs import FailureQueue
from sealed_relay.ports import Failure
from sealed_relay_replay.entry import Entry
from sealed_relay_replay.queues import SqsFailureQueue, SqsIngressQueue
from tests.support.aws_clients import AwsClients
from tests.support.failure_queue import InMemoryFailureQueue, InMemoryIngressEnd

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

OUT_OF_SIGHT_SECONDS = 60
PATIENCE_SECONDS = 20


class Bench(Protocol):
    """A queue with the end that failures are published to, and both ends that the replay has hold of."""

    def publish(self, failure: Failure) -> None: ...

    def receive(self, most: int, out_of_sight_seconds: int) -> list[Entry]: ...

    def delete(self, receipt_handles: Collection[str]) -> None: ...

    def release(self, receipt_handles: Collection[str]) -> None: ...

    def send(self, bodies: Mapping[str, str]) -> set[str]: ...


class FakeBench:
    def __init__(self) -> None:
        queue = InMemoryFailureQueue(time.time)
        self._queue = queue
        self.receive, self.delete, self.release = queue.receive, queue.delete, queue.release
        self.send = InMemoryIngressEnd(queue.put).send

    def publish(self, failure: Failure) -> None:
        self._queue.put(failure.body, failure.reason, failure.code, age_seconds=0)


class SqsBench:
    def __init__(self, sqs: "SQSClient", queue_url: str) -> None:
        queue = SqsFailureQueue(sqs, queue_url)
        self._failures = FailureQueue(sqs, queue_url)  # the relay's own: the two must understand each other
        self.receive, self.delete, self.release = queue.receive, queue.delete, queue.release
        self.send = SqsIngressQueue(sqs, queue_url).send

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
    return Failure(body, reason, "Why.", "message-1", code)


def receive_all(bench: Bench, count: int) -> list[Entry]:
    """Take entries out of sight until there are that many, or patience is at its end."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    entries: list[Entry] = []
    while len(entries) < count and time.monotonic() < deadline:
        entries += bench.receive(10, OUT_OF_SIGHT_SECONDS)
    return entries


def test_an_entry_is_received_as_the_relay_published_it(bench: Bench) -> None:
    published = failure("a", "NO_DATA_AVAILABLE", 213)
    before = time.time()
    bench.publish(published)
    [entry] = receive_all(bench, 1)
    assert (entry.body, entry.reason, entry.code) == (published.body, "NO_DATA_AVAILABLE", 213)
    assert (entry.calls.flow_id, entry.calls.call_ids) == ("FLOWAAAA", ("FLOWAAAA/a",))
    assert before - 1 <= entry.sent_at <= time.time() + 1


def test_no_more_entries_are_received_than_asked_for_and_none_twice(bench: Bench) -> None:
    for number in range(12):
        bench.publish(failure(f"a{number}"))
    assert len(bench.receive(3, OUT_OF_SIGHT_SECONDS)) <= 3
    rest = receive_all(bench, 9)
    assert len({entry.message_id for entry in rest}) == len(rest) == 9
    assert bench.receive(10, OUT_OF_SIGHT_SECONDS) == []


def test_an_entry_comes_back_by_itself_when_its_time_out_of_sight_is_over(bench: Bench) -> None:
    bench.publish(failure("a"))
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not bench.receive(10, 1):
        assert time.monotonic() < deadline
    assert receive_all(bench, 1)


def test_what_is_handed_back_is_in_sight_at_once_and_the_rest_is_not(bench: Bench) -> None:
    for name in "abc":
        bench.publish(failure(name))
    entries = receive_all(bench, 3)
    bench.release([entries[0].receipt_handle])
    assert [entry.message_id for entry in receive_all(bench, 1)] == [entries[0].message_id]
    assert bench.receive(10, OUT_OF_SIGHT_SECONDS) == []


def test_what_is_deleted_is_gone_and_deleting_it_again_is_no_trouble(bench: Bench) -> None:
    bench.publish(failure("a"))
    bench.publish(failure("b"))
    entries = receive_all(bench, 2)
    bench.delete([entries[0].receipt_handle])
    bench.delete([entries[0].receipt_handle])
    bench.release([entry.receipt_handle for entry in entries])
    assert [entry.message_id for entry in receive_all(bench, 1)] == [entries[1].message_id]
    assert bench.receive(10, OUT_OF_SIGHT_SECONDS) == []


@pytest.mark.parametrize("body", [failure("₹ é 🔔").body, "call Zoe, please", " \t\r\n{", "x" * 1_048_576])
def test_a_body_arrives_byte_for_byte(bench: Bench, body: str) -> None:
    assert bench.send({"message-1": body}) == {"message-1"}
    assert [entry.body for entry in receive_all(bench, 1)] == [body]
