"""A dependencies that ends at a chosen step: between any two things that a run does to it, or half-way through one."""

from collections.abc import Collection, Mapping, Sequence

from sealed_relay_replay.entry import Entry
from sealed_relay_replay.ports import Dependencies, FailureQueue, IngressQueue, Records


class Killed(BaseException):
    """The function is gone. Not an Exception: nothing may catch it, and nothing more is done after it."""


class Steps:
    """Counts what is done to the dependencies, and lets nothing be done from step number `fatal` on."""

    def __init__(self, fatal: int, error: BaseException | None = None) -> None:
        self.taken = 0
        self._fatal = fatal
        self._error = error

    def take(self) -> None:
        self.taken += 1
        if self._error is not None and self.taken == self._fatal:
            raise self._error
        if self._error is None and self.taken >= self._fatal:
            raise Killed


def dying(dependencies: Dependencies, steps: Steps) -> Dependencies:
    """The same dependencies, until it ends."""
    return Dependencies(
        failure_queue=_FailureQueue(dependencies.failure_queue, steps),
        ingress_queue=_IngressQueue(dependencies.ingress_queue, steps),
        records=_Records(dependencies.records, steps),
        clock=dependencies.clock,
        sleep=dependencies.sleep,
        moved=dependencies.moved,
    )


class _FailureQueue:
    """Each single entry is a step: a batch may be done in part, and all of it without the answer coming back."""

    def __init__(self, queue: FailureQueue, steps: Steps) -> None:
        self._queue = queue
        self._steps = steps

    def receive(self, most: int, out_of_sight_seconds: int) -> list[Entry]:
        self._steps.take()
        entries = self._queue.receive(most, out_of_sight_seconds)
        self._steps.take()
        return entries

    def delete(self, receipt_handles: Collection[str]) -> None:
        for handle in receipt_handles:
            self._steps.take()
            self._queue.delete([handle])
        self._steps.take()

    def release(self, receipt_handles: Collection[str]) -> None:
        for handle in receipt_handles:
            self._steps.take()
            self._queue.release([handle])


class _IngressQueue:
    def __init__(self, queue: IngressQueue, steps: Steps) -> None:
        self._queue = queue
        self._steps = steps

    def send(self, bodies: Mapping[str, str]) -> set[str]:
        taken: set[str] = set()
        for message_id, body in bodies.items():
            self._steps.take()
            taken |= self._queue.send({message_id: body})
        self._steps.take()
        return taken


class _Records:
    def __init__(self, records: Records, steps: Steps) -> None:
        self._records = records
        self._steps = steps

    def statuses(self, call_ids: Sequence[str]) -> dict[str, str]:
        self._steps.take()
        return self._records.statuses(call_ids)
