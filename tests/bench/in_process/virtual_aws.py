"""The table, the queue and the way to the API under virtual time: each takes some time, and nothing fails.

What a backlog of hours would fill the memory with is left out: the queue makes its messages as they are received, and
the table forgets what is never looked at again, the records of calls that have ended and the envelopes.
"""

import heapq
import itertools
import math
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from sealed_relay.calls.message import Message
from sealed_relay.kairos.answer import Answer
from sealed_relay.ports import Change, Item
from tests.campaign.virtual_time import Schedule
from tests.support.gateway import GatewayInOnePiece, SimulatedGateway
from tests.support.table import InMemoryTable

_ROUND_TRIP_SECONDS = 0.01
_WRITES_A_ROUND_TRIP = 25
_ROUND_TRIPS_AT_ONCE = 8
API_LATENCY_SECONDS = 0.2
_MAX_IN_FLIGHT = 120_000
"""The number of messages in flight that SQS allows, deferred ones that are still invisible included."""


class VirtualTable:
    """Keeps the promises of `ports.Table`. Batches take as many round trips as the adapter makes of them."""

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule
        self._table = InMemoryTable()

    def insert(self, items: Sequence[Item]) -> list[bool]:
        self._pass_time(len(items) / _WRITES_A_ROUND_TRIP)
        return self._table.insert(items)

    def update(self, changes: Sequence[Change]) -> list[bool]:
        self._pass_time(len(changes) / _WRITES_A_ROUND_TRIP)
        done = self._table.update(changes)
        for change in changes:
            if change.attributes.get("is_open") is False:
                self._table.items.pop(change.key, None)
        return done

    def read(self, keys: Sequence[str]) -> dict[str, Item]:
        self._pass_time(1)
        return self._table.read(keys)

    def _pass_time(self, round_trips: float) -> None:
        self._schedule.sleep(math.ceil(math.ceil(round_trips) / _ROUND_TRIPS_AT_ONCE) * _ROUND_TRIP_SECONDS)


class Backlog:
    """A queue with messages that were there from the start, and later ones; keeps the promises of `ports.SourceQueue`.

    What comes back into sight is received before what never was: SQS hands over the oldest first, by and large.
    """

    def __init__(self, schedule: Schedule, bodies: Iterator[str]) -> None:
        self._schedule = schedule
        self._sent_at = datetime.fromtimestamp(schedule.now, UTC)
        self._new = (
            Message(f"message-{number}", f"message-{number}", body, self._sent_at, 1)
            for number, body in enumerate(bodies)
        )
        self._later: deque[Message] = deque()
        self._ids = itertools.count()
        self._in_flight: dict[str, Message] = {}
        self._coming_back: list[tuple[float, str]] = []

    def send(self, body: str) -> None:
        """Put another message on the queue, behind all others."""
        message_id = f"later-{next(self._ids)}"
        sent_at = datetime.fromtimestamp(self._schedule.now, UTC)
        self._later.append(Message(message_id, message_id, body, sent_at, 1))

    def receive(self, most: int) -> list[Message]:
        """Receive up to so many messages."""
        received: list[Message] = []
        while len(received) < most and self._coming_back and self._coming_back[0][0] <= self._schedule.now:
            message = self._in_flight[heapq.heappop(self._coming_back)[1]]
            received.append(
                Message(
                    message.message_id, message.receipt_handle, message.body, message.sent_at, message.receive_count + 1
                )
            )
        self._in_flight |= {message.receipt_handle: message for message in received}
        while len(received) < most and len(self._in_flight) < _MAX_IN_FLIGHT and (new := self._next_new()):
            received.append(new)
            self._in_flight[new.receipt_handle] = new
        return received

    def _next_new(self) -> Message | None:
        return next(self._new, None) or (self._later.popleft() if self._later else None)

    def delete(self, message: Message) -> None:
        """Delete a received message."""
        del self._in_flight[message.receipt_handle]

    def defer(self, delays_seconds: Mapping[str, float]) -> None:
        self._schedule.sleep(_ROUND_TRIP_SECONDS)
        for receipt_handle, seconds in delays_seconds.items():
            whole_seconds = int(max(0.0, seconds)) + 1  # as the adapter has it
            heapq.heappush(self._coming_back, (self._schedule.now + whole_seconds, receipt_handle))


class VirtualGateway(GatewayInOnePiece):
    """Keeps the promises of `ports.Gateway`: half the latency on the way there, half on the way back."""

    def __init__(self, schedule: Schedule, simulated: SimulatedGateway) -> None:
        self._schedule = schedule
        self._simulated = simulated

    def send(self, endpoint: str, body: bytes, timeout_seconds: float) -> Answer:
        self._schedule.sleep(API_LATENCY_SECONDS / 2)
        answer = self._simulated.send(endpoint, body, timeout_seconds)
        self._simulated.bodies.clear()
        self._schedule.sleep(API_LATENCY_SECONDS / 2)
        return answer
