"""Whether a message may send a call that another message, or an earlier delivery of the same, has met before. Pure.

The argument for "at most once" rests on this page, on `ledger` and on `request_log`:

- A call's record names the one request that may deliver it (`request_id`), and every write to the record is
  conditional on that name. So of two claims one fails.
- A call leaves its request for another only if that request was never sent (it is not stored as a whole, or known
  as not sent), or was answered with a failure that settles what became of it (`verdicts.tells_what_became_of`). As
  long as its answer is unknown, the one way on is to resend its bytes.
- An invocation sends only what it stored, and only within its lease. The lease outlives the invocation, so whoever
  finds it over knows that its holder is dead.
"""

from dataclasses import dataclass

from sealed_relay.calls.message import Call
from sealed_relay.calls.outcome import Outcome, Status


@dataclass(frozen=True, slots=True)
class Lease:
    """One invocation's hold on what it claims: nobody else touches it until then, in milliseconds since 1970."""

    lease_id: str
    expires_at_ms: int


@dataclass(frozen=True, slots=True)
class Tries:
    """How often a call was sent, as far as is on record, and how often it was answered with a passing failure.

    `may_have_been_delivered`: it ended UNRESOLVED before, and was sent again because somebody asked for it.
    """

    attempts: int = 0
    refusals: int = 0
    may_have_been_delivered: bool = False


@dataclass(frozen=True, slots=True)
class Claim:
    """A wish to deliver `call` in the request `request_id`."""

    call: Call
    request_id: str
    content_hash: bytes


@dataclass(frozen=True, slots=True)
class Record:
    """What the ledger holds on a call. Times are milliseconds since 1970.

    The message `message_id` holds the call: as long as that is open, and at least until `lease_expires_at_ms`, it is in
    the ingress queue. It came to hold it by its claim, and while others recover the call for it, it still does.
    `acknowledged` are messages that have left the queue without an outcome of their own. `unresolved_at_ms` is when
    the call was last given up without knowing, 0 if it never was.
    """

    status: Status
    request_id: str
    message_id: str
    content_hash: bytes
    lease_expires_at_ms: int
    updated_at_ms: int
    tries: Tries
    unresolved_at_ms: int = 0
    acknowledged: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredRequest:
    """What the ledger holds on a request that was written down before it was sent.

    `was_refused`: a resend was, for a reason that says nothing of the attempt before. `envelope_expires_at`, in seconds
    since 1970, is from when on TTL may take the envelope.
    """

    lease_id: str
    lease_expires_at_ms: int
    is_answered: bool
    may_have_been_sent: bool
    was_refused: bool
    envelope_expires_at: int


@dataclass(frozen=True, slots=True)
class Claimed:
    """The call is this invocation's, and nobody else can send it."""

    tries: Tries


@dataclass(frozen=True, slots=True)
class Done:
    """The call ended, and this very message has had its outcome: an earlier acknowledgement was lost."""


@dataclass(frozen=True, slots=True)
class Duplicate:
    """Another message delivered, or is still delivering, the same content."""

    is_delivered: bool


@dataclass(frozen=True, slots=True)
class Reused:
    """Another message gave this identity to other content."""


@dataclass(frozen=True, slots=True)
class Busy:
    """Somebody else may be sending the call until then, in milliseconds since 1970."""

    until_ms: int


@dataclass(frozen=True, slots=True)
class Unanswered:
    """The call's stored request may have been sent, and its sender is gone: take it over, resend its bytes."""

    request_id: str
    tries: Tries


@dataclass(frozen=True, slots=True)
class Concluded:
    """The stored answer to the call's request delivers it; only the record does not say so yet."""

    request_id: str
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Free:
    """The call may be claimed over what the ledger holds on it."""


Decision = Claimed | Done | Duplicate | Reused | Busy | Unanswered | Concluded | Free


def decide(  # noqa: PLR0911 - a table, one return a row
    claim: Claim, record: Record, request: StoredRequest | None, delivered: Outcome | None, now_ms: int
) -> Decision:
    """What a claim on a call with a record comes to.

    `request` is the record's stored request, None where there is none; `delivered` is the outcome that its
    stored answer gives this call, None where it gives none.
    """
    is_own = record.message_id == claim.call.message_id
    is_same = record.content_hash == claim.content_hash
    lease_is_over = now_ms >= record.lease_expires_at_ms
    if record.request_id == claim.request_id:
        return Claimed(record.tries)  # this claim's own write, whose answer was lost
    if claim.call.message_id in record.acknowledged:
        return Done()  # a copy that SQS delivers although the message is gone: it could not come back for the call
    if record.status.is_failure and is_own:
        return Done()
    if record.status.is_failure and not _was_sent_before_the_end(claim, record):
        return Free()  # a retry
    if not is_own and not is_same:
        return Reused()
    if record.status.is_final:
        return Done() if is_own else Duplicate(is_delivered=record.status.is_delivered)
    if not is_own and not lease_is_over:
        return Duplicate(is_delivered=False)  # the message that holds the call is still in the queue
    if record.status is Status.SENDING and not lease_is_over:
        return Busy(record.lease_expires_at_ms)
    return _take_up(record, request, delivered, now_ms)


def _was_sent_before_the_end(claim: Claim, record: Record) -> bool:
    """Whether it may be a copy that was on the queue all along, of a call that may have been delivered.

    To send such a call again somebody must have asked for it, knowing how it ended. A call that was certainly not
    delivered is retried for any other message.
    """
    return record.unresolved_at_ms > 0 and claim.call.sent_at.timestamp() * 1000 <= record.unresolved_at_ms


def _take_up(record: Record, request: StoredRequest | None, delivered: Outcome | None, now_ms: int) -> Decision:
    """Go on with a call whose last holder is gone or gave it back."""
    if request is None:
        return Free()  # nothing was stored, so nothing was ever sent
    if request.is_answered:
        return Concluded(record.request_id, delivered) if delivered else Free()
    if now_ms < request.lease_expires_at_ms:
        return Busy(request.lease_expires_at_ms)
    if not request.may_have_been_sent:
        return Free()  # nor will it be: its flow's secret may be another one by now, so it is sealed anew
    return Unanswered(record.request_id, record.tries)
