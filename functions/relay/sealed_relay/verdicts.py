"""From the answer to a request to what becomes of its calls. Pure; the rules are the code table's."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sealed_relay.answer import Ambiguous, Answer, Answered, NotSent, WrongAddress
from sealed_relay.codes import Scope, Verdict, code_of
from sealed_relay.outcome import Outcome, Reason, Status, coded
from sealed_relay.packing import halve


@dataclass(frozen=True, slots=True)
class Asked:
    """What the answer is an answer to.

    `calls` counts all calls of the request, also those whose messages others hold. `is_resend`: an earlier
    attempt with the same bytes may have been received. `is_second_try`: a fresh request in place of one that
    was answered with a code that is retried once.
    """

    calls: int
    is_resend: bool
    is_second_try: bool


@dataclass(slots=True)
class Conclusion:
    """What becomes of the client identifiers asked about: an outcome each, or another request at once."""

    outcomes: dict[str, Outcome] = field(default_factory=dict)
    fresh: list[list[str]] = field(default_factory=list)
    is_second_try: bool = False
    refresh_secret: bool = False


def tells_what_became_of(answer: Answered, *, is_resend: bool) -> bool:
    """Whether the answer settles if the API has the request's calls.

    A refusal for a call that a request holds would have met its first attempt too. Any other may be for the state of
    the API, the account, the flow or something in between, and says nothing of an attempt before, which may have been
    accepted: the bytes must be resent once more.
    """
    code = code_of(answer.code)
    return not is_resend or code.scope is Scope.CALL or code.verdict in {Verdict.ACCEPT, Verdict.PRESUME_ACCEPTED}


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
    return Conclusion(dict.fromkeys(client_identifiers, waits))


def _apply(
    answer: Answered, asked: Asked, client_identifiers: Sequence[str], may_retry: Callable[[str], bool]
) -> Conclusion:
    conclusion = Conclusion()
    left = []
    for client_identifier in client_identifiers:
        delivered = delivered_by(answer, client_identifier, is_resend=asked.is_resend)
        if delivered:
            conclusion.outcomes[client_identifier] = delivered
        else:
            left.append(client_identifier)
    if not left:
        return conclusion

    code = code_of(answer.code)
    rejected = coded(Status.REJECTED, answer.code, f"The API answered {code.number} {code.name}.")
    waits = coded(Status.WAITING, answer.code, f"The API answered {code.number} {code.name}.")
    if not tells_what_became_of(answer, is_resend=asked.is_resend):
        conclusion.outcomes |= dict.fromkeys(left, waits)
        return conclusion
    match code.verdict:
        case Verdict.ISOLATE | Verdict.SPLIT | Verdict.ACCEPT_LISTED if asked.calls > 1:
            conclusion.fresh = halve(left)
        case Verdict.PRESUME_ACCEPTED | Verdict.REFRESH_SECRET if not asked.is_second_try:
            conclusion.fresh = [left]
            conclusion.is_second_try = True
            conclusion.refresh_secret = code.verdict is Verdict.REFRESH_SECRET
        case Verdict.RETRY_FRESH:
            for client_identifier in left:
                conclusion.outcomes[client_identifier] = waits if may_retry(client_identifier) else rejected
        case Verdict.PARK | Verdict.REFRESH_SECRET:
            conclusion.outcomes |= dict.fromkeys(left, waits)
        case _:
            conclusion.outcomes |= dict.fromkeys(left, rejected)
    return conclusion
