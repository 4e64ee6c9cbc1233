"""What a run needs from outside. The adapters keep these promises on AWS; the tests' fakes keep the same ones.

Each may also raise any other error. The run then ends, and nothing is lost.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from sealed_relay_replay.entry import Entry


class FailureQueue(Protocol):
    """The queue that entries are taken from."""

    def receive(self, most: int, out_of_sight_seconds: int) -> list[Entry]:
        """Up to `most` entries (at most 10), out of everybody's sight for so long; none if none was found."""

    def delete(self, receipt_handles: Collection[str]) -> None:
        """Take up to 10 entries off the queue. One that it keeps refusing to take off comes back into sight."""

    def release(self, receipt_handles: Collection[str]) -> None:
        """Bring any number of entries back into sight; one that this misses comes back when its time is over."""


class IngressQueue(Protocol):
    """The queue that entries are moved to."""

    def send(self, bodies: Mapping[str, str]) -> set[str]:
        """Put up to 10 bodies of 1 MiB together on the queue, by message id; the ids of those that it now holds."""


class Records(Protocol):
    """The outcome records."""

    def statuses(self, call_ids: Sequence[str]) -> dict[str, str]:
        """The status of each call that has a record, by call id, as of now."""


@dataclass(frozen=True, slots=True)
class Dependencies:
    """A run's dependencies. `clock` tells seconds since 1970; `moved` is told of calls that went over, by message."""

    failure_queue: FailureQueue
    ingress_queue: IngressQueue
    records: Records
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    moved: Callable[[Sequence[Entry]], None]
