"""Faults of single answers of the API."""

from local.simulator.faults import (
    CodeAnswer,
    DroppedConnection,
    Fault,
    ForeignPage,
    PaddedAnswer,
    PartialSuccess,
    TruncatedAnswer,
)
from sealed_relay.kairos.codes import CODES, Scope, Verdict
from sealed_relay.kairos.connection import MAX_ANSWER_BYTES
from tests.campaign.fault_chance import FaultKind
from tests.campaign.services import Services

_UNDOCUMENTED = 999
_CHECKSUM_REPEATED = 201
_CODES = (*CODES, _UNDOCUMENTED)
_LATER = tuple(code for code in CODES if CODES[code].verdict is Verdict.RETRY_FRESH)
_NOT_ABOUT_CALLS = tuple(code for code in _CODES if code not in CODES or CODES[code].scope is not Scope.CALL)


def answer_fault(services: Services, *, is_known: bool, is_first: bool) -> Fault | None:
    """Return the fault for a request that arrives; `is_known` says whether the API has received these bytes before.

    No fault makes the API lie: a refusal for what a request holds is given to the first of equal bytes or to none, and
    Checksum Repeated out of place only where its sender knows that nothing went before.
    """
    if services.outage:
        return services.outage
    if services.chance.occurs(FaultKind.TRY_LATER):
        return CodeAnswer(code=services.chance.random.choice(_LATER))
    if services.chance.occurs(FaultKind.API_FAULT):
        return _spoiled(services, is_known=is_known, is_first=is_first)
    return None


def _spoiled(services: Services, *, is_known: bool, is_first: bool) -> Fault:
    choose = services.chance.random.choice
    fault: Fault
    match choose(("drop", "drop", "truncate", "pad", "page", "page", "edge", "code", "code", "partial", "repeated")):
        case "drop":
            fault = DroppedConnection(after_accepting=services.chance.happens(0.7))
        case "truncate":
            fault = TruncatedAnswer()
        case "pad":
            fault = PaddedAnswer(size_bytes=MAX_ANSWER_BYTES + 1)
        case "page":
            status = choose((200, 302, 404, 405, 408, 500, 502, 503, 504))
            fault = ForeignPage(http_status=status, after_accepting=services.chance.happens(0.5))
        case "edge":
            status = choose((401, 403, 413, 429))
            fault = ForeignPage(http_status=status, retry_after_seconds=choose((None, 5, 120)))
        case "repeated" if is_first:
            fault = CodeAnswer(code=_CHECKSUM_REPEATED)
        case "partial":
            fault = PartialSuccess(accept_chance=services.chance.random.random())
        case _:
            codes = _NOT_ABOUT_CALLS if is_known else _CODES
            fault = CodeAnswer(
                code=choose([code for code in codes if code != _CHECKSUM_REPEATED]),
                http_status=choose((200, 200, 400, 500)),
            )
    return fault
