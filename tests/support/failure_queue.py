"""In-memory fakes of the failure queue and a source queue, as a replay uses them."""

import itertools
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from sealed_relay_operations.reasons import REDRIVEN
from sealed_relay_operations.replay.entry import INGRESS, Entry, calls_in


@dataclass
class _Message:
    body: str
    reason: str
    code: int | None
    sent_at: float
    visible_at: float
    source_queue: str
    receives: int = 0


class InMemoryFailureQueue:
    """Keeps the promises of `ports.FailureQueue`; the oldest entry comes first. `clock` gives seconds since 1970."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._ids = itertools.count(1)
        self._messages: dict[str, _Message] = {}

    def put(
        self,
        body: str,
        reason: str = "",
        code: int | None = None,
        age_seconds: float = 120.0,
        source_queue: str = INGRESS,
    ) -> str:
        """Put an entry there as the relay does, or as SQS does if it has no reason. Returns its message id."""
        message_id = f"entry-{next(self._ids)}"
        sent_at = self._clock() - age_seconds
        self._messages[message_id] = _Message(body, reason or REDRIVEN, code, sent_at, self._clock(), source_queue)
        return message_id

    def receive(self, max_entries: int, visibility_timeout_seconds: int) -> list[Entry]:
        assert 1 <= max_entries <= 10
        visible = [(id_, message) for id_, message in self._messages.items() if message.visible_at <= self._clock()]
        return [self._receive(id_, message, visibility_timeout_seconds) for id_, message in visible[:max_entries]]

    def delete(self, receipt_handles: Collection[str]) -> None:
        for handle in receipt_handles:
            self._messages.pop(_id_in(handle), None)

    def release(self, receipt_handles: Collection[str]) -> None:
        for handle in receipt_handles:
            if _id_in(handle) in self._messages:
                self._messages[_id_in(handle)].visible_at = self._clock()

    @property
    def bodies(self) -> dict[str, str]:
        """The body of each entry, visible or not, by message id."""
        return {message_id: message.body for message_id, message in self._messages.items()}

    @property
    def next_visible_at(self) -> float:
        """When all entries will be visible, in seconds since 1970."""
        return max((message.visible_at for message in self._messages.values()), default=self._clock())

    def all_visible(self) -> bool:
        """Whether each entry can be received now."""
        return self.next_visible_at <= self._clock()

    def _receive(self, message_id: str, message: _Message, visibility_timeout_seconds: int) -> Entry:
        message.visible_at = self._clock() + visibility_timeout_seconds
        message.receives += 1
        return Entry(
            message_id=message_id,
            receipt_handle=f"{message_id}/{message.receives}",
            body=message.body,
            reason=message.reason,
            code=message.code,
            sent_at=message.sent_at,
            calls=calls_in(message.body),
            source_queue=message.source_queue,
        )


class InMemorySourceQueue:
    """Keeps the promises of `ports.SourceQueue`. `put` receives each body that is sent."""

    def __init__(self, put: Callable[[str], object]) -> None:
        self._put = put

    def send(self, entries: Sequence[Entry]) -> set[str]:
        assert 1 <= len(entries) <= 10
        assert sum(len(entry.body.encode()) for entry in entries) <= 1_048_576
        for entry in entries:
            self._put(entry.body)
        return {entry.message_id for entry in entries}


def _id_in(receipt_handle: str) -> str:
    return receipt_handle.partition("/")[0]
