"""Faults of single answers of the API."""

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType

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
_CHECKSUM_REPEATED, _PARTIAL_SUCCESS = 201, 209
_UUID = "00000000-0000-4000-8000-000000000000"
_UNCLEAR_ANSWERS = (
    *((_UNDOCUMENTED, ""), (_UNDOCUMENTED, "Success")),
    *((202, "Accepted"), (500, " SUCCESS "), (205, "accepted"), (212, "Success")),
)
"""Codes that the API does not document, or that their messages contradict."""
_HIDDEN_SHARE = 0.2
_CODES = (*CODES, _UNDOCUMENTED)
_LATER = tuple(code for code in CODES if CODES[code].verdict is Verdict.RETRY_FRESH)
_NOT_ABOUT_CALLS = tuple(code for code in _CODES if code not in CODES or CODES[code].scope is not Scope.CALL)


def answer_fault(services: Services, names: Sequence[str], *, is_known: bool, is_first: bool) -> Fault | None:
    """Return the fault for a request that arrives, with calls of these `names`.

    `is_known` says whether the API has received these bytes before.

    No fault makes the API lie: a refusal for what a request holds is given to the first of equal bytes or to none, and
    Checksum Repeated out of place only where its sender knows that nothing went before.
    """
    if services.outage:
        return services.outage
    if services.chance.occurs(FaultKind.TRY_LATER):
        return CodeAnswer(code=services.chance.random.choice(_LATER))
    if services.chance.occurs(FaultKind.API_FAULT):
        if services.chance.happens(_HIDDEN_SHARE):
            return _hidden_acceptance(services, names, is_first=is_first)
        return _spoiled(services, is_known=is_known, is_first=is_first)
    return None


def _hidden_acceptance(services: Services, names: Sequence[str], *, is_first: bool) -> Fault:
    """An answer that hides that the calls were accepted. `is_first` is as in `answer_fault`."""
    choose = services.chance.random.choice
    answers = [*_UNCLEAR_ANSWERS, (_CHECKSUM_REPEATED, "Checksum Repeated")] if is_first else _UNCLEAR_ANSWERS
    if services.chance.happens(0.5):
        return _taken(*choose(answers))
    return _taken(
        _PARTIAL_SUCCESS, "Partial Success", choose([{}, *({"call-details": each} for each in _lists(names))])
    )


def _lists(names: Sequence[str]) -> list[object]:
    """Lists of calls that do not tell for sure which calls were accepted."""
    misspelt: tuple[Sequence[object], ...] = (
        [name.upper() for name in names],
        [f" {name}" for name in names],
        ["\u00ad".join(name) for name in names],
        range(len(names)),
        [None] * len(names),
        [*names, "not asked for"],
    )
    return [
        *([{"client-identifier": name, "phonon-uuid": _UUID} for name in wrong] for wrong in misspelt),
        *([{"client-identifier": name, "phonon-uuid": wrong} for name in names] for wrong in (None, "", 0)),
        [{"client-identifier": name} for name in names],
        [{"client-identifier": names[0]}, *({"client-identifier": name, "phonon-uuid": _UUID} for name in names[1:])],
        *(None, [], {}, "", 0, [None], [[]], [{}], list(names)),
    ]


def _taken(code: int, message: str, extra: Mapping[str, object] = MappingProxyType({})) -> Fault:
    body = json.dumps({"api-response-code": code, "api-response-message": message, **extra})
    return ForeignPage(http_status=200, after_accepting=True, body=body)


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
