"""What `ports.Ingress` promises."""

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from sealed_relay.aws.sqs import SourceQueue
from tests.contract.conftest import SqsQueue
from tests.support.queues import InMemoryIngress

VISIBILITY_TIMEOUT_SECONDS = 60
MAX_WAIT_SECONDS = 20


@dataclass
class Bench:
    """An ingress queue, with the end of its producers and the end of its event source.

    `receive` takes up to 10 visible messages and makes them invisible: receipt handle by body.
    """

    send: Callable[[str], object]
    receive: Callable[[], dict[str, str]]
    defer: Callable[[Mapping[str, float]], None]


@pytest.fixture
def in_memory() -> Bench:
    ingress = InMemoryIngress(time.time, VISIBILITY_TIMEOUT_SECONDS)
    return Bench(
        ingress.send,
        lambda: {message.body: message.receipt_handle for message in ingress.receive(10)},
        ingress.defer,
    )


@pytest.fixture
def on_aws(queue: SqsQueue) -> Iterator[Bench]:
    with ThreadPoolExecutor(4) as executor:
        yield Bench(
            queue.send,
            lambda: {
                message["Body"]: message["ReceiptHandle"] for message in queue.receive(VISIBILITY_TIMEOUT_SECONDS)
            },
            SourceQueue(queue.sqs, queue.url, executor).defer,
        )


def receive_all(bench: Bench, count: int) -> dict[str, str]:
    """Receive until there are that many messages, or a deadline is over."""
    deadline = time.monotonic() + MAX_WAIT_SECONDS
    handles: dict[str, str] = {}
    while len(handles) < count and time.monotonic() < deadline:
        handles |= bench.receive()
        time.sleep(0.02)
    return handles


def test_deferred_message_comes_back_after_its_delay(bench: Bench) -> None:
    bench.send("a")
    [handle] = bench.receive().values()
    deferred_at = time.monotonic()
    bench.defer({handle: 1.0})
    assert set(receive_all(bench, 1)) == {"a"}
    assert time.monotonic() - deferred_at >= 1.0


def test_message_that_is_not_deferred_stays_invisible(bench: Bench) -> None:
    bench.send("deferred")
    bench.send("kept")
    handles = receive_all(bench, 2)
    bench.defer({handles["deferred"]: 0.0})
    assert set(receive_all(bench, 1)) == {"deferred"}
    assert bench.receive() == {}


def test_any_number_of_deferred_messages_comes_back(bench: Bench) -> None:
    bodies = {f"message {number}" for number in range(25)}
    for body in bodies:
        bench.send(body)
    handles = receive_all(bench, 25)
    assert set(handles) == bodies
    bench.defer(dict.fromkeys(handles.values(), 0.0))
    assert set(receive_all(bench, 25)) == bodies


def test_each_message_has_its_own_delay(bench: Bench) -> None:
    bench.send("soon")
    bench.send("late")
    handles = receive_all(bench, 2)
    bench.defer({handles["late"]: VISIBILITY_TIMEOUT_SECONDS, handles["soon"]: 0.0})
    assert set(receive_all(bench, 1)) == {"soon"}
    assert bench.receive() == {}


def test_message_that_is_gone_does_not_stop_the_others(bench: Bench) -> None:
    bench.send("a")
    [handle] = bench.receive().values()
    bench.defer({"no message's receipt handle": 0.0, handle: 0.0})
    assert set(receive_all(bench, 1)) == {"a"}


def test_delay_longer_than_sqs_allows_is_cut(bench: Bench) -> None:
    bench.send("a")
    bench.send("b")
    handles = receive_all(bench, 2)
    bench.defer({handles["a"]: 1e9, handles["b"]: 0.0})
    assert set(receive_all(bench, 1)) == {"b"}
    assert bench.receive() == {}


def test_negative_delay_is_none(bench: Bench) -> None:
    bench.send("a")
    [handle] = bench.receive().values()
    bench.defer({handle: -5.0})
    assert set(receive_all(bench, 1)) == {"a"}


def test_nothing_to_defer_does_nothing(bench: Bench) -> None:
    bench.defer({})
    assert bench.receive() == {}


def test_message_received_again_has_another_receipt_handle(bench: Bench) -> None:
    bench.send("a")
    [first] = bench.receive().values()
    bench.defer({first: 0.0})
    [second] = receive_all(bench, 1).values()
    assert second != first
