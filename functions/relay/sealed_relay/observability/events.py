"""What the relay tells whoever runs it, as data. None of it holds personal data or secrets."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sealed_relay.calls.outcome import Status
from sealed_relay.kairos.codes import Scope


@dataclass(frozen=True, slots=True)
class BatchReceived:
    """An invocation was handed messages, the oldest of which was sent that long ago."""

    oldest_seconds: float


@dataclass(frozen=True, slots=True)
class RequestSent:
    """One attempt at a request came to an end. `result` is a code's name, or what stands in for an answer."""

    request_id: str
    flow_id: str
    calls: int
    is_resend: bool
    result: str
    code: int | None
    detail: str
    milliseconds: int
    client_identifiers: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class MessageFailed:
    """Calls of a message went to the failure queue, or all of it did: `calls` is 0 where it could not be read."""

    message_id: str
    reason: str
    code: int | None
    calls: int
    request_id: str
    client_identifiers: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class CallsSettled:
    """Calls came to a final status."""

    status: Status
    calls: int


@dataclass(frozen=True, slots=True)
class DuplicatesFound:
    """Calls of another message that are under way or delivered already."""

    calls: int


@dataclass(frozen=True, slots=True)
class CallsWaiting:
    """Calls went back to the queue with their message. `scope`: what is paused, if they wait for that."""

    message_id: str
    reason: str
    calls: int
    retry_in_seconds: float
    flow_id: str = ""
    detail: str = ""
    scope: Scope = Scope.REQUEST


@dataclass(frozen=True, slots=True)
class CallsHeld:
    """Messages went back to the queue untouched: their flow or the account is paused, or the budget is used up.

    `scope` tells which: flow, account, or request. `flow_id` is whose calls they are, `since_ms` when the pause began
    (0 if that is unknown).
    """

    reason: str
    code: int | None
    scope: Scope
    flow_id: str
    messages: int
    calls: int
    retry_in_seconds: float
    since_ms: int


@dataclass(frozen=True, slots=True)
class PausesSeen:
    """An invocation looked at the pauses of the account and of the flows that it has messages of.

    For how long the account, and the flow that has been for longest, is paused; None where none is.
    """

    account_seconds: float | None
    flow_seconds: float | None


@dataclass(frozen=True, slots=True)
class Paused:
    """A flow was paused, or the account: `flow_id` is "" then. Or the reason is another one now; not since when."""

    flow_id: str
    reason: str
    code: int | None
    since_ms: int


@dataclass(frozen=True, slots=True)
class Resumed:
    """A flow, or the account, is not paused any more; it was for so long, at last for that reason."""

    flow_id: str
    reason: str
    paused_seconds: int


@dataclass(frozen=True, slots=True)
class BudgetUsed:
    """How much of a minute's requests is used up, from 0 to 1."""

    share: float


@dataclass(frozen=True, slots=True)
class WorkFailed:
    """Something the relay relies on failed. Messages with calls that it left open stay in the queue."""

    error: BaseException


Observation = (
    BatchReceived
    | RequestSent
    | MessageFailed
    | CallsSettled
    | DuplicatesFound
    | CallsWaiting
    | CallsHeld
    | PausesSeen
    | Paused
    | Resumed
    | BudgetUsed
    | WorkFailed
)
Observe = Callable[[Observation], None]
