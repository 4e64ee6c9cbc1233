"""The API's answer codes as data: what each one is about, and what the relay does about it.

Source: the Kairos encrypted outbound API's documentation, one row a code. Everything that knows a
code (the relay, the simulator, the tests, the README's table) reads it here.
"""

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Scope(StrEnum):
    """What a code is about, and so whose sending it stops."""

    REQUEST = "request"
    CALL = "call"
    FLOW = "flow"
    ACCOUNT = "account"


class Verdict(StrEnum):
    """What happens next to the calls of a request that was answered with a code."""

    ACCEPT = "accepted"
    ACCEPT_LISTED = "listed in call-details: accepted; the others: isolate"
    PRESUME_ACCEPTED = "on a resend of the same bytes: presumed accepted; on a first send: retry fresh, once"
    RETRY_FRESH = "retry fresh"
    REFRESH_SECRET = "fetch the secret anew and retry fresh, once; then pause the flow"  # noqa: S105
    ISOLATE = "isolate, then reject"
    SPLIT = "split in two"
    PAUSE = "pause"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class Code:
    """One row of the table. `number` is the answer's `api-response-code`, not an HTTP status."""

    number: int
    name: str
    scope: Scope
    verdict: Verdict


_TABLE = (
    Code(200, "SUCCESS", Scope.REQUEST, Verdict.ACCEPT),
    Code(201, "CHECKSUM_REPEATED", Scope.REQUEST, Verdict.PRESUME_ACCEPTED),
    Code(202, "INVALID_SECURITY_ID", Scope.FLOW, Verdict.REFRESH_SECRET),
    Code(203, "INVALID_API_VERSION", Scope.FLOW, Verdict.PAUSE),
    Code(204, "INVALID_GATEWAY_ID", Scope.FLOW, Verdict.PAUSE),
    Code(205, "INVALID_CONTACT_NUMBER", Scope.CALL, Verdict.ISOLATE),
    Code(206, "FAILURE_FROM_GATEWAY", Scope.REQUEST, Verdict.RETRY_FRESH),
    Code(207, "DID_NOT_MAPPED", Scope.FLOW, Verdict.PAUSE),
    Code(208, "NO_MASK_AVAILABLE", Scope.FLOW, Verdict.RETRY_FRESH),
    Code(209, "PARTIAL_SUCCESS", Scope.CALL, Verdict.ACCEPT_LISTED),
    Code(210, "INVALID_MANDATORY_PARAMETERS", Scope.CALL, Verdict.ISOLATE),
    Code(211, "VALIDITY_EXPIRED", Scope.ACCOUNT, Verdict.PAUSE),
    Code(212, "INSUFFICIENT_BALANCE", Scope.ACCOUNT, Verdict.PAUSE),
    Code(213, "NO_DATA_AVAILABLE", Scope.CALL, Verdict.ISOLATE),
    Code(301, "INVALID_FLOW_ID", Scope.FLOW, Verdict.PAUSE),
    Code(302, "EMPTY_CALL_LIST", Scope.REQUEST, Verdict.REJECT),
    Code(303, "MAX_DATA_LIST_SIZE_EXCEEDED", Scope.REQUEST, Verdict.SPLIT),
    Code(304, "INVALID_FLOW_VERSION", Scope.FLOW, Verdict.PAUSE),
    Code(400, "INVALID_FORMAT", Scope.CALL, Verdict.ISOLATE),
    Code(401, "IP_NOT_WHITELISTED", Scope.ACCOUNT, Verdict.PAUSE),
    Code(402, "PHONE_NOT_WHITELISTED", Scope.CALL, Verdict.ISOLATE),
    Code(500, "FAILURE", Scope.REQUEST, Verdict.RETRY_FRESH),
)

CODES = MappingProxyType({code.number: code for code in _TABLE})


def code_of(number: int) -> Code:
    """The row for an `api-response-code`; a number that the API does not document is retried fresh."""
    return CODES.get(number) or Code(number, "UNKNOWN_CODE", Scope.REQUEST, Verdict.RETRY_FRESH)
