"""What the API may answer other than in the undisturbed run."""

from collections.abc import Sequence
from itertools import chain

from local.simulator.faults import CodeAnswer, DroppedConnection, Fault, ForeignPage, PartialSuccess
from tests.campaign.faulty_gateway import AnswerFault
from tests.campaign.services import Services
from tests.explore.scheduled_faults import ScheduledFaults

LOST_BEFORE = DroppedConnection()
LOST_AFTER = DroppedConnection(after_accepting=True)
REFUSED_FOR_CALL = CodeAnswer(code=205)
UNKNOWN_CODE = CodeAnswer(code=999)
ACCOUNT_EMPTY = CodeAnswer(code=212)
TAKEN_AND_LISTED_IN_PART = PartialSuccess(accept_every=2)


def _taken_and_answered(code: int, message: str) -> Fault:
    """All calls are accepted, and the answer hides it."""
    body = f'{{"api-response-code": {code}, "api-response-message": "{message}", "call-details": null}}'
    return ForeignPage(http_status=200, after_accepting=True, body=body)


_ANSWERS: tuple[Fault, ...] = (
    LOST_BEFORE,
    LOST_AFTER,
    CodeAnswer(code=500),
    CodeAnswer(code=202),
    CodeAnswer(code=207),
    ACCOUNT_EMPTY,
    UNKNOWN_CODE,
    _taken_and_answered(999, ""),
    _taken_and_answered(202, "Accepted"),
    _taken_and_answered(209, "Partial success"),
)
_TO_THE_FIRST_OF_EQUAL_BYTES: tuple[Fault, ...] = (
    REFUSED_FOR_CALL,
    TAKEN_AND_LISTED_IN_PART,
    PartialSuccess(accept_chance=0.0),
)
_WHERE_NOTHING_WENT_BEFORE: tuple[Fault, ...] = (CodeAnswer(code=201), _taken_and_answered(201, "Checksum Repeated"))


def scripted(chance: ScheduledFaults, first_answers: Sequence[Fault]) -> AnswerFault:
    """The API gives `first_answers` to the first requests that arrive, and afterwards tells the plain truth.

    Every other answer is a deviation. None of them is a lie: see `tests.campaign.answer_faults`.
    """
    script = chain(first_answers)

    def answer_fault(
        services: Services,  # noqa: ARG001
        names: Sequence[str],  # noqa: ARG001
        *,
        is_known: bool,
        is_first: bool,
    ) -> Fault | None:
        undisturbed = next(script, None)
        options = _ANSWERS
        if not is_known:
            options += _TO_THE_FIRST_OF_EQUAL_BYTES
        if is_first:
            options += _WHERE_NOTHING_WENT_BEFORE
        return chance.deviate("the API", options) or undisturbed

    return answer_fault
