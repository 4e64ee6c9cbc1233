"""The ingress queue and the failure queue in memory."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sealed_relay.calls.message import Message
from sealed_relay.ports import Failure

LONGEST_VISIBILITY_SECONDS = 43_200 - 900
"""SQS allows 12 hours from the receipt, of which no invocation can have used more than 15 minutes."""


@dataclass
class _Queued:
    message_id: str
    body: str
    sent_at: float
    visible_at: float
    receive_count: int = 0

    @property
    def receipt_handle(self) -> str:
        """As SQS's, another one for every receive."""
        return f"{self.message_id}#{self.receive_count}"

    def as_received(self) -> Message:
        sent_at = datetime.fromtimestamp(self.sent_at, UTC)
        return Message(self.message_id, self.receipt_handle, self.body, sent_at, self.receive_count)


class InMemoryIngress:
    """An SQS queue with its event source: keeps the promises of `ports.Ingress`. `clock` tells seconds since 1970.

    The ids of its messages begin with `id_prefix`.
    `redriven` holds the ids of messages that were received `max_receives` times and were to be received once more.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        visibility_timeout_seconds: float = 420.0,
        max_receives: int = 1000,
        id_prefix: str = "message-",
    ) -> None:
        self._clock = clock
        self._visibility_timeout_seconds = visibility_timeout_seconds
        self._most_receives = max_receives
        self._id_prefix = id_prefix
        self._ids = itertools.count(1)
        self._queued: dict[str, _Queued] = {}
        self._deleted: dict[str, _Queued] = {}
        self.redriven: list[str] = []

    def send(self, body: str) -> str:
        """Put a message on the queue; its id."""
        message_id = f"{self._id_prefix}{next(self._ids)}"
        sent_at = int(self._clock() * 1000) / 1000  # SQS tells it in milliseconds
        self._queued[message_id] = _Queued(message_id, body, sent_at, sent_at)
        return message_id

    def receive(self, most: int) -> list[Message]:
        """Up to so many visible messages, out of sight from now on."""
        return self.receive_these(self.visible_ids[:most])

    def receive_these(self, message_ids: Sequence[str]) -> list[Message]:
        """These messages, out of sight from now on, also where somebody else holds them: SQS may deliver one twice."""
        received = []
        for message_id in message_ids:
            queued = self._queued[message_id]
            if queued.receive_count == self._most_receives:
                self.redriven.append(message_id)
                del self._queued[message_id]
                continue
            queued.receive_count += 1
            queued.visible_at = self._clock() + self._visibility_timeout_seconds
            received.append(queued.as_received())
        return received

    def delete(self, message_id: str) -> None:
        """Take a message off the queue, as its event source does with those that are not handed back."""
        self._deleted[message_id] = self._queued.pop(message_id)

    def bring_back(self, message_id: str) -> None:
        """Make a deleted message visible again, as SQS may when one of its servers missed the deletion."""
        queued = self._deleted.pop(message_id)
        queued.visible_at = self._clock()
        self._queued[message_id] = queued

    def defer(self, delays_seconds: Mapping[str, float]) -> None:
        for receipt_handle, seconds in delays_seconds.items():
            queued = self._queued.get(receipt_handle.partition("#")[0])
            if queued is not None and queued.receipt_handle == receipt_handle:
                queued.visible_at = self._clock() + min(seconds, LONGEST_VISIBILITY_SECONDS)

    @property
    def next_visible_at(self) -> float | None:
        """When the next message can be received, in seconds since 1970; None on an empty queue."""
        return min((queued.visible_at for queued in self._queued.values()), default=None)

    @property
    def visible_ids(self) -> list[str]:
        """What can be received now."""
        now = self._clock()
        return [queued.message_id for queued in self._queued.values() if queued.visible_at <= now]

    @property
    def deleted_ids(self) -> list[str]:
        """What was taken off the queue."""
        return list(self._deleted)

    def holds(self, message_id: str) -> bool:
        """Whether a message is on the queue, visible or not."""
        return message_id in self._queued

    def receive_count(self, message_id: str) -> int:
        """How often a message that is still there was received."""
        return self._queued[message_id].receive_count

    @property
    def highest_receive_count(self) -> int:
        """How often the message was received that was received most often, of those there and those deleted."""
        return max(
            (queued.receive_count for held in (self._queued, self._deleted) for queued in held.values()), default=0
        )

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
