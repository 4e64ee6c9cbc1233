"""From the answer to a request to what becomes of its calls. Pure; the rules are the code table's."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sealed_relay.batch.packing import halve
from sealed_relay.calls.outcome import Outcome, Reason, Status, coded
from sealed_relay.kairos.answer import Ambiguous, Answer, Answered, NotSent, WrongAddress
from sealed_relay.kairos.codes import Scope, Verdict, code_of

_INVALID_FORMAT = 400
_ABOUT_WHAT_A_SECRET_HOLDS = frozenset({202, 203, 304})
"""The security id, the API version, and the version of the flow that this asks for."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the answer is an answer to.

    `calls` counts all calls of the request, also those whose messages others hold. `is_resend`: an earlier
    attempt with the same bytes may have been received. `was_refused`: an earlier resend was refused, and the API may
    have kept its checksum. `is_second_try`: a fresh request in place of one that was answered with a code that is
    retried once. `is_current_secret`: it was sealed with the flow's secret as it is; None if that cannot be told
    now. `is_same_day`: the service's date is still what it was then.
    """

    calls: int
    is_resend: bool
    was_refused: bool = False
    is_second_try: bool = False
    is_current_secret: bool | None = True
    is_same_day: bool = True


@dataclass(slots=True)
class Conclusion:
    """What becomes of the client identifiers asked about: an outcome each, or another request at once.

    `is_settled`: the answer tells what became of the request, which is never sent again as it is.
    """

    is_settled: bool = False
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    fresh: list[list[str]] = field(default_factory=list)
    is_second_try: bool = False
    refresh_secret: bool = False


def tells_what_became_of(answer: Answered, asked: Asked) -> bool:
    """Whether the answer settles if the API has the request's calls.

    A refusal for a call that a request holds would have met its first attempt too. Any other may be for the state of
    the API, the account, the flow or something in between, and says nothing of an attempt before, which may have been
    accepted: the bytes must be resent once more. So may a refusal of the format, once the flow's RSA key was changed:
    the API cannot open what the old key sealed. So may any, once it is another day: the API refuses earlier dates. And
    once a resend was refused, Checksum Repeated may speak of that one.
    """
    code = code_of(answer.code)
    if not asked.is_resend or code.verdict is Verdict.ACCEPT:
        return True
    if code.verdict is Verdict.PRESUME_ACCEPTED:
        return not asked.was_refused
    return code.scope is Scope.CALL and code.number != _INVALID_FORMAT and asked.is_same_day


def may_blame_an_old_secret(answer: Answered, *, is_resend: bool) -> bool:
    """Whether the answer may have been another one, had the request been sealed with the flow's secret as it is now."""
    return answer.code == _INVALID_FORMAT or (is_resend and answer.code in _ABOUT_WHAT_A_SECRET_HOLDS)


def delivered_by(answer: Answered, client_identifier: str, *, is_resend: bool) -> Outcome | None:
    """The outcome of a call that this answer says the API has; None where it does not say so."""
    uuid = answer.phonon_uuids.get(client_identifier)
    match code_of(answer.code).verdict:
        case Verdict.ACCEPT:
            return Outcome(Status.ACCEPTED, code_of(answer.code).name, answer.code, uuid or "")
        case Verdict.ACCEPT_LISTED if uuid is not None:
            return Outcome(Status.ACCEPTED, code_of(answer.code).name, answer.code, uuid)
        case Verdict.PRESUME_ACCEPTED if is_resend:
            return coded(Status.PRESUMED_ACCEPTED, answer.code, "The answer was lost; a resend was found repeated.")
    return None


def conclude(
    answer: Answer, asked: Asked, client_identifiers: Sequence[str], may_retry: Callable[[str], bool]
) -> Conclusion:
    """Apply an answer to the calls whose messages this invocation holds.

    `may_retry` tells of a call whether it has fresh retries left.
    """
    match answer:
        case Answered():
            return _apply(answer, asked, client_identifiers, may_retry)
        case NotSent(detail):
            waits = Outcome(Status.WAITING, Reason.NOT_SENT, detail=detail)
        case Ambiguous(detail):
            waits = Outcome(Status.WAITING, Reason.NO_ANSWER, detail=detail)
        case WrongAddress(detail):
            waits = Outcome(Status.WAITING, Reason.WRONG_ADDRESS, detail=detail)
    return Conclusion(outcomes=dict.fromkeys(client_identifiers, waits))


def _apply(
    answer: Answered, asked: Asked, client_identifiers: Sequence[str], may_retry: Callable[[str], bool]
) -> Conclusion:
    conclusion = Conclusion()
    conclusion.is_settled = tells_what_became_of(answer, asked)
    if not conclusion.is_settled:
        conclusion.outcomes = dict.fromkeys(client_identifiers, _undecided(answer, asked))
        return conclusion
    left = []
    for client_identifier in client_identifiers:
        delivered = delivered_by(answer, client_identifier, is_resend=asked.is_resend)
        if delivered:
            conclusion.outcomes[client_identifier] = delivered
        else:
            left.append(client_identifier)
    if left:
        _share_out(conclusion, left, answer, asked, may_retry)
    return conclusion


def _undecided(answer: Answered, asked: Asked) -> Outcome:
    """Of a call of which a resend tells nothing: it waits for another one, if that may still tell more."""
    if code_of(answer.code).verdict is Verdict.PRESUME_ACCEPTED:
        why = "a resend was refused, and another one was found repeated"
    elif may_blame_an_old_secret(answer, is_resend=True) and asked.is_current_secret is False:
        why = "the API refuses a resend because the flow's secret was changed"
    else:
        return _answered(Status.WAITING, answer)
    detail = f"The answer was lost, and {why}: it may have been delivered."
    return Outcome(Status.UNRESOLVED, Reason.UNRESOLVED, answer.code, detail=detail)


def _share_out(
    conclusion: Conclusion, left: list[str], answer: Answered, asked: Asked, may_retry: Callable[[str], bool]
) -> None:
    """Conclude on the calls that a settled answer did not deliver."""
    code = code_of(answer.code)
    rejected, waits = _answered(Status.REJECTED, answer), _answered(Status.WAITING, answer)
    match code.verdict:
        case Verdict.ISOLATE if code.number == _INVALID_FORMAT and not asked.is_current_secret:
            # The API cannot open what an old key sealed, and says no more: no call in it is to blame.
            conclusion.fresh = [left]
            conclusion.refresh_secret = True
        case Verdict.ISOLATE | Verdict.ACCEPT_LISTED if not asked.is_same_day:
            # It was sealed for the day before, and the API refuses earlier dates: no call in it need be to blame.
            conclusion.fresh = [left]
        case Verdict.ISOLATE | Verdict.SPLIT | Verdict.ACCEPT_LISTED if asked.calls > 1:
            conclusion.fresh = halve(left)
        case Verdict.PRESUME_ACCEPTED | Verdict.REFRESH_SECRET if not asked.is_second_try:
            conclusion.fresh = [left]
            conclusion.is_second_try = True
            conclusion.refresh_secret = code.verdict is Verdict.REFRESH_SECRET
        case Verdict.RETRY_FRESH:
            for client_identifier in left:
                conclusion.outcomes[client_identifier] = waits if may_retry(client_identifier) else rejected
        case Verdict.PAUSE | Verdict.REFRESH_SECRET:
            conclusion.outcomes |= dict.fromkeys(left, waits)
        case _:
            conclusion.outcomes |= dict.fromkeys(left, rejected)


def _answered(status: Status, answer: Answered) -> Outcome:
    return coded(status, answer.code, f"The API answered {answer.code} {code_of(answer.code).name}.")
