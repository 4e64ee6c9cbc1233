"""Records and stored requests that a claim meets, and what is decided on it."""

from dataclasses import replace

from sealed_relay.calls.outcome import Outcome, Status
from sealed_relay.ledger.claim_rules import Claim, Decision, Record, StoredRequest, Tries, decide
from tests.support.making import SENT_AT, make_call

NOW_MS = int(SENT_AT.timestamp() * 1000)
TRIES = Tries(attempts=3, refusals=1)
ACCEPTED = Outcome(Status.ACCEPTED, "SUCCESS", 200)
OURS, OTHER = b"hash of our content", b"hash of other content"
CLAIM = Claim(make_call(message_id="own message"), "new request", OURS)

DELIVERED = [Status.ACCEPTED, Status.PRESUMED_ACCEPTED]
FAILED = [Status.REJECTED, Status.EXPIRED, Status.UNRESOLVED]
OPEN = [Status.SENDING, Status.WAITING]

UNANSWERED = StoredRequest(
    "a lease",
    NOW_MS,
    is_answered=False,
    may_have_been_sent=True,
    was_refused=False,
    envelope_expires_at=NOW_MS // 1000 + 60,
)
HELD = replace(UNANSWERED, lease_expires_at_ms=NOW_MS + 1)
ANSWERED = replace(HELD, is_answered=True)


def record(
    status: Status, *, is_own: bool = True, is_same: bool = True, lease_ms: int = 0, updated_ms: int = -1
) -> Record:
    """A record whose lease runs so many milliseconds longer, written so many after the claiming message was sent."""
    return Record(
        status=status,
        request_id="old request",
        message_id="own message" if is_own else "other message",
        content_hash=OURS if is_same else OTHER,
        lease_expires_at_ms=NOW_MS + lease_ms,
        updated_at_ms=NOW_MS + updated_ms,
        tries=TRIES,
        unresolved_at_ms=NOW_MS + updated_ms if status is Status.UNRESOLVED else 0,
    )


def decision(met: Record, request: StoredRequest | None = None, delivered: Outcome | None = None) -> Decision:
    return decide(CLAIM, met, request, delivered, NOW_MS)
