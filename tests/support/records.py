"""Records and stored requests that a claim meets."""

from dataclasses import replace

from sealed_relay.calls.outcome import Outcome, Status
from sealed_relay.ledger.claim_rules import RETRY_MARGIN_SECONDS, Claim, Record, Situation, StoredRequest, Tries
from tests.support.messages import SENT_AT, make_call

NOW_MS = int(SENT_AT.timestamp() * 1000)
RETRY_MARGIN_MS = int(RETRY_MARGIN_SECONDS * 1000)
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
    unclear_answers=0,
    envelope_expires_at=NOW_MS // 1000 + 60,
)
LEASED = replace(UNANSWERED, lease_expires_at_ms=NOW_MS + 1)
UNSENT = replace(LEASED, may_have_been_sent=False)
ANSWERED = replace(LEASED, is_answered=True)


def record(status: Status, *, is_own: bool = True, is_same: bool = True, lease_ms: int = 0, age_ms: int = 0) -> Record:
    """A record whose lease runs so many milliseconds longer, written so many before the claim's message was sent."""
    return Record(
        outcome=Outcome(status),
        request_id="old request",
        message_id="own message" if is_own else "other message",
        content_hash=OURS if is_same else OTHER,
        lease_expires_at_ms=NOW_MS + lease_ms,
        updated_at_ms=NOW_MS - age_ms,
        tries=TRIES,
    )


def situation(met: Record, request: StoredRequest | None = None, concluded: Outcome | None = None) -> Situation:
    """The claim meets this record now."""
    return Situation(CLAIM, met, request, concluded, NOW_MS)
