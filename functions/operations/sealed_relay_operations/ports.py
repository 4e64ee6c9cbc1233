"""What a run needs from outside: two queues, the outcome records, a clock.

The adapters on AWS keep these promises, and the fakes in the tests keep the same ones. Each method may also raise any
other error. The error ends the run, and no entry is lost.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from sealed_relay_operations.entry import Entry

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


class IngressQueue(Protocol):
    """The queue to which a run moves entries."""

    def send(self, bodies: Mapping[str, str]) -> set[str]:
        """Send up to 10 bodies, 1 MiB together, each under a message id; the ids of those that the queue took."""


class Records(Protocol):
    """The outcome records."""

    def statuses(self, call_ids: Sequence[str]) -> dict[str, str]:
        """The present status of each call that has a record, by call id."""


@dataclass(frozen=True, slots=True)
class Dependencies:
    """What the composition root hands in. `clock` gives seconds since 1970; `sleep` takes seconds."""

    failure_queue: FailureQueue
    ingress_queue: IngressQueue
    records: Records
    clock: Callable[[], float]
    sleep: Callable[[float], None]
