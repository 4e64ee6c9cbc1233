"""What a standard queue may do: find nothing where there is something, and deliver a message twice."""

from collections.abc import Collection
from dataclasses import replace

from sealed_relay_replay.answer import Counts
from sealed_relay_replay.entry import Entry
from sealed_relay_replay.ports import FailureQueue
from tests.functional.replay.scene import Scene


class FalteringQueue:
    """Finds nothing every other time."""

    def __init__(self, queue: FailureQueue) -> None:
        self._queue = queue
        self._receives = 0
        self.delete, self.release = queue.delete, queue.release

    def receive(self, most: int, out_of_sight_seconds: int) -> list[Entry]:
        self._receives += 1
        return self._queue.receive(most, out_of_sight_seconds) if self._receives % 2 else []


class CopyingQueue:
    """Delivers everything a second time, whether it was deleted or not: one of SQS's servers was away meanwhile."""

    def __init__(self, queue: FailureQueue) -> None:
        self._queue = queue
        self._copies: list[Entry] = []
        self.deleted: list[str] = []
        self.handed_back: list[str] = []

    def receive(self, most: int, out_of_sight_seconds: int) -> list[Entry]:
        if entries := self._queue.receive(most, out_of_sight_seconds):
            self._copies += [replace(entry, receipt_handle=f"{entry.message_id}/copy") for entry in entries]
            return entries
        copies, self._copies = self._copies[:most], self._copies[most:]
        return copies

    def delete(self, receipt_handles: Collection[str]) -> None:
        self.deleted += receipt_handles
        self._queue.delete(receipt_handles)

    def release(self, receipt_handles: Collection[str]) -> None:
        self.handed_back += receipt_handles
        self._queue.release(receipt_handles)


def test_one_receive_that_finds_nothing_is_not_the_end_of_the_queue() -> None:
    scene = Scene()
    for number in range(45):
        scene.fail(f"a{number}")
    answer = scene.run(dependencies=scene.dependencies(failure_queue=FalteringQueue(scene.queue)))
    assert answer.complete
    assert answer.total.seen == 45


def test_a_copy_of_what_was_moved_is_taken_off_and_not_sent_again() -> None:
    scene = Scene()
    moves = [scene.fail(f"a{number}") for number in range(12)]
    queue = CopyingQueue(scene.queue)

    answer = scene.run(dry_run=False, dependencies=scene.dependencies(failure_queue=queue))

    assert answer.total == Counts(seen=12, chosen=12, moved=12)
    assert len(scene.sent) == 12
    assert {f"{message_id}/copy" for message_id in moves} <= set(queue.deleted)


def test_a_copy_of_what_stays_is_counted_once_and_handed_back_by_its_latest_receipt() -> None:
    scene = Scene()
    stays = [scene.fail(f"a{number}") for number in range(12)]
    queue = CopyingQueue(scene.queue)

    answer = scene.run(dependencies=scene.dependencies(failure_queue=queue))

    assert answer.total == Counts(seen=12, chosen=12, left=12)
    assert queue.handed_back == [f"{message_id}/copy" for message_id in stays]
