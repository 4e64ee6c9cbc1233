"""Actions of an operator over in-memory queues, records and pauses. The clock moves only while a run waits."""

from collections.abc import Collection, Sequence
from functools import partial
from typing import Any

from sealed_relay_operations.pauses import LISTED_AS, Item
from sealed_relay_operations.ports import Dependencies, FailureQueue, Messages, Records, SourceQueue
from sealed_relay_operations.replay.answer import Answer
from sealed_relay_operations.replay.entry import Entry
from sealed_relay_operations.replay.run import Run
from sealed_relay_operations.request import Replay, read_request
from tests.support.clock import Clock
from tests.support.failure_queue import InMemoryFailureQueue, InMemorySourceQueue
from tests.support.messages import message_body

TIMEOUT_SECONDS = 300.0


class InMemoryRecords:
    """Keeps the promises of `ports.Records`. `by_call_id` are the statuses on record."""

    def __init__(self) -> None:
        self.by_call_id: dict[str, str] = {}

    def statuses(self, call_ids: Sequence[str]) -> dict[str, str]:
        return {call_id: self.by_call_id[call_id] for call_id in call_ids if call_id in self.by_call_id}


class InMemoryPauses:
    """Keeps the promises of `ports.Pauses`. `items` may be those of the relay's table in memory."""

    def __init__(self, items: dict[str, Any]) -> None:
        self._items = items

    def put(self, key: str, item: Item) -> Item:
        before: Item = self._items.get(key, {})
        self._items[key] = {**item, "call_id": key}
        return before

    def delete(self, key: str) -> Item:
        before: Item = self._items.pop(key, {})
        return before

    def list_keys(self) -> list[str]:
        return [key for key, item in self._items.items() if item.get(LISTED_AS)]

    def read(self, keys: Sequence[str]) -> dict[str, Item]:
        return {key: self._items[key] for key in keys if key in self._items}


class SlowFailureQueue:
    """Each receive takes `seconds`."""

    def __init__(self, queue: FailureQueue, clock: Clock, seconds: float) -> None:
        self._queue = queue
        self._clock = clock
        self._seconds = seconds
        self.delete = queue.delete
        self.release = queue.release

    def receive(self, max_entries: int, visibility_timeout_seconds: int) -> list[Entry]:
        self._clock.now += self._seconds
        return self._queue.receive(max_entries, visibility_timeout_seconds)


class Scene:
    """A failure queue, records, and `sent`: the bodies that the source queues took, each with its time.

    `queues_of` tells by body which queue took it. `table_items` are the items of the outcomes table that pause.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock = clock or Clock()
        self.queue = InMemoryFailureQueue(self.clock)
        self.records = InMemoryRecords()
        self.sent: list[tuple[float, str]] = []
        self.queues_of: dict[str, str] = {}
        self.table_items: dict[str, Any] = {}

    def fail(self, *names: str, reason: str = "NO_DATA_AVAILABLE", status: str = "REJECTED", **entry: Any) -> str:  # noqa: ANN401 - as `put`
        """Put one entry with calls of these names on the failure queue, and record their status. Its message id."""
        self.records.by_call_id |= {f"FLOWAAAA/{name}": status for name in names}
        return self.queue.put(message_body(*names), reason, **entry)

    def run(self, *, dependencies: Dependencies | None = None, **event: object) -> Answer:
        """Do one run with this event."""
        return self.make_run(dependencies, **event).execute()

    def make_run(self, dependencies: Dependencies | None = None, **event: object) -> Run:
        """A run with this event, not executed yet."""
        request = read_request({"action": "replay", **event})
        assert isinstance(request, Replay)
        return Run(dependencies or self.dependencies(), request, self.clock.now + TIMEOUT_SECONDS)

    def dependencies(
        self,
        failure_queue: FailureQueue | None = None,
        ingress_queue: SourceQueue | None = None,
        records: Records | None = None,
    ) -> Dependencies:
        """The dependencies of a run. Those that are given replace those of the scene."""
        return Dependencies(
            failure_queue=failure_queue or self.queue,
            source_queues={
                "ingress": ingress_queue or InMemorySourceQueue(partial(self._take, "ingress")),
                "urgent": InMemorySourceQueue(partial(self._take, "urgent")),
            },
            records=records or self.records,
            pauses=InMemoryPauses(self.table_items),
            count_messages=lambda: {"ingress": Messages(0, 0), "failure": Messages(len(self.queue.bodies), 0)},
            clock=self.clock,
            sleep=self._sleep,
        )

    @property
    def bodies_sent(self) -> list[str]:
        """The bodies that the source queues took, in order."""
        return [body for _, body in self.sent]

    def _take(self, queue: str, body: str) -> None:
        self.queues_of[body] = queue
        self.sent.append((self.clock.now, body))

    def _sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.clock.now += seconds


class RefusingIngress:
    """An ingress queue that refuses the bodies in `refused`."""

    def __init__(self, ingress: SourceQueue, refused: Collection[str]) -> None:
        self._ingress = ingress
        self._refused = refused

    def send(self, entries: Sequence[Entry]) -> set[str]:
        taken = [entry for entry in entries if entry.body not in self._refused]
        return self._ingress.send(taken) if taken else set()
