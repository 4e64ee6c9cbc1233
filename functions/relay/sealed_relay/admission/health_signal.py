"""What the answer to one request says about sending others. Pure."""

from dataclasses import dataclass

from sealed_relay.calls.outcome import Reason
from sealed_relay.kairos.answer import Ambiguous, Answer, Answered, NotSent, WrongAddress
from sealed_relay.kairos.codes import Scope, Verdict, code_of

_ABOUT_ITS_CALLS = {
    Verdict.ACCEPT_LISTED,
    Verdict.ISOLATE,
    Verdict.PRESUME_ACCEPTED,
    Verdict.REFRESH_SECRET,
    Verdict.REJECT,
    Verdict.SPLIT,
}


@dataclass(frozen=True, slots=True)
class Refused:
    """Everybody else of that scope would be refused too."""

    scope: Scope
    reason: str
    code: int | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """It was not sent, or no answer came. The other side asked to be left alone for so long."""

    reason: str
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Passed:
    """The API judged it. `is_accepted`: it took calls. `is_about_calls`: the next request may well fare otherwise."""

    is_accepted: bool
    is_about_calls: bool = False


Sign = Refused | Failed | Passed


def sign_of(answer: Answer, *, is_fresh_secret: bool, is_current_secret: bool) -> Sign:
    """Read an answer for what it says about others.

    `is_fresh_secret`: the flow's secret was fetched for it. `is_current_secret`: it was sealed with the flow's
    secret as it is now; a resend may not be, and a refusal of an old secret is none of the flow.
    """
    match answer:
        case NotSent(_, retry_after_seconds):
            return Failed(Reason.NOT_SENT, retry_after_seconds or 0.0)
        case Ambiguous():
            return Failed(Reason.NO_ANSWER)
        case WrongAddress():
            return Refused(Scope.ACCOUNT, Reason.WRONG_ADDRESS)
        case Answered():
            return _sign_in_code(answer, is_fresh_secret=is_fresh_secret, is_current_secret=is_current_secret)


def _sign_in_code(answer: Answered, *, is_fresh_secret: bool, is_current_secret: bool) -> Sign:
    code = code_of(answer.code)
    refuses = code.verdict is Verdict.PAUSE or (code.verdict is Verdict.REFRESH_SECRET and is_fresh_secret)
    if refuses and (code.scope is Scope.ACCOUNT or is_current_secret):
        return Refused(code.scope, code.name, code.number)
    is_accepted = code.verdict is Verdict.ACCEPT or (
        code.verdict is Verdict.ACCEPT_LISTED and bool(answer.phonon_uuids)
    )
    return Passed(is_accepted, is_about_calls=refuses or code.verdict in _ABOUT_ITS_CALLS)
