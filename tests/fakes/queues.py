"""The ingress queue and the failure queue in memory."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sealed_relay.message import Message
from sealed_relay.ports import Failure


@dataclass
class _Queued:
    message_id: str
    body: str
    sent_at: float
    visible_at: float
    receive_count: int = 0


class InMemoryIngress:
    """An SQS queue with its event source: keeps the promises of `ports.Ingress`. `clock` tells seconds since 1970."""

    def __init__(self, clock: Callable[[], float], visibility_timeout_seconds: float = 420.0) -> None:
        self._clock = clock
        self._visibility_timeout_seconds = visibility_timeout_seconds
        self._ids = itertools.count(1)
        self._queued: dict[str, _Queued] = {}

    def send(self, body: str) -> str:
        """Put a message on the queue; its id."""
        message_id = f"message-{next(self._ids)}"
        self._queued[message_id] = _Queued(message_id, body, self._clock(), self._clock())
        return message_id

    def receive(self, most: int) -> list[Message]:
        """Up to so many visible messages, out of sight from now on."""
        visible = [queued for queued in self._queued.values() if queued.visible_at <= self._clock()][:most]
        for queued in visible:
            queued.receive_count += 1
            queued.visible_at = self._clock() + self._visibility_timeout_seconds
        return [
            Message(
                message_id=queued.message_id,
                receipt_handle=queued.message_id,
                body=queued.body,
                sent_at=datetime.fromtimestamp(queued.sent_at, UTC),
                receive_count=queued.receive_count,
            )
            for queued in visible
        ]

    def delete(self, message_id: str) -> None:
        """Take a message off the queue, as its event source does with those that are not handed back."""
        del self._queued[message_id]

    def hand_back(self, delays_seconds: Mapping[str, float]) -> None:
        for receipt_handle, seconds in delays_seconds.items():
            if receipt_handle in self._queued:
                self._queued[receipt_handle].visible_at = self._clock() + seconds

    @property
    def next_visible_at(self) -> float | None:
        """When the next message can be received, in seconds since 1970; None on an empty queue."""
        return min((queued.visible_at for queued in self._queued.values()), default=None)

    def receive_count(self, message_id: str) -> int:
        """How often a message that is still there was received."""
        return self._queued[message_id].receive_count

    @property
    def message_ids(self) -> list[str]:
        """What is on the queue, visible or not."""
        return list(self._queued)


class InMemoryFailures:
    """Keeps the promises of `ports.Failures`. `published` is what the queue holds."""

    def __init__(self) -> None:
        self.published: list[Failure] = []

    def publish(self, failures: Sequence[Failure]) -> None:
        self.published += failures
