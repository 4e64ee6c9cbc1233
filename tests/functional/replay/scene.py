"""Runs of the replay over in-memory queues and records, under a clock that only moves as the run waits."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sealed_relay_replay.answer import Answer, empty_answer
from sealed_relay_replay.entry import Entry
from sealed_relay_replay.event import read_event
from sealed_relay_replay.ports import Dependencies, FailureQueue, IngressQueue, Records
from sealed_relay_replay.replay import replay
from tests.functional.scene import Clock, message_body
from tests.support.failure_queue import InMemoryFailureQueue, InMemoryIngressEnd

TIMEOUT_SECONDS = 300.0


class InMemoryRecords:
    """Keeps the promises of `ports.Records`. `of` is what it holds."""

    def __init__(self) -> None:
        self.of: dict[str, str] = {}

    def statuses(self, call_ids: Sequence[str]) -> dict[str, str]:
        return {call_id: self.of[call_id] for call_id in call_ids if call_id in self.of}


class SlowFailureQueue:
    """Each receive takes its time."""

    def __init__(self, queue: FailureQueue, clock: Clock, seconds: float) -> None:
        self._queue = queue
        self._clock = clock
        self._seconds = seconds
        self.delete = queue.delete
        self.release = queue.release

    def receive(self, most: int, out_of_sight_seconds: int) -> list[Entry]:
        self._clock.now += self._seconds
        return self._queue.receive(most, out_of_sight_seconds)


class Scene:
    """`sent` is what the ingress queue was given, each with the time."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock = clock or Clock()
        self.queue = InMemoryFailureQueue(self.clock)
        self.records = InMemoryRecords()
        self.sent: list[tuple[float, str]] = []
        self.moved: list[Entry] = []

    def fail(self, *names: str, reason: str = "NO_DATA_AVAILABLE", status: str = "REJECTED", **entry: Any) -> str:  # noqa: ANN401 - as `put`
        """Let calls of these names fail so, on record and in one entry; its message id."""
        self.records.of |= {f"FLOWAAAA/{name}": status for name in names}
        return self.queue.put(message_body(*names), reason, **entry)

    def run(self, *, dependencies: Dependencies | None = None, **event: object) -> Answer:
        """One run with this event."""
        asked = read_event(event)
        answer = empty_answer(asked)
        replay(dependencies or self.dependencies(), asked, answer, self.clock.now + TIMEOUT_SECONDS)
        return answer

    def dependencies(
        self,
        failure_queue: FailureQueue | None = None,
        ingress_queue: IngressQueue | None = None,
        records: Records | None = None,
    ) -> Dependencies:
        """What a run needs, with some of it replaced."""
        return Dependencies(
            failure_queue=failure_queue or self.queue,
            ingress_queue=ingress_queue or InMemoryIngressEnd(self._take),
            records=records or self.records,
            clock=self.clock,
            sleep=self._sleep,
            moved=self.moved.extend,
        )

    @property
    def bodies_sent(self) -> list[str]:
        """What the ingress queue was given, in order."""
        return [body for _, body in self.sent]

    def _take(self, body: str) -> None:
        self.sent.append((self.clock.now, body))

    def _sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.clock.now += seconds


class RefusingIngress:
    """An ingress queue that refuses some bodies."""

    def __init__(self, ingress: IngressQueue, refused: Collection[str]) -> None:
        self._ingress = ingress
        self._refused = refused

    def send(self, bodies: Mapping[str, str]) -> set[str]:
        taken = {message_id: body for message_id, body in bodies.items() if body not in self._refused}
        return self._ingress.send(taken) if taken else set()
