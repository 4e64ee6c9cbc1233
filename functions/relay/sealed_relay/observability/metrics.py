"""The relay's metrics as data: what it emits, and so what the dashboard and the alarms may ask CloudWatch for.

CloudWatch keeps each combination of a name and dimensions apart and adds none of them up, so what an alarm must see as
one number is a metric of its own.
"""

from dataclasses import dataclass
from enum import StrEnum

from sealed_relay.calls.outcome import Reason, Status
from sealed_relay.kairos.codes import CODES, Scope, Verdict

NAMESPACE = "SealedRelay"
SERVICE = "service"
"""The dimension of every metric; `sealed-relay-{stage}`."""


class Unit(StrEnum):
    """CloudWatch's names of the units in use."""

    COUNT = "Count"
    SECONDS = "Seconds"
    MILLISECONDS = "Milliseconds"
    PERCENT = "Percent"


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric, and the dimension it has beside `service`, if any, which takes these values and no others."""

    name: str
    unit: Unit = Unit.COUNT
    dimension: str = ""
    values: tuple[str, ...] = ()


_UNKNOWN_CODE = "UNKNOWN_CODE"
_NO_VERDICT = (Reason.NOT_SENT, Reason.NO_ANSWER, Reason.WRONG_ADDRESS)
_NEVER_REJECTED = {Verdict.ACCEPT, Verdict.PAUSE, Verdict.REFRESH_SECRET}

CALLS = Metric("Calls", dimension="Status", values=tuple(status for status in Status if status is not Status.SENDING))
"""Calls by what they came to. WAITING counts each time that a call is put off."""

ANSWERS = Metric(
    "Answers",
    dimension="Code",
    values=(*(f"{code.number} {code.name}" for code in CODES.values()), _UNKNOWN_CODE, *_NO_VERDICT),
)
FAILED_MESSAGES = Metric(
    "FailedMessages",
    dimension="Reason",
    values=(
        *(code.name for code in CODES.values() if code.verdict not in _NEVER_REJECTED),
        _UNKNOWN_CODE,
        Reason.INVALID_MESSAGE,
        Reason.UNKNOWN_FLOW,
        Reason.CLIENT_IDENTIFIER_REUSED,
        Reason.EXPIRED,
        Reason.UNRESOLVED,
    ),
)
"""Messages that the relay put on the failure queue."""

DUPLICATES = Metric("Duplicates")
INVALID_MESSAGES = Metric("InvalidMessages")
REQUESTS_SENT = Metric("RequestsSent")
REQUESTS_RESENT = Metric("RequestsResent")
REQUESTS_FAILED = Metric("RequestsFailed")
"""Attempts that the API failed, or that got no answer, or not there: no call and no flow is to blame."""
CALLS_PER_REQUEST = Metric("CallsPerRequest")
REQUEST_MILLISECONDS = Metric("RequestMilliseconds", Unit.MILLISECONDS)
OLDEST_MESSAGE_SECONDS = Metric("OldestMessageSeconds", Unit.SECONDS)
"""Age of a batch's oldest message. SQS's own metric leaves out what was received three times or more."""
WAITING_ON_ACCOUNT = Metric("MessagesWaitingOnAccount")
WAITING_ON_FLOW = Metric("MessagesWaitingOnFlow")
WAITING_ON_RATE = Metric("MessagesWaitingOnRate")
"""Messages that were put off, each time: the account or a flow is paused or unusable, or the minute is used up."""
RETRY_IN_SECONDS = Metric("RetryInSeconds", Unit.SECONDS)
"""When the last of what an invocation put off comes back."""
ACCOUNT_PAUSED_SECONDS = Metric("AccountPausedSeconds", Unit.SECONDS)
FLOW_PAUSED_SECONDS = Metric("FlowPausedSeconds", Unit.SECONDS)
"""For how long the account, or of an invocation's flows the one for longest, has been paused. 0: it is not."""
RATE_BUDGET_PERCENT = Metric("RateBudgetPercent", Unit.PERCENT)
"""The most that an invocation saw used of `RequestsPerMinute`."""

METRICS = (
    CALLS,
    ANSWERS,
    FAILED_MESSAGES,
    DUPLICATES,
    INVALID_MESSAGES,
    REQUESTS_SENT,
    REQUESTS_RESENT,
    REQUESTS_FAILED,
    CALLS_PER_REQUEST,
    REQUEST_MILLISECONDS,
    OLDEST_MESSAGE_SECONDS,
    WAITING_ON_ACCOUNT,
    WAITING_ON_FLOW,
    WAITING_ON_RATE,
    RETRY_IN_SECONDS,
    ACCOUNT_PAUSED_SECONDS,
    FLOW_PAUSED_SECONDS,
    RATE_BUDGET_PERCENT,
)

REPLAYED_MESSAGES = Metric("ReplayedMessages")
REPLAYED_CALLS = Metric("ReplayedCalls")
REPLAY_METRICS = (REPLAYED_MESSAGES, REPLAYED_CALLS)
"""Emitted by the replay function, with the same namespace and `service`; here for the dashboard's sake."""

WAITING_ON = {Scope.ACCOUNT: WAITING_ON_ACCOUNT, Scope.FLOW: WAITING_ON_FLOW}
"""What waits for people."""
PAUSED_SECONDS = {Scope.ACCOUNT: ACCOUNT_PAUSED_SECONDS, Scope.FLOW: FLOW_PAUSED_SECONDS}

_SCOPES = {code.name: code.scope for code in CODES.values()} | {Reason.FLOW_SECRET_UNUSABLE: Scope.FLOW}
_FAILURES = {
    *(code.name for code in CODES.values() if code.scope is Scope.REQUEST and code.verdict is Verdict.RETRY_FRESH),
    _UNKNOWN_CODE,
    *_NO_VERDICT,
}


def answer_value(code: int | None, result: str) -> str:
    """The value of dimension `Code` for an attempt; one for all codes that the API does not document."""
    return f"{code} {result}" if code in CODES else result


def waiting_metric(reason: str, scope: Scope = Scope.REQUEST) -> Metric | None:
    """The metric of messages that wait for this reason; `scope` is what is paused, if they wait for that."""
    if reason == Reason.RATE_LIMITED:
        return WAITING_ON_RATE
    return WAITING_ON.get(scope) or WAITING_ON.get(_SCOPES.get(reason, Scope.REQUEST))


def is_failed_request(result: str) -> bool:
    """Whether an attempt with this result counts in `REQUESTS_FAILED`."""
    return result in _FAILURES
