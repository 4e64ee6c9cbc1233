"""After the claims: which calls are to be delivered, recovered, settled, refused, or left alone. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sealed_relay.batch.inbox import Inbox
from sealed_relay.batch.plan import Request
from sealed_relay.calls.message import Call
from sealed_relay.calls.outcome import Outcome
from sealed_relay.ledger.claim_rules import (
    Busy,
    Claimed,
    Concluded,
    Decision,
    Done,
    Duplicate,
    Reused,
    Tries,
    Unanswered,
)


@dataclass(slots=True)
class Triage:
    """What there is to do. lost and concluded are by the id of the stored request; tries by call id.

    repeats are calls whose messages are to be acknowledged while another message holds the call.
    """

    requests: list[Request] = field(default_factory=list)
    lost: dict[str, list[Call]] = field(default_factory=dict)
    concluded: dict[str, list[tuple[Call, Outcome]]] = field(default_factory=dict)
    refused: list[Call] = field(default_factory=list)
    repeats: list[Call] = field(default_factory=list)
    tries: dict[str, Tries] = field(default_factory=dict)
    duplicates: int = 0


def triage(  # noqa: C901 - a table, one case a row
    inbox: Inbox,
    requests: Sequence[Request],
    decisions: Mapping[str, Decision],
    now_ms: int,
    backoff_seconds: Callable[[Call], float],
) -> Triage:
    """Sort the calls of `inbox`, whose claims were decided on as in `decisions`, by call id.

    Calls with nothing left to do are finished, messages that come too early are delayed. Calls that were held back have
    no decision, and are left alone.
    """
    found = Triage()
    for call in inbox.calls:
        match decisions.get(call.call_id):
            case Claimed(tries):
                found.tries[call.call_id] = tries
            case Unanswered(request_id, tries):
                found.tries[call.call_id] = tries
                found.lost.setdefault(request_id, []).append(call)
            case Concluded(request_id, outcome):
                found.concluded.setdefault(request_id, []).append((call, outcome))
            case Reused():
                found.refused.append(call)
            case Busy(until_ms):
                inbox.delay(call.message_id, max(0.0, until_ms - now_ms) / 1000 + backoff_seconds(call))
            case Duplicate(is_delivered):
                found.duplicates += 1
                if is_delivered:
                    inbox.finish(call)
                else:
                    found.repeats.append(call)
            case Done():
                inbox.finish(call)
    _sort_rivals(inbox, found, decisions, backoff_seconds)
    for request in requests:
        held = tuple(call for call in request.calls if isinstance(decisions.get(call.call_id), Claimed))
        if held:
            found.requests.append(replace(request, calls=held))
    return found


def _sort_rivals(
    inbox: Inbox, found: Triage, decisions: Mapping[str, Decision], backoff_seconds: Callable[[Call], float]
) -> None:
    for rival, first in inbox.rivals:
        if not isinstance(decisions.get(first.call_id), Claimed | Unanswered | Concluded):
            # This invocation does not hold the call, and the rival's may be the very message that does: it is to be
            # judged by the record, the next time.
            inbox.delay(rival.message_id, backoff_seconds(rival))
        elif rival.content == first.content:
            found.repeats.append(rival)
            found.duplicates += 1
        else:
            found.refused.append(rival)
