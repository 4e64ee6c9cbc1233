"""From the answer to a request to what becomes of its calls. Pure; what a code means is read from the code table."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sealed_relay.calls.outcome import Outcome, Reason, Status
from sealed_relay.kairos.answer import Answer, Answered
from sealed_relay.kairos.codes import INVALID_FORMAT, Code, Scope, Verdict, code_of
from sealed_relay.kairos.conclusive import Circumstances, Finding, finding_of


@dataclass(frozen=True, slots=True)
class ConclusiveAnswer:
    """What is stored of an answer that tells for good what the API did with a request.

    `code` is None where no answer ever told and the request was given up (UNRESOLVED). `phonon_uuids` maps the client
    identifiers that the API listed to its uuids. `detail` says why it is UNRESOLVED.
    """

    finding: Finding
    code: int | None = None
    phonon_uuids: Mapping[str, str] = field(default_factory=dict)
    api_request_id: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What becomes of the calls of one attempt.

    `answer` is what must be stored before anything acts on it; None if the request was not sent or must be resent.
    `outcomes` are by client identifier. `fresh` are groups of client identifiers that go out at once, each group in
    a fresh request. `refresh_secret`: the flow's secret is fetched anew for these.
    """

    answer: ConclusiveAnswer | None = None
    outcomes: Mapping[str, Outcome] = field(default_factory=dict)
    fresh: Sequence[Sequence[str]] = ()
    refresh_secret: bool = False


_MAX_UUID_CHARACTERS = 64

GIVEN_UP = ConclusiveAnswer(
    Finding.UNRESOLVED,
    detail="The answer was lost, and the deadline passed before a resend brought one. It may have been delivered.",
)
"""The deadline passed before any answer told what became of the request."""


def answer_about(answer: Answered, client_identifiers: Sequence[str]) -> Answered:
    """The answer with only the uuids of these calls, those of its request. A list that names another is not trusted."""
    asked = set(client_identifiers)
    listed = {name: uuid[:_MAX_UUID_CHARACTERS] for name, uuid in answer.phonon_uuids.items() if name in asked}
    is_list_trusted = answer.is_list_trusted and bool(listed) and len(listed) == len(answer.phonon_uuids)
    return replace(answer, phonon_uuids=listed, is_list_trusted=is_list_trusted)


def conclude(
    answer: Answer,
    sent: Circumstances,
    client_identifiers: Sequence[str],
    *,
    calls_in_request: int,
    has_fresh_secret: bool,
    may_retry: Callable[[str], bool],
) -> Conclusion:
    """Apply an answer to the calls whose messages this invocation has.

    `calls_in_request` counts all calls of the request. `has_fresh_secret`: the flow's secret was fetched for it.
    `may_retry` tells whether a call may go out once more after a transient failure.
    """
    if not isinstance(answer, Answered):
        waits = Outcome(Status.WAITING, answer.reason, detail=answer.detail)
        return Conclusion(outcomes=dict.fromkeys(client_identifiers, waits))
    code = answer.meaning
    finding = finding_of(answer, sent)
    if finding is Finding.UNDECIDED:
        waits = _answered(Status.WAITING, code, answer, Reason.NO_ANSWER)
        return Conclusion(outcomes=dict.fromkeys(client_identifiers, waits))
    detail = _why_unresolved(code, sent) if finding is Finding.UNRESOLVED else ""
    stored = ConclusiveAnswer(finding, answer.code, answer.phonon_uuids, answer.api_request_id, detail)
    outcomes = {name: outcome for name in client_identifiers if (outcome := outcome_in(stored, name))}
    refused = [name for name in client_identifiers if name not in outcomes]
    if not refused:
        return Conclusion(stored, outcomes)
    if _blames_the_secret(code, sent, has_fresh_secret=has_fresh_secret):
        return Conclusion(stored, outcomes, [refused], refresh_secret=True)
    if fresh := _fresh_groups(code, sent, refused, calls_in_request):
        return Conclusion(stored, outcomes, fresh)
    for name in refused:
        status = Status.WAITING if _waits(code) or (_is_transient(code) and may_retry(name)) else Status.REJECTED
        outcomes[name] = _answered(status, code, answer)
    return Conclusion(stored, outcomes)


def outcome_in(answer: ConclusiveAnswer, client_identifier: str) -> Outcome | None:
    """The final outcome that a conclusive answer gives a call; None if the API refused the call."""
    code = code_of(answer.code) if answer.code is not None else None
    name = code.name if code else ""
    uuid = answer.phonon_uuids.get(client_identifier)
    match answer.finding:
        case Finding.ACCEPTED:
            return Outcome(Status.ACCEPTED, name, answer.code, uuid or "", api_request_id=answer.api_request_id)
        case Finding.PARTLY_ACCEPTED if uuid is not None:
            return Outcome(Status.ACCEPTED, name, answer.code, uuid, api_request_id=answer.api_request_id)
        case Finding.PRESUMED_ACCEPTED:
            detail = "The answer was lost; a resend of the same bytes was answered Checksum Repeated."
            return Outcome(Status.PRESUMED_ACCEPTED, name, answer.code, "", detail, answer.api_request_id)
        case Finding.UNRESOLVED:
            return Outcome(Status.UNRESOLVED, Reason.UNRESOLVED, answer.code, "", answer.detail, answer.api_request_id)
    return None


def is_transient_failure(code: int | None) -> bool:
    """Whether the code says that the request did not happen and may go out fresh, a bounded number of times."""
    return code is not None and _is_transient(code_of(code))


def _blames_the_secret(code: Code, sent: Circumstances, *, has_fresh_secret: bool) -> bool:
    """Whether the calls go out again because the flow's secret may have changed, and no call is at fault."""
    if code is INVALID_FORMAT:  # the API cannot open what an old key sealed, and says no more
        return not sent.has_current_secret
    return code.verdict is Verdict.REFRESH_SECRET and not has_fresh_secret


def _fresh_groups(code: Code, sent: Circumstances, refused: list[str], calls_in_request: int) -> list[list[str]]:
    """The refused calls that go out at once in fresh requests; none if they wait or are rejected."""
    match code.verdict:
        case Verdict.ISOLATE | Verdict.ACCEPT_LISTED if sent.is_date_over:
            # The API refuses earlier dates: perhaps no call in it is at fault.
            return [refused]
        case Verdict.ISOLATE | Verdict.SPLIT | Verdict.ACCEPT_LISTED if calls_in_request > 1:
            return _halves(refused)
    return []


def _halves(names: list[str]) -> list[list[str]]:
    middle = (len(names) + 1) // 2
    return [half for half in (names[:middle], names[middle:]) if half]


def _waits(code: Code) -> bool:
    return code.verdict in (Verdict.PAUSE, Verdict.REFRESH_SECRET)


def _is_transient(code: Code) -> bool:
    return code.verdict is Verdict.RETRY_FRESH


def _answered(status: Status, code: Code, answer: Answered, reason: str = "") -> Outcome:
    return Outcome(status, reason or code.name, code.number, "", _told(code), answer.api_request_id)


def _why_unresolved(code: Code, sent: Circumstances) -> str:
    date = " The start date was over by then." if code.scope is Scope.CALL and sent.is_date_over else ""
    return f"{_told(code)}{date} It may have been delivered, and no further request can tell."


def _told(code: Code) -> str:
    return f"The API answered {code.number} {code.name}."
