"""After the claims: which calls are delivered, recovered, settled, failed, deferred or finished. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from sealed_relay.admission.control import Deferral
from sealed_relay.batch.plan import PlannedRequest
from sealed_relay.calls.call import Call
from sealed_relay.calls.outcome import Outcome, Reason, Status
from sealed_relay.delivery.request import ClaimedCall, Request
from sealed_relay.ledger.call_records import Claimed, Met
from sealed_relay.ledger.claim_rules import Decision

_REUSED = Outcome(
    Status.REJECTED,
    Reason.CLIENT_IDENTIFIER_REUSED,
    detail="Another message gave this client-identifier to other content; use a new one.",
)


@dataclass(slots=True)
class SortedClaims:
    """The work of a batch. What is keyed is keyed by request id.

    `duplicates` counts the calls of `finished` and `failed` that another message delivered or failed.
    """

    requests: list[Request] = field(default_factory=list)
    unsent: dict[str, tuple[list[ClaimedCall], Outcome | Deferral]] = field(default_factory=dict)
    unanswered: dict[str, list[ClaimedCall]] = field(default_factory=dict)
    concluded: dict[str, list[tuple[ClaimedCall, Outcome]]] = field(default_factory=dict)
    failed: dict[str, list[tuple[Call, Outcome]]] = field(default_factory=dict)
    finished: list[Call] = field(default_factory=list)
    busy: list[tuple[Call, int]] = field(default_factory=list)
    duplicates: int = 0


def sort_claims(
    requests: Sequence[PlannedRequest],
    answers: Mapping[str, Claimed | Met],
    duplicates: Sequence[tuple[Call, Call]],
    now_ms: int,
) -> SortedClaims:
    """Sort the calls of planned requests by the answers to their claims, which are by call id.

    `duplicates` are calls of the same batch, each with the call whose identity it has. What is on record for that call
    holds for a duplicate with the same content too. Other duplicates wait for their next receive.
    """
    found = SortedClaims()
    for duplicate, first in duplicates:
        answer = answers.get(first.call_id)
        if isinstance(answer, Met) and _holds_for_all_messages(answer) and duplicate.content == first.content:
            _sort_met(found, duplicate, replace(answer, is_own=False))
        else:
            found.busy.append((duplicate, now_ms))
    for request in requests:
        claimed: list[ClaimedCall] = []
        for call in request.calls:
            answer = answers[call.call_id]
            if isinstance(answer, Claimed):
                claimed.append(ClaimedCall(call, answer.tries))
            else:
                _sort_met(found, call, answer)
        if claimed and request.unsent is not None:
            found.unsent[request.request_id] = claimed, request.unsent
        elif claimed:
            found.requests.append(Request(request.request_id, request.flow_id, tuple(claimed)))
    return found


def _sort_met(found: SortedClaims, call: Call, met: Met) -> None:
    """Put a call that was not claimed where it belongs."""
    match met.decision:
        case Decision.UNANSWERED:
            found.unanswered.setdefault(met.request_id, []).append(ClaimedCall(call, met.tries))
        case Decision.CONCLUDED:
            found.concluded.setdefault(met.request_id, []).append((ClaimedCall(call, met.tries), met.outcome))
        case Decision.REUSED:
            found.failed.setdefault("", []).append((call, _REUSED))
        case Decision.SHARE_FAILURE:
            found.failed.setdefault(met.request_id, []).append((call, _shared(met.outcome)))
            found.duplicates += 1
        case Decision.DELIVERED | Decision.DONE:
            found.finished.append(call)
            found.duplicates += not met.is_own
        case _:
            found.busy.append((call, met.busy_until_ms))


def _holds_for_all_messages(met: Met) -> bool:
    """Whether the record says the same to each message with this content, however late it was sent."""
    if met.decision is Decision.REUSED:
        return not met.outcome.status.is_failure  # a message that was sent after the failure is a retry
    return met.decision is Decision.DELIVERED


def _shared(recorded: Outcome) -> Outcome:
    detail = f"Another message with this call failed before, with {recorded.reason}."
    return Outcome(recorded.status, recorded.reason, recorded.code, "", detail, recorded.api_request_id)
