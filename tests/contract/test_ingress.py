"""What `ports.Ingress` promises."""

import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Protocol

import pytest

from sealed_relay.aws.sqs import IngressQueue
from tests.support.aws_clients import AwsClients
from tests.support.queues import InMemoryIngress

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

VISIBILITY_TIMEOUT_SECONDS = 60
PATIENCE_SECONDS = 20


class Bench(Protocol):
    """An ingress queue with its producer's end and its event source's."""

    def send(self, body: str) -> None: ...

    def receive(self) -> dict[str, str]:
        """Take up to 10 visible messages out of sight; receipt handle by body."""
        ...

    def defer(self, delays_seconds: Mapping[str, float]) -> None: ...


class FakeBench:
    def __init__(self) -> None:
        self._ingress = InMemoryIngress(time.time, VISIBILITY_TIMEOUT_SECONDS)
        self.defer = self._ingress.defer

    def send(self, body: str) -> None:
        self._ingress.send(body)

    def receive(self) -> dict[str, str]:
        return {message.body: message.receipt_handle for message in self._ingress.receive(10)}


class SqsBench:
    def __init__(self, sqs: "SQSClient", queue_url: str, executor: ThreadPoolExecutor) -> None:
        self._sqs = sqs
        self._queue_url = queue_url
        self.defer = IngressQueue(sqs, queue_url, executor).defer

    def send(self, body: str) -> None:
        self._sqs.send_message(QueueUrl=self._queue_url, MessageBody=body)

    def receive(self) -> dict[str, str]:
        received = self._sqs.receive_message(
            QueueUrl=self._queue_url, MaxNumberOfMessages=10, VisibilityTimeout=VISIBILITY_TIMEOUT_SECONDS
        )
        return {message["Body"]: message["ReceiptHandle"] for message in received.get("Messages", [])}


@pytest.fixture
def sqs_bench(clients: AwsClients, queue_url: str) -> Iterator[SqsBench]:
    with ThreadPoolExecutor(4) as executor:
        yield SqsBench(clients.sqs, queue_url, executor)


@pytest.fixture(params=["fake", pytest.param("sqs", marks=pytest.mark.stack)])
def bench(request: pytest.FixtureRequest) -> Bench:
    if request.param == "fake":
        return FakeBench()
    sqs: SqsBench = request.getfixturevalue("sqs_bench")
    return sqs


def receive_all(bench: Bench, count: int) -> dict[str, str]:
    """Take messages out of sight until there are that many, or patience is at its end."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    handles: dict[str, str] = {}
    while len(handles) < count and time.monotonic() < deadline:
        handles |= bench.receive()
        time.sleep(0.02)
    return handles


def test_a_message_comes_back_after_its_delay_and_not_before(bench: Bench) -> None:
    bench.send("a")
    [handle] = bench.receive().values()
    handed_back_at = time.monotonic()
    bench.defer({handle: 1.0})
    assert set(receive_all(bench, 1)) == {"a"}
    assert time.monotonic() - handed_back_at >= 1.0


def test_a_message_that_is_not_handed_back_stays_out_of_sight(bench: Bench) -> None:
    bench.send("handed back")
    bench.send("kept")
    handles = receive_all(bench, 2)
    bench.defer({handles["handed back"]: 0.0})
    assert set(receive_all(bench, 1)) == {"handed back"}
    assert bench.receive() == {}


def test_any_number_of_messages_comes_back(bench: Bench) -> None:
    bodies = {f"message {number}" for number in range(25)}
    for body in bodies:
        bench.send(body)
    handles = receive_all(bench, 25)
    assert set(handles) == bodies
    bench.defer(dict.fromkeys(handles.values(), 0.0))
    assert set(receive_all(bench, 25)) == bodies


def test_each_message_has_a_delay_of_its_own(bench: Bench) -> None:
    bench.send("soon")
    bench.send("late")
    handles = receive_all(bench, 2)
    bench.defer({handles["late"]: VISIBILITY_TIMEOUT_SECONDS, handles["soon"]: 0.0})
    assert set(receive_all(bench, 1)) == {"soon"}
    assert bench.receive() == {}


def test_a_message_that_is_gone_does_not_keep_the_others_back(bench: Bench) -> None:
    bench.send("a")
    [handle] = bench.receive().values()
    bench.defer({"no message's receipt handle": 0.0, handle: 0.0})
    assert set(receive_all(bench, 1)) == {"a"}


def test_a_delay_longer_than_sqs_allows_is_cut_and_not_refused(bench: Bench) -> None:
    bench.send("a")
    bench.send("b")
    handles = receive_all(bench, 2)
    bench.defer({handles["a"]: 1e9, handles["b"]: 0.0})
    assert set(receive_all(bench, 1)) == {"b"}
    assert bench.receive() == {}


def test_a_delay_that_is_over_already_is_none(bench: Bench) -> None:
    bench.send("a")
    [handle] = bench.receive().values()
    bench.defer({handle: -5.0})
    assert set(receive_all(bench, 1)) == {"a"}


def test_nothing_to_hand_back_is_no_trouble(bench: Bench) -> None:
    bench.defer({})
    assert bench.receive() == {}


def test_a_message_received_again_has_another_receipt_handle(bench: Bench) -> None:
    bench.send("a")
    [first] = bench.receive().values()
    bench.defer({first: 0.0})
    [second] = receive_all(bench, 1).values()
    assert second != first
