"""Whether a message may send a call that has a record, of another message or of an earlier delivery. Pure.

The argument for "at most once" rests on this module, on `call_records` and on `request_log`:

- A call's record names the one request that may deliver it (`request_id`). Every write to the record is conditional on
  that name, so of two claims one fails.
- A call moves to another request only if its request was certainly never sent, or if the API refused it for good
  (`kairos.conclusive`). As long as the answer is unknown, the only way on is to resend the same bytes.
- An invocation sends only what it stored, and only within its lease. The lease outlives the invocation, so a lease that
  is over belongs to an invocation that is dead.
- A message leaves its queue only when each of its calls is delivered, or has been put on the failure queue for this
  very message. So an open call always has a message in a queue.

Time line of one call:

    claimed                 answered         recorded                             a later message is a retry
    |---- lease ------------|----------------|--- RETRY_MARGIN_SECONDS -----------|------------------------>
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from sealed_relay.calls.call import Call
from sealed_relay.calls.outcome import Outcome

RETRY_MARGIN_SECONDS = 30.0
"""A message is a retry only if it was sent this long after the failure. It covers clocks that differ and slow writes.

A failure is dated before it is written. A message that was sent between the two knows nothing of the failure.
"""


@dataclass(frozen=True, slots=True)
class Lease:
    """One invocation's claim. Until `expires_at_ms` (since 1970) no other invocation touches what it claimed."""

    lease_id: str
    expires_at_ms: int


@dataclass(frozen=True, slots=True)
class Tries:
    """How often a call was sent, as far as is on record, and how often a transient failure was the answer.

    `may_have_been_delivered`: the call ended UNRESOLVED before, and a later message asked for it again.
    """

    attempts: int = 0
    refusals: int = 0
    may_have_been_delivered: bool = False


@dataclass(frozen=True, slots=True)
class Claim:
    """A message asks to deliver `call` in the request `request_id`."""

    call: Call
    request_id: str
    content_hash: bytes


@dataclass(frozen=True, slots=True)
class Record:
    """What the ledger holds on a call. Times are milliseconds since 1970.

    `message_id` is the message of the last claim, or of the final outcome. `outcome` is the recorded one.
    """

    outcome: Outcome
    request_id: str
    message_id: str
    content_hash: bytes
    lease_expires_at_ms: int
    updated_at_ms: int
    tries: Tries


@dataclass(frozen=True, slots=True)
class StoredRequest:
    """What the ledger holds on a request that was stored before it was sent.

    `was_refused`: a resend was refused, for a reason that says nothing about the earlier attempts. `unclear_answers`
    counts the ambiguous answers. `envelope_expires_at`, in seconds since 1970, is when TTL may take the envelope.
    """

    lease_id: str
    lease_expires_at_ms: int
    is_answered: bool
    may_have_been_sent: bool
    was_refused: bool
    unclear_answers: int
    envelope_expires_at: int


class Decision(StrEnum):
    """What a message does with a call that has a record."""

    OWN = "claimed: this is the claim's own write, whose answer was lost"
    RETRY = "claim it for a new request: a retry"
    REUSED = "fail it for this message: the client-identifier belongs to other content"
    DELIVERED = "finished: it leaves with its message"
    DONE = "finished: it was put on the failure queue for this very message"
    SHARE_FAILURE = "fail it for this message too, with the recorded failure"
    BUSY = "defer the message until the lease is over"
    FREE = "claim it for a new request: the old one was never stored, never sent, or refused"
    CONCLUDED = "settle it by the stored answer"
    UNANSWERED = "take the stored request over, and resend its bytes"


@dataclass(frozen=True, slots=True)
class Situation:
    """A claim, and what is on record. `concluded` is the final outcome that a stored answer gives the call, if any."""

    claim: Claim
    record: Record
    request: StoredRequest | None
    concluded: Outcome | None
    now_ms: int


Condition = Callable[[Situation], bool]


def record_names_this_claims_request(it: Situation) -> bool:
    """Request ids are random and used once."""
    return it.record.request_id == it.claim.request_id


def call_failed(it: Situation) -> bool:
    """The record says REJECTED, EXPIRED or UNRESOLVED."""
    return it.record.outcome.status.is_failure


def message_was_sent_well_after_the_failure(it: Situation) -> bool:
    """By RETRY_MARGIN_SECONDS or more."""
    sent_at_ms = it.claim.call.sent_at.timestamp() * 1000
    return sent_at_ms >= it.record.updated_at_ms + RETRY_MARGIN_SECONDS * 1000


def content_differs(it: Situation) -> bool:
    """The record's call has other content."""
    return it.record.content_hash != it.claim.content_hash


def call_is_delivered(it: Situation) -> bool:
    """The record says ACCEPTED or PRESUMED_ACCEPTED."""
    return it.record.outcome.status.is_delivered


def failure_was_published_for_this_message(it: Situation) -> bool:
    """A failure is published before it is recorded, so the record's own message is on the failure queue."""
    return it.record.message_id == it.claim.call.message_id


def lease_is_running(it: Situation) -> bool:
    """An invocation may be working on the call, or its next try is due later."""
    return it.now_ms < it.record.lease_expires_at_ms


def no_request_is_stored(it: Situation) -> bool:
    """A request is stored before its first byte is sent, so nothing was sent."""
    return it.request is None


def stored_answer_is_final_for_the_call(it: Situation) -> bool:
    """The request's stored answer delivers the call, or says that no further request can tell."""
    return it.concluded is not None


def request_was_refused(it: Situation) -> bool:
    """Its stored answer says that the API did not take this call."""
    return it.request is not None and it.request.is_answered


def request_was_never_sent(it: Situation) -> bool:
    """It is stored and its holder noted that no byte of it left; its bytes are never used again."""
    return it.request is not None and not it.request.may_have_been_sent


def request_lease_is_running(it: Situation) -> bool:
    """An invocation may be sending the request, or its next resend is due later."""
    return it.request is not None and it.now_ms < it.request.lease_expires_at_ms


def always(_: Situation) -> bool:
    """In every other case."""
    return True


TABLE: tuple[tuple[tuple[Condition, ...], Decision], ...] = (
    ((record_names_this_claims_request,), Decision.OWN),
    ((call_failed, message_was_sent_well_after_the_failure), Decision.RETRY),
    ((content_differs,), Decision.REUSED),
    ((call_is_delivered,), Decision.DELIVERED),
    ((call_failed, failure_was_published_for_this_message), Decision.DONE),
    ((call_failed,), Decision.SHARE_FAILURE),
    ((lease_is_running,), Decision.BUSY),
    ((no_request_is_stored,), Decision.FREE),
    ((stored_answer_is_final_for_the_call,), Decision.CONCLUDED),
    ((request_was_refused,), Decision.FREE),
    ((request_was_never_sent,), Decision.FREE),
    ((request_lease_is_running,), Decision.BUSY),
    ((always,), Decision.UNANSWERED),
)
"""The first row whose conditions all hold gives the decision. `docs/guarantee.md` prints the table."""


def decide(it: Situation) -> Decision:
    """What the message does with the call."""
    return next(decision for conditions, decision in TABLE if all(condition(it) for condition in conditions))
