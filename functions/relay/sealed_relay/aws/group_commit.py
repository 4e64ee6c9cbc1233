"""Threads that write at the same time share round trips.

Many requests are answered at about the same time, and each answer is a write. A write leaves at once while fewer than
two round trips are under way. Otherwise it waits and leaves with the other waiting writes in the next round trip. Two
are allowed, so that one slow round trip does not stop the writes of all threads.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

_ROUND_TRIPS_AT_ONCE = 2


class Write(Protocol):
    """One write, of which a round trip takes one for each key."""

    @property
    def key(self) -> str:
        """The key of the item."""

    @property
    def size_bytes(self) -> int:
        """Its approximate size on the wire."""


W = TypeVar("W", bound=Write)
A = TypeVar("A")


@dataclass(slots=True, eq=False)
class _Waiting(Generic[W, A]):
    write: W
    answer: A | None = None
    error: BaseException | None = None

    @property
    def is_done(self) -> bool:
        return self.answer is not None or self.error is not None


class GroupCommit(Generic[W, A]):
    """All threads share one. `round_trip` does a group of writes, each to a different key, and answers each.

    A group has at most `max_writes` writes and `max_bytes` bytes; a larger write goes alone. An error of a round trip
    is raised in each thread with a write in it.
    """

    def __init__(self, round_trip: Callable[[Sequence[W]], Sequence[A]], *, max_writes: int, max_bytes: int) -> None:
        self._round_trip = round_trip
        self._max_writes = max_writes
        self._max_bytes = max_bytes
        self._queue: list[_Waiting[W, A]] = []
        self._under_way = 0
        self._keys_under_way: set[str] = set()
        self._changed = threading.Condition()

    def write(self, writes: Sequence[W]) -> list[A]:
        """Do these writes; their answers in order. Raises the error of a round trip with one of them."""
        own: list[_Waiting[W, A]] = [_Waiting(write) for write in writes]
        with self._changed:
            self._queue += own
        while group := self._next_group(own):
            self._go(group)
        for waiting in own:
            if waiting.error is not None:
                raise waiting.error.with_traceback(None)  # the other threads raise the same error
        return [waiting.answer for waiting in own if waiting.answer is not None]

    def _next_group(self, own: Sequence[_Waiting[W, A]]) -> list[_Waiting[W, A]]:
        """The next round trip for this thread to make; empty once all of its own writes are done."""
        with self._changed:
            while not all(waiting.is_done for waiting in own):
                group = self._group() if self._under_way < _ROUND_TRIPS_AT_ONCE else []
                if group:
                    self._queue = [waiting for waiting in self._queue if waiting not in group]
                    self._under_way += 1
                    self._keys_under_way |= {waiting.write.key for waiting in group}
                    return group
                self._changed.wait()
            return []

    def _group(self) -> list[_Waiting[W, A]]:
        group: list[_Waiting[W, A]] = []
        keys = set(self._keys_under_way)
        left_bytes = self._max_bytes
        for waiting in self._queue:
            write = waiting.write
            if write.key not in keys and (write.size_bytes <= left_bytes or not group):
                group.append(waiting)
                keys.add(write.key)
                left_bytes -= write.size_bytes
            if len(group) == self._max_writes:
                break
        return group

    def _go(self, group: Sequence[_Waiting[W, A]]) -> None:
        try:
            for waiting, answer in zip(group, self._round_trip([each.write for each in group]), strict=True):
                waiting.answer = answer
        except BaseException as error:  # noqa: BLE001 - raised again by each thread that has a write in it
            for waiting in group:
                waiting.error = error
        finally:
            with self._changed:
                self._under_way -= 1
                self._keys_under_way -= {waiting.write.key for waiting in group}
                self._changed.notify_all()
