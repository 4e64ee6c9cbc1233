"""What the function needs from outside: the queues, the outcome records, the pauses, a clock.

The adapters on AWS keep these promises, and the fakes in the tests keep the same ones. Each method may also raise any
other error. The error ends the action, and no entry is lost.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from msgspec import Struct

from sealed_relay_operations.pauses import Item
from sealed_relay_operations.replay.entry import Entry

MAX_BATCH_ENTRIES = 10
"""How many messages SQS takes, hands over, deletes or makes visible in one request: its quota."""
MAX_BATCH_BYTES = 1_048_576
"""How long all bodies of one batch may be together. One body alone may be as long: SQS's quotas of 2025."""


class FailureQueue(Protocol):
    """The queue from which a run takes entries."""

    def receive(self, max_entries: int, visibility_timeout_seconds: int) -> list[Entry]:
        """Up to `max_entries` entries (at most 10), which nobody else receives for that long; empty if none is found.

        A call that finds nothing takes about a second: it is a long poll.
        """

    def delete(self, receipt_handles: Collection[str]) -> None:
        """Delete up to 10 entries. An entry that the queue refuses to delete again and again becomes visible later."""

    def release(self, receipt_handles: Collection[str]) -> None:
        """Make any number of entries visible now. An entry that this fails for becomes visible after its timeout."""


class SourceQueue(Protocol):
    """A queue from which the relay takes messages, and to which a run moves entries."""

    def send(self, entries: Sequence[Entry]) -> set[str]:
        """Send the bodies of up to 10 entries, 1 MiB together; the message ids of those that the queue took."""


class Records(Protocol):
    """The outcome records."""

    def statuses(self, call_ids: Sequence[str]) -> dict[str, str]:
        """The present status of each call that has a record, by call id."""


class Pauses(Protocol):
    """The pauses in the outcomes table, each under its key; see `pauses.key_of`."""

    def put(self, key: str, item: Item) -> Item:
        """Write a pause over the item with this key, and return that item as it was before; empty if there was none."""

    def delete(self, key: str) -> Item:
        """Delete a pause, and return what was there; empty if nothing was."""

    def list_keys(self) -> list[str]:
        """The keys of all pauses. A change of the last moment may be missing."""

    def read(self, keys: Sequence[str]) -> dict[str, Item]:
        """The items with these keys as they are now, those that there are."""


class Messages(Struct):
    """How many messages a queue has, about. `in_flight`: deferred, or with the function at the moment."""

    ready: int
    in_flight: int


@dataclass(frozen=True, slots=True)
class Dependencies:
    """What the composition root hands in. `clock` gives seconds since 1970; `sleep` takes seconds.

    `source_queues` are the queues that entries return to, by the name that an entry's `source_queue` has.
    """

    failure_queue: FailureQueue
    source_queues: Mapping[str, SourceQueue]
    records: Records
    pauses: Pauses
    count_messages: Callable[[], Mapping[str, Messages]]
    clock: Callable[[], float]
    sleep: Callable[[float], None]
