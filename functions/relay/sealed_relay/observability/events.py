"""What the relay tells its operators, as data. No event holds personal data or a secret."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sealed_relay.calls.message import Lane
from sealed_relay.calls.outcome import Status
from sealed_relay.kairos.codes import Scope


@dataclass(frozen=True, slots=True)
class BatchReceived:
    """An invocation received messages. `oldest_seconds` is the age of the oldest one."""

    oldest_seconds: float


@dataclass(frozen=True, slots=True)
class RequestSent:
    """One attempt to send a request ended.

    `result` is the name of the API's code, or a `Reason` where the API did not answer. `detail` is one sentence without
    personal data. `start_times_moved` is how many start times were moved into the flow's calling hours, and
    `moved_to` the earliest of these. A resend leaves both empty.
    """

    request_id: str
    flow_id: str
    calls: int
    is_resend: bool
    result: str
    code: int | None
    detail: str
    milliseconds: int
    client_identifiers: Sequence[str] = ()
    api_request_id: str = ""
    start_times_moved: int = 0
    moved_to: str = ""


@dataclass(frozen=True, slots=True)
class MessageFailed:
    """Calls of a message went to the failure queue. `calls` is 0 if the message could not be read and went there whole.

    `detail` is one sentence without personal data.
    """

    message_id: str
    reason: str
    code: int | None
    calls: int
    request_id: str
    client_identifiers: Sequence[str] = ()
    detail: str = ""
    api_request_id: str = ""


@dataclass(frozen=True, slots=True)
class CallsSettled:
    """So many calls of messages from one queue got a final status.

    `seconds` are those since the message was sent, one for each call.
    """

    status: Status
    calls: int
    queue: Lane
    seconds: Sequence[float]


@dataclass(frozen=True, slots=True)
class DuplicatesFound:
    """So many calls belong to another message, which sends them or has delivered them."""

    calls: int


@dataclass(frozen=True, slots=True)
class CallsWaiting:
    """Calls of a message got the status WAITING, and the message comes back later.

    `scope` says what is paused: the account or the flow; REQUEST if nothing is. `detail` is one sentence without
    personal data.
    """

    message_id: str
    reason: str
    calls: int
    retry_in_seconds: float
    flow_id: str = ""
    detail: str = ""
    scope: Scope = Scope.REQUEST


@dataclass(frozen=True, slots=True)
class MessagesDeferred:
    """Messages with calls of one flow come back later, untouched.

    `scope` says what is paused: the account or the flow; REQUEST if the rate limit is used up.
    """

    reason: str
    code: int | None
    scope: Scope
    flow_id: str
    messages: int
    calls: int
    retry_in_seconds: float


@dataclass(frozen=True, slots=True)
class PauseSeen:
    """A batch found a flow, or the account if `flow_id` is "", paused or not: `reason` is "" if not.

    A flow whose secret cannot be used counts as paused here, because its calls wait too. `since_ms` is when the pause
    began, in milliseconds since 1970; 0 if nobody knows.
    """

    flow_id: str
    reason: str
    code: int | None
    since_ms: int


@dataclass(frozen=True, slots=True)
class Paused:
    """A flow was paused, or the account if `flow_id` is "". Or a pause goes on for another reason.

    `since_ms` is when the pause began, in milliseconds since 1970.
    """

    flow_id: str
    reason: str
    code: int | None
    since_ms: int


@dataclass(frozen=True, slots=True)
class Resumed:
    """A flow was resumed, or the account if `flow_id` is "". `reason` is the pause's last one."""

    flow_id: str
    reason: str
    paused_seconds: int


@dataclass(frozen=True, slots=True)
class BudgetUsed:
    """The share of `RequestsPerMinute` that is used up, from 0 to 1."""

    share: float


@dataclass(frozen=True, slots=True)
class WorkFailed:
    """A piece of work failed. The messages of the calls that it left open stay in the queue."""

    error: BaseException


Observation = (
    BatchReceived
    | RequestSent
    | MessageFailed
    | CallsSettled
    | DuplicatesFound
    | CallsWaiting
    | MessagesDeferred
    | PauseSeen
    | Paused
    | Resumed
    | BudgetUsed
    | WorkFailed
)
Observe = Callable[[Observation], None]
