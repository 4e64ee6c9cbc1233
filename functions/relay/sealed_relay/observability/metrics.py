"""The relay's metrics as data: what it emits, and what the dashboard and the alarms can ask CloudWatch for.

CloudWatch stores each combination of name and dimensions as a metric of its own, and never adds them up. So a number
that an alarm must see as one is a metric of its own.
"""

from dataclasses import dataclass
from enum import StrEnum

from sealed_relay.calls.message import Lane
from sealed_relay.calls.outcome import Reason, Status
from sealed_relay.kairos.codes import CODES, Scope, Verdict

NAMESPACE = "SealedRelay"
SERVICE = "service"
"""The dimension of every metric; `sealed-relay-{stage}`."""


class Unit(StrEnum):
    """The units in use, as CloudWatch names them."""

    COUNT = "Count"
    SECONDS = "Seconds"
    MILLISECONDS = "Milliseconds"
    PERCENT = "Percent"


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric. `dimension` is what it has beside `service`, if anything; `values` are all values of that."""

    name: str
    unit: Unit = Unit.COUNT
    dimension: str = ""
    values: tuple[str, ...] = ()


_UNKNOWN_CODE = "UNKNOWN_CODE"
_NO_VERDICT = (Reason.NOT_SENT, Reason.NO_ANSWER, Reason.WRONG_ADDRESS)
_MAY_BE_REJECTED = {Verdict.RETRY_FRESH, Verdict.ISOLATE, Verdict.SPLIT, Verdict.REJECT}

CALLS = Metric("Calls", dimension="Status", values=tuple(status for status in Status if status.is_final))
"""Calls by final status. What still waits is in the ingress queue, and SQS counts it there."""

SECONDS_TO_ACCEPTED = Metric("SecondsToAccepted", Unit.SECONDS, dimension="Queue", values=tuple(Lane))
"""From the message's `SentTimestamp` until the API has the call and its record says so. One value for each call."""

ANSWERS = Metric(
    "Answers",
    dimension="Code",
    values=(*(f"{code.number} {code.name}" for code in CODES.values()), _UNKNOWN_CODE, *_NO_VERDICT),
)
FAILED_MESSAGES = Metric(
    "FailedMessages",
    dimension="Reason",
    values=(
        *(code.name for code in CODES.values() if code.verdict in _MAY_BE_REJECTED),
        Reason.INVALID_MESSAGE,
        Reason.UNKNOWN_FLOW,
        Reason.CLIENT_IDENTIFIER_REUSED,
        Reason.EXPIRED,
        Reason.UNRESOLVED,
    ),
)
"""Messages that the relay put on the failure queue."""

DUPLICATES = Metric("Duplicates")
REQUESTS_SENT = Metric("RequestsSent")
REQUESTS_RESENT = Metric("RequestsResent")
REQUESTS_FAILED = Metric("RequestsFailed")
"""Attempts that failed at the API or on the way there, through no fault of a call or a flow."""
CALLS_PER_REQUEST = Metric("CallsPerRequest")
REQUEST_MILLISECONDS = Metric("RequestMilliseconds", Unit.MILLISECONDS)
START_TIMES_MOVED = Metric("StartTimesMoved")
"""Calls that were sent with a start time that their flow's calling hours moved, counted at each request."""
OLDEST_MESSAGE_SECONDS = Metric("OldestMessageSeconds", Unit.SECONDS)
"""Age of a batch's oldest message. SQS's own metric leaves out messages that were received three times or more."""
WAITING_ON_ACCOUNT = Metric("MessagesWaitingOnAccount")
WAITING_ON_FLOW = Metric("MessagesWaitingOnFlow")
WAITING_ON_RATE = Metric("MessagesWaitingOnRate")
"""Messages that went back to the queue, counted each time.

The account is paused; a flow is paused or its secret cannot be used; the rate limit is used up.
"""
RATE_BUDGET_PERCENT = Metric("RateBudgetPercent", Unit.PERCENT)
"""The largest share of `RequestsPerMinute` that an invocation saw used."""

METRICS = (
    CALLS,
    SECONDS_TO_ACCEPTED,
    ANSWERS,
    FAILED_MESSAGES,
    DUPLICATES,
    REQUESTS_SENT,
    REQUESTS_RESENT,
    REQUESTS_FAILED,
    CALLS_PER_REQUEST,
    REQUEST_MILLISECONDS,
    START_TIMES_MOVED,
    OLDEST_MESSAGE_SECONDS,
    WAITING_ON_ACCOUNT,
    WAITING_ON_FLOW,
    WAITING_ON_RATE,
    RATE_BUDGET_PERCENT,
)

REPLAYED_MESSAGES = Metric("ReplayedMessages")
REPLAYED_CALLS = Metric("ReplayedCalls")
REPLAY_METRICS = (REPLAYED_MESSAGES, REPLAYED_CALLS)
"""The operations function emits these, with the same namespace and `service`: here for the dashboard's tests."""

WAITING_ON = {Scope.ACCOUNT: WAITING_ON_ACCOUNT, Scope.FLOW: WAITING_ON_FLOW}
"""Messages that wait until people act."""

_SCOPES = {code.name: code.scope for code in CODES.values()} | {Reason.FLOW_SECRET_UNUSABLE: Scope.FLOW}
_FAILURES = {
    *(code.name for code in CODES.values() if code.scope is Scope.REQUEST and code.verdict is Verdict.RETRY_FRESH),
    _UNKNOWN_CODE,
    *_NO_VERDICT,
}


def answer_value(code: int | None, result: str) -> str:
    """The value of dimension `Code` for an attempt. All codes that the API does not document share one."""
    return f"{code} {result}" if code in CODES else result


def waiting_metric(reason: str, scope: Scope = Scope.REQUEST) -> Metric | None:
    """The metric that counts messages that wait for this reason, if any. `scope` is what is paused, or REQUEST."""
    if scope in WAITING_ON:  # paused, perhaps by a person, who may give any reason
        return WAITING_ON[scope]
    if reason == Reason.RATE_LIMITED:
        return WAITING_ON_RATE
    return WAITING_ON.get(_SCOPES.get(reason, Scope.REQUEST))


def is_failed_request(result: str) -> bool:
    """Whether an attempt with this result counts in `REQUESTS_FAILED`."""
    return result in _FAILURES
