"""Dependencies that fail or die at a chosen step of a run: between two calls, or in the middle of one."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from sealed_relay_operations.ports import Dependencies, FailureQueue, Records, SourceQueue
from sealed_relay_operations.replay.entry import Entry
from tests.support.crash_at_step import Steps


class AwsError(Exception):
    """A call to AWS failed."""


def crashing(dependencies: Dependencies, steps: Steps) -> Dependencies:
    """The same dependencies, which take a step before and after each thing that they do."""
    return replace(
        dependencies,
        failure_queue=_FailureQueue(dependencies.failure_queue, steps),
        source_queues={name: _SourceQueue(queue, steps) for name, queue in dependencies.source_queues.items()},
        records=_Records(dependencies.records, steps),
    )


class _FailureQueue:
    """Each entry of a batch is a step. A batch may be done in part, or be done although its answer is lost."""

    def __init__(self, queue: FailureQueue, steps: Steps) -> None:
        self._queue = queue
        self._steps = steps

    def receive(self, max_entries: int, visibility_timeout_seconds: int) -> list[Entry]:
        self._steps.take()
        entries = self._queue.receive(max_entries, visibility_timeout_seconds)
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


class _SourceQueue:
    def __init__(self, queue: SourceQueue, steps: Steps) -> None:
        self._queue = queue
        self._steps = steps

    def send(self, entries: Sequence[Entry]) -> set[str]:
        taken: set[str] = set()
        for entry in entries:
            self._steps.take()
            taken |= self._queue.send([entry])
        self._steps.take()
        return taken


class _Records:
    def __init__(self, records: Records, steps: Steps) -> None:
        self._records = records
        self._steps = steps

    def statuses(self, call_ids: Sequence[str]) -> dict[str, str]:
        self._steps.take()
        return self._records.statuses(call_ids)
