"""What the answer to one request says about other requests. Pure."""

from dataclasses import dataclass

from sealed_relay.calls.outcome import Reason
from sealed_relay.kairos.answer import Ambiguous, Answer, Answered, NotSent, WrongAddress
from sealed_relay.kairos.codes import Scope, Verdict
from sealed_relay.kairos.conclusive import code_is_unknown_or_contradicted

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
    """Other requests of that scope would be refused too."""

    scope: Scope
    reason: str
    code: int | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """The request was not sent, or no answer came. The API may have asked to wait for `seconds`."""

    reason: str
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Passed:
    """The API judged the request. `is_accepted`: it took calls. `is_about_calls`: others may get another answer."""

    is_accepted: bool
    is_about_calls: bool = False


HealthSignal = Refused | Failed | Passed


def health_signal_of(answer: Answer, *, has_fresh_secret: bool, is_current_secret: bool) -> HealthSignal:
    """What an answer says about other requests.

    `has_fresh_secret`: the flow's secret was fetched for this request. `is_current_secret`: the request was sealed with
    the flow's secret as it is now. If a resend was not, its refusal says nothing about the flow.
    """
    match answer:
        case NotSent(_, retry_after_seconds):
            return Failed(answer.reason, retry_after_seconds or 0.0)
        case Ambiguous():
            return Failed(answer.reason)
        case WrongAddress():
            return Refused(Scope.ACCOUNT, answer.reason)
        case Answered():
            return _signal_of_code(answer, has_fresh_secret=has_fresh_secret, is_current_secret=is_current_secret)


def signal_about(scope: Scope, signal: HealthSignal) -> HealthSignal:
    """What a signal says about just the account, or about just the flow."""
    match signal:
        case Refused() if signal.scope is not scope:
            return Passed(is_accepted=False, is_about_calls=scope is Scope.ACCOUNT)
        case Failed() if scope is Scope.FLOW:
            return Passed(is_accepted=False)
    return signal


def _signal_of_code(answer: Answered, *, has_fresh_secret: bool, is_current_secret: bool) -> HealthSignal:
    if code_is_unknown_or_contradicted(answer):
        return Failed(Reason.NO_ANSWER)
    code = answer.meaning
    refuses = code.verdict is Verdict.PAUSE or (code.verdict is Verdict.REFRESH_SECRET and has_fresh_secret)
    if refuses and (code.scope is Scope.ACCOUNT or is_current_secret):
        return Refused(code.scope, code.name, code.number)
    is_accepted = code.verdict is Verdict.ACCEPT or (
        code.verdict is Verdict.ACCEPT_LISTED and bool(answer.phonon_uuids)
    )
    return Passed(is_accepted, is_about_calls=refuses or code.verdict in _ABOUT_ITS_CALLS)
