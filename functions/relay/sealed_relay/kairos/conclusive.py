"""Is this answer conclusive: does it tell, for good, what the API did with the request? Pure.

A request whose answer is conclusive is never sent again. A request without such an answer may have been accepted, so
its only way on is to send the same bytes again. The table below decides; `docs/guarantee.md` prints it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from sealed_relay.kairos.answer import Answered
from sealed_relay.kairos.codes import INVALID_FORMAT, Scope, Verdict


class Finding(StrEnum):
    """What an answer tells of its request. UNDECIDED is the only finding after which the request is sent again."""

    ACCEPTED = "accepted"
    PARTLY_ACCEPTED = "accepted as far as listed; the others were refused"
    PRESUMED_ACCEPTED = "presumed accepted"
    REFUSED = "refused: fresh bytes may go out"
    UNRESOLVED = "unresolved: no further request can tell"
    UNDECIDED = "undecided: resend the same bytes"


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What was sent, and when. Each field is about the request that was answered.

    `is_resend`: an earlier attempt with the same bytes may have been received. `was_refused`: an earlier attempt was
    answered, though not conclusively, and the API may have kept its checksum. `may_be_resent`: fewer than the allowed
    number of its answers were ambiguous. `has_current_secret`: it was sealed with the flow's secret as it is now; None
    if that is unknown. `is_date_over`: the API may refuse a start date in it, because the date is over.
    """

    is_resend: bool = False
    was_refused: bool = False
    may_be_resent: bool = True
    has_current_secret: bool | None = True
    is_date_over: bool = False


Condition = Callable[[Answered, Circumstances], bool]


def code_is_unknown_or_contradicted(answer: Answered, _: Circumstances | None = None) -> bool:
    """The API does not document the code, or its message says that the call was accepted although the code does not."""
    return answer.is_contradicted or answer.meaning.verdict is Verdict.RESEND


def may_be_resent(_: Answered, sent: Circumstances) -> bool:
    """Fewer than the allowed number of its answers were ambiguous."""
    return sent.may_be_resent


def code_is_success(answer: Answered, _: Circumstances) -> bool:
    """The code is 200."""
    return answer.meaning.verdict is Verdict.ACCEPT


def code_is_partial_success(answer: Answered, _: Circumstances) -> bool:
    """The code is 209."""
    return answer.meaning.verdict is Verdict.ACCEPT_LISTED


def list_is_trusted(answer: Answered, _: Circumstances) -> bool:
    """`call-details` lists one call or more, each call was asked for, and each has a `phonon-uuid`."""
    return answer.is_list_trusted


def code_is_checksum_repeated(answer: Answered, _: Circumstances) -> bool:
    """The code is 201: the API has seen these bytes before."""
    return answer.meaning.verdict is Verdict.PRESUME_ACCEPTED


def is_first_send(_: Answered, sent: Circumstances) -> bool:
    """No attempt with these bytes can have been received before."""
    return not sent.is_resend


def earlier_attempt_was_refused(_: Answered, sent: Circumstances) -> bool:
    """The API may have kept the checksum of what it refused, so 201 does not tell of an acceptance."""
    return sent.was_refused


def refusal_is_about_a_call_in_it(answer: Answered, _: Circumstances) -> bool:
    """The API could open the request, and refused it for a call in it. It would refuse the same bytes again."""
    return answer.meaning.scope is Scope.CALL and answer.code != INVALID_FORMAT.number


def start_date_is_over(_: Answered, sent: Circumstances) -> bool:
    """The API refuses earlier dates. The first attempt was on the start date, so it may have been accepted."""
    return sent.is_date_over


def refusal_blames_a_secret_that_was_changed(answer: Answered, sent: Circumstances) -> bool:
    """Every further resend is refused alike, since its bytes hold the old secret."""
    return answer.meaning.is_about_secret and sent.has_current_secret is False


def always(_: Answered, __: Circumstances) -> bool:
    """In every other case."""
    return True


TABLE: tuple[tuple[tuple[Condition, ...], Finding], ...] = (
    ((code_is_unknown_or_contradicted, may_be_resent), Finding.UNDECIDED),
    ((code_is_unknown_or_contradicted,), Finding.UNRESOLVED),
    ((code_is_success,), Finding.ACCEPTED),
    ((code_is_partial_success, list_is_trusted), Finding.PARTLY_ACCEPTED),
    ((code_is_partial_success,), Finding.UNRESOLVED),
    # Its bytes hold over 300 random bits: something on the way sent them twice, and the first copy may have been taken.
    ((code_is_checksum_repeated, is_first_send), Finding.UNRESOLVED),
    ((code_is_checksum_repeated, earlier_attempt_was_refused), Finding.UNRESOLVED),
    ((code_is_checksum_repeated,), Finding.PRESUMED_ACCEPTED),
    ((is_first_send,), Finding.REFUSED),
    ((refusal_is_about_a_call_in_it, start_date_is_over), Finding.UNRESOLVED),
    # The first attempt would have been refused too: it had the same calls, on the same date.
    ((refusal_is_about_a_call_in_it,), Finding.REFUSED),
    ((refusal_blames_a_secret_that_was_changed,), Finding.UNRESOLVED),
    # The account, the flow or an edge may be the reason of the refusal: it says nothing about the first attempt.
    ((always,), Finding.UNDECIDED),
)
"""The first row whose conditions all hold gives the finding."""


def finding_of(answer: Answered, sent: Circumstances) -> Finding:
    """What the answer tells of its request."""
    return next(finding for conditions, finding in TABLE if all(condition(answer, sent) for condition in conditions))
