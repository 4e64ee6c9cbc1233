"""What a standard queue of SQS may do: find nothing although entries are there, and deliver an entry twice."""

from collections.abc import Collection
from dataclasses import replace

from sealed_relay_operations.ports import FailureQueue
from sealed_relay_operations.replay.answer import Counts
from sealed_relay_operations.replay.entry import Entry
from tests.functional.operations.scene import Scene


class FalteringQueue:
    """Every second receive finds nothing."""

    def __init__(self, queue: FailureQueue) -> None:
        self._queue = queue
        self._receives = 0
        self.delete, self.release = queue.delete, queue.release

    def receive(self, max_entries: int, visibility_timeout_seconds: int) -> list[Entry]:
        self._receives += 1
        return self._queue.receive(max_entries, visibility_timeout_seconds) if self._receives % 2 else []


class CopyingQueue:
    """Delivers each entry a second time, even after its deletion, as SQS does if one of its servers was away."""

    def __init__(self, queue: FailureQueue) -> None:
        self._queue = queue
        self._copies: list[Entry] = []
        self.deleted: list[str] = []
        self.released: list[str] = []

    def receive(self, max_entries: int, visibility_timeout_seconds: int) -> list[Entry]:
        if entries := self._queue.receive(max_entries, visibility_timeout_seconds):
            self._copies += [replace(entry, receipt_handle=f"{entry.message_id}/copy") for entry in entries]
            return entries
        copies, self._copies = self._copies[:max_entries], self._copies[max_entries:]
        return copies

    def delete(self, receipt_handles: Collection[str]) -> None:
        self.deleted += receipt_handles
        self._queue.delete(receipt_handles)

    def release(self, receipt_handles: Collection[str]) -> None:
        self.released += receipt_handles
        self._queue.release(receipt_handles)


def test_run_goes_on_after_one_receive_that_finds_nothing() -> None:
    scene = Scene()
    for number in range(45):
        scene.fail(f"a{number}")
    answer = scene.run(dependencies=scene.dependencies(failure_queue=FalteringQueue(scene.queue)))
    assert answer.complete
    assert answer.total.seen == 45


def test_copy_of_a_moved_entry_is_deleted_and_not_sent() -> None:
    scene = Scene()
    moves = [scene.fail(f"a{number}") for number in range(12)]
    queue = CopyingQueue(scene.queue)

    answer = scene.run(dry_run=False, dependencies=scene.dependencies(failure_queue=queue))

    assert answer.total == Counts(seen=12, chosen=12, moved=12)
    assert len(scene.sent) == 12
    assert {f"{message_id}/copy" for message_id in moves} <= set(queue.deleted)


def test_copy_of_a_staying_entry_is_not_counted_and_is_released() -> None:
    scene = Scene()
    stays = [scene.fail(f"a{number}") for number in range(12)]
    queue = CopyingQueue(scene.queue)

    answer = scene.run(dependencies=scene.dependencies(failure_queue=queue))

    assert answer.total == Counts(seen=12, chosen=12, left=12)
    assert queue.released == [f"{message_id}/copy" for message_id in stays]
