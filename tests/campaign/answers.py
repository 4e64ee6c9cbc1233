"""What each single answer of the API meets on its way."""

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
from tests.campaign.luck import Trouble
from tests.campaign.surroundings import Surroundings

_UNDOCUMENTED = 999
_CHECKSUM_REPEATED = 201
_CODES = (*CODES, _UNDOCUMENTED)
_LATER = tuple(code for code in CODES if CODES[code].verdict is Verdict.RETRY_FRESH)
_NOT_ABOUT_CALLS = tuple(code for code in _CODES if code not in CODES or CODES[code].scope is not Scope.CALL)


def answer_fault(around: Surroundings, *, is_known: bool, is_first: bool) -> Fault | None:
    """The fault that a request meets on its arrival; `is_known` tells whether the API has had these very bytes before.

    No fault makes the API lie: a refusal for what a request holds is given to the first of equal bytes or to none, and
    Checksum Repeated out of place only where its sender knows that nothing went before.
    """
    if around.outage:
        return around.outage
    if around.luck.strikes(Trouble.PUT_OFF):
        return CodeAnswer(code=around.luck.random.choice(_LATER))
    if around.luck.strikes(Trouble.API_FAULT):
        return _spoiled(around, is_known=is_known, is_first=is_first)
    return None


def _spoiled(around: Surroundings, *, is_known: bool, is_first: bool) -> Fault:
    choose = around.luck.random.choice
    fault: Fault
    match choose(("drop", "drop", "truncate", "pad", "page", "page", "edge", "code", "code", "partial", "repeated")):
        case "drop":
            fault = DroppedConnection(after_accepting=around.luck.has(0.7))
        case "truncate":
            fault = TruncatedAnswer()
        case "pad":
            fault = PaddedAnswer(size_bytes=MAX_ANSWER_BYTES + 1)
        case "page":
            status = choose((200, 302, 404, 405, 408, 500, 502, 503, 504))
            fault = ForeignPage(http_status=status, after_accepting=around.luck.has(0.5))
        case "edge":
            status = choose((401, 403, 413, 429))
            fault = ForeignPage(http_status=status, retry_after_seconds=choose((None, 5, 120)))
        case "repeated" if is_first:
            fault = CodeAnswer(code=_CHECKSUM_REPEATED)
        case "partial":
            fault = PartialSuccess(accept_chance=around.luck.random.random())
        case _:
            codes = _NOT_ABOUT_CALLS if is_known else _CODES
            fault = CodeAnswer(
                code=choose([code for code in codes if code != _CHECKSUM_REPEATED]),
                http_status=choose((200, 200, 400, 500)),
            )
    return fault
