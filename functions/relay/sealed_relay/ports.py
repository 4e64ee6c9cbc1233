"""What the relay needs from outside. The adapters keep these promises on AWS; the tests' fakes keep the same ones.

Each may also raise any other error. The relay then leaves the messages concerned in the queue.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from sealed_relay.calls.message import Lane
from sealed_relay.kairos.answer import Answer, NotSent
from sealed_relay.kairos.flow import Flow

Value = str | int | bytes | bool
Item = Mapping[str, Value]

KEY = "call_id"
"""The table's only key attribute. All items but outcome records have keys that start with `#`. No flow id does."""


@dataclass(frozen=True, slots=True)
class Change:
    """An update of one existing item, done only if each attribute in `expected` has just that value.

    An attribute whose new value is None is removed.
    """

    key: str
    expected: Mapping[str, Value]
    attributes: Mapping[str, Value | None]


class Table(Protocol):
    """Items by key, read consistently. Each write succeeds or fails alone; the answers are in the writes' order.

    A caller never names a key twice in one `insert` or `update`: DynamoDB refuses a round trip that does. Each
    implementation refuses the whole call with an error, and writes nothing.
    """

    def insert(self, items: Sequence[Item]) -> list[bool]:
        """Write items of up to 400 KB that are not there yet; False where one has the key, which stays as it is."""

    def read(self, keys: Sequence[str]) -> dict[str, Item]:
        """The items that are there, by key."""

    def update(self, changes: Sequence[Change]) -> list[bool]:
        """Change items; False where an expectation did not hold or there is no such item."""


class Flows(Protocol):
    """The flows' secrets."""

    def get(self, flow_id: str, *, fresh: bool = False) -> Flow:
        """The flow; `fresh` asks for it past any cache.

        Raises UnknownFlowError where no secret has its name, and UnusableFlowError where one cannot be read now.
        """


class Connection(Protocol):
    """A connection to the API that stands."""

    def send(self, endpoint: str, body: bytes) -> Answer:
        """POST the outer body to `endpoint` (`outbound` or `outbounddialer`), at most once, and return what came of it.

        It may be called once. It makes no new connection: the answer is NotSent if this one was closed meanwhile.
        """


class Gateway(Protocol):
    """The API, as the relay reaches it."""

    def connect(self, timeout_seconds: float) -> AbstractContextManager[Connection | NotSent]:
        """A connection for the length of a block: a kept one that still stands, or a new one. NotSent if there is none.

        The whole attempt, from here to the answer's last byte, ends after `timeout_seconds`.
        """


@dataclass(frozen=True, slots=True)
class Failure:
    """One message for the failure queue. `body` is text that may hold personal data; no other field does.

    `request_id` is the relay's name for the request, `api_request_id` the API's: "" where there is none.
    """

    body: str = field(repr=False)
    reason: str
    detail: str
    source_message_id: str
    source_queue: Lane
    code: int | None = None
    request_id: str = ""
    api_request_id: str = ""


class FailureQueue(Protocol):
    """The failure queue."""

    def publish(self, failures: Sequence[Failure]) -> None:
        """Return once the queue holds all of them; some may be there twice. Raises if any may be missing."""


class SourceQueue(Protocol):
    """The queue that the messages of an invocation came from."""

    def defer(self, delays_seconds: Mapping[str, float]) -> None:
        """Make messages, by receipt handle, visible again after so many seconds.

        Best effort: a message that this misses comes back when its visibility timeout ends.
        """
