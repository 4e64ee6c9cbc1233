"""The API's answer codes as data: what each one is about, and what the relay does about it.

Source: the documentation of the Kairos encrypted outbound API, one row a code. The relay, the simulator, the tests, the
alarms and the docs read what a code means here, and only here.
"""

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Scope(StrEnum):
    """What a code is about, and so what it stops."""

    REQUEST = "request"
    CALL = "call"
    FLOW = "flow"
    ACCOUNT = "account"


class Verdict(StrEnum):
    """What happens next to the calls of a request that was answered with a code."""

    ACCEPT = "accepted"
    ACCEPT_LISTED = "listed in call-details: accepted; the others: isolate; a list that cannot be trusted: unresolved"
    PRESUME_ACCEPTED = "on a resend of the same bytes: presumed accepted; on a first send: unresolved"
    RETRY_FRESH = "retry fresh"
    REFRESH_SECRET = "fetch the secret anew and retry fresh, once; then pause the flow"  # noqa: S105
    ISOLATE = "isolate, then reject"
    SPLIT = "split in two; a single call that is too large: reject"
    PAUSE = "pause"
    REJECT = "reject"
    RESEND = "ambiguous: resend the same bytes, up to 16 times; then unresolved"


@dataclass(frozen=True, slots=True)
class Code:
    """One row of the table. `number` is the answer's `api-response-code`, not an HTTP status.

    `is_about_secret`: the code refuses what the flow's secret holds, so a changed secret may change the answer.
    """

    number: int
    name: str
    scope: Scope
    verdict: Verdict
    is_about_secret: bool = False


PARTIAL_SUCCESS = Code(209, "PARTIAL_SUCCESS", Scope.CALL, Verdict.ACCEPT_LISTED)
MAX_DATA_LIST_SIZE_EXCEEDED = Code(303, "MAX_DATA_LIST_SIZE_EXCEEDED", Scope.REQUEST, Verdict.SPLIT)
INVALID_FORMAT = Code(400, "INVALID_FORMAT", Scope.CALL, Verdict.ISOLATE, is_about_secret=True)
"""It is also the answer to a request that the API cannot open, because it was sealed with an old key."""
IP_NOT_WHITELISTED = Code(401, "IP_NOT_WHITELISTED", Scope.ACCOUNT, Verdict.PAUSE)

_TABLE = (
    Code(200, "SUCCESS", Scope.REQUEST, Verdict.ACCEPT),
    Code(201, "CHECKSUM_REPEATED", Scope.REQUEST, Verdict.PRESUME_ACCEPTED),
    Code(202, "INVALID_SECURITY_ID", Scope.FLOW, Verdict.REFRESH_SECRET, is_about_secret=True),
    Code(203, "INVALID_API_VERSION", Scope.FLOW, Verdict.PAUSE, is_about_secret=True),
    Code(204, "INVALID_GATEWAY_ID", Scope.FLOW, Verdict.PAUSE),
    Code(205, "INVALID_CONTACT_NUMBER", Scope.CALL, Verdict.ISOLATE),
    Code(206, "FAILURE_FROM_GATEWAY", Scope.REQUEST, Verdict.RETRY_FRESH),
    Code(207, "DID_NOT_MAPPED", Scope.FLOW, Verdict.PAUSE),
    Code(208, "NO_MASK_AVAILABLE", Scope.FLOW, Verdict.RETRY_FRESH),
    PARTIAL_SUCCESS,
    Code(210, "INVALID_MANDATORY_PARAMETERS", Scope.CALL, Verdict.ISOLATE),
    Code(211, "VALIDITY_EXPIRED", Scope.ACCOUNT, Verdict.PAUSE),
    Code(212, "INSUFFICIENT_BALANCE", Scope.ACCOUNT, Verdict.PAUSE),
    Code(213, "NO_DATA_AVAILABLE", Scope.CALL, Verdict.ISOLATE),
    Code(301, "INVALID_FLOW_ID", Scope.FLOW, Verdict.PAUSE),
    Code(302, "EMPTY_CALL_LIST", Scope.REQUEST, Verdict.REJECT),
    MAX_DATA_LIST_SIZE_EXCEEDED,
    Code(304, "INVALID_FLOW_VERSION", Scope.FLOW, Verdict.PAUSE, is_about_secret=True),
    INVALID_FORMAT,
    IP_NOT_WHITELISTED,
    Code(402, "PHONE_NOT_WHITELISTED", Scope.CALL, Verdict.ISOLATE),
    Code(500, "FAILURE", Scope.REQUEST, Verdict.RETRY_FRESH),
)

CODES = MappingProxyType({code.number: code for code in _TABLE})
UNKNOWN_CODE = "UNKNOWN_CODE"
"""The name of every code that the API does not document."""


def code_of(number: int) -> Code:
    """The row for an `api-response-code`. A code that the API does not document may mean "taken": it is ambiguous."""
    return CODES.get(number) or Code(number, UNKNOWN_CODE, Scope.REQUEST, Verdict.RESEND)
