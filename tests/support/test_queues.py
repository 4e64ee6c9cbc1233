"""What the ingress queue in memory does beyond `ports.Ingress`, as SQS does it and no contract test can wait for it."""

from dataclasses import dataclass

import pytest

from tests.support.queues import InMemoryIngress


@dataclass
class Clock:
    now: float = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_message_received_too_often_is_redriven(clock: Clock) -> None:
    ingress = InMemoryIngress(clock, visibility_timeout_seconds=0.0, max_receives=2)
    message_id = ingress.send("a")
    assert [len(ingress.receive(1)) for _ in range(3)] == [1, 1, 0]
    assert (ingress.redriven, ingress.message_ids) == ([message_id], [])


def test_a_message_can_be_delivered_while_somebody_holds_it(clock: Clock) -> None:
    ingress = InMemoryIngress(clock)
    message_id = ingress.send("a")
    [first] = ingress.receive(1)
    [second] = ingress.receive_these([message_id])
    assert (first.receive_count, second.receive_count) == (1, 2)


def test_a_deleted_message_can_come_back(clock: Clock) -> None:
    ingress = InMemoryIngress(clock)
    message_id = ingress.send("a")
    ingress.delete(message_id)
    assert ingress.receive(1) == []
    ingress.bring_back(message_id)
    assert [message.message_id for message in ingress.receive(1)] == [message_id]


def test_only_the_last_receipt_hands_a_message_back(clock: Clock) -> None:
    ingress = InMemoryIngress(clock)
    message_id = ingress.send("a")
    [first] = ingress.receive(1)
    [second] = ingress.receive_these([message_id])
    ingress.defer({first.receipt_handle: 0.0})
    assert ingress.visible_ids == []
    ingress.defer({second.receipt_handle: 0.0})
    assert ingress.visible_ids == [message_id]


def test_no_message_stays_out_of_sight_for_more_than_twelve_hours(clock: Clock) -> None:
    ingress = InMemoryIngress(clock)
    ingress.send("a")
    [message] = ingress.receive(1)
    ingress.defer({message.receipt_handle: 1e9})
    clock.now += 12 * 3600
    assert len(ingress.receive(1)) == 1
