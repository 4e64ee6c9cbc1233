"""Runs of the replay over in-memory queues and records. The clock moves only while the run waits."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sealed_relay_operations.answer import Answer
from sealed_relay_operations.entry import Entry
from sealed_relay_operations.event import read_event
from sealed_relay_operations.ports import Dependencies, FailureQueue, IngressQueue, Records
from sealed_relay_operations.replay import Run
from tests.support.clock import Clock
from tests.support.failure_queue import InMemoryFailureQueue, InMemoryIngressQueue
from tests.support.messages import message_body

TIMEOUT_SECONDS = 300.0


class InMemoryRecords:
    """Keeps the promises of `ports.Records`. `by_call_id` are the statuses on record."""

    def __init__(self) -> None:
        self.by_call_id: dict[str, str] = {}

    def statuses(self, call_ids: Sequence[str]) -> dict[str, str]:
        return {call_id: self.by_call_id[call_id] for call_id in call_ids if call_id in self.by_call_id}


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
    """A failure queue, records, and `sent`: the bodies that the ingress queue took, each with its time."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock = clock or Clock()
        self.queue = InMemoryFailureQueue(self.clock)
        self.records = InMemoryRecords()
        self.sent: list[tuple[float, str]] = []

    def fail(self, *names: str, reason: str = "NO_DATA_AVAILABLE", status: str = "REJECTED", **entry: Any) -> str:  # noqa: ANN401 - as `put`
        """Put one entry with calls of these names on the failure queue, and record their status. Its message id."""
        self.records.by_call_id |= {f"FLOWAAAA/{name}": status for name in names}
        return self.queue.put(message_body(*names), reason, **entry)

    def run(self, *, dependencies: Dependencies | None = None, **event: object) -> Answer:
        """Do one run with this event."""
        return self.make_run(dependencies, **event).execute()

    def make_run(self, dependencies: Dependencies | None = None, **event: object) -> Run:
        """A run with this event, not executed yet."""
        return Run(dependencies or self.dependencies(), read_event(event), self.clock.now + TIMEOUT_SECONDS)

    def dependencies(
        self,
        failure_queue: FailureQueue | None = None,
        ingress_queue: IngressQueue | None = None,
        records: Records | None = None,
    ) -> Dependencies:
        """The dependencies of a run. Those that are given replace those of the scene."""
        return Dependencies(
            failure_queue=failure_queue or self.queue,
            ingress_queue=ingress_queue or InMemoryIngressQueue(self._take),
            records=records or self.records,
            clock=self.clock,
            sleep=self._sleep,
        )

    @property
    def bodies_sent(self) -> list[str]:
        """The bodies that the ingress queue took, in order."""
        return [body for _, body in self.sent]

    def _take(self, body: str) -> None:
        self.sent.append((self.clock.now, body))

    def _sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.clock.now += seconds


class RefusingIngress:
    """An ingress queue that refuses the bodies in `refused`."""

    def __init__(self, ingress: IngressQueue, refused: Collection[str]) -> None:
        self._ingress = ingress
        self._refused = refused

    def send(self, bodies: Mapping[str, str]) -> set[str]:
        taken = {message_id: body for message_id, body in bodies.items() if body not in self._refused}
        return self._ingress.send(taken) if taken else set()
