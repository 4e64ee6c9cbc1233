"""The write-ahead log: requests are stored before they are sent, with their leases and their answers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from sealed_relay.kairos.seal import SealedRequest
from sealed_relay.kairos.verdict import ConclusiveAnswer
from sealed_relay.ledger.claim_rules import Lease
from sealed_relay.ledger.items import (
    answer_attribute,
    envelope_item,
    envelope_key,
    iso,
    request_key,
    sealed_request_of,
    stored_request_of,
)
from sealed_relay.ports import KEY, Change, Table, Value

_CLOCK_DIFFERENCE_SECONDS = 3600
_DAY_SECONDS = 86_400


class LeaseLostError(Exception):
    """Another invocation took the request over, because this one overran its lease. The write was not done."""


@dataclass(frozen=True, slots=True)
class Takeover:
    """A stored request that this invocation has taken over.

    `sealed` is None once TTL took the envelope. `was_refused` and `unclear_answers` are as in `StoredRequest`.
    """

    sealed: SealedRequest | None
    was_refused: bool
    unclear_answers: int


class RequestLog:
    """The stored requests. `clock` tells seconds since 1970."""

    def __init__(
        self, table: Table, clock: Callable[[], float], *, keep_outcomes: timedelta, keep_envelopes: timedelta
    ) -> None:
        self._table = table
        self._clock = clock
        self._keep_outcomes = keep_outcomes
        self._keep_envelopes = keep_envelopes

    def store(self, sealed: SealedRequest, lease: Lease) -> None:
        """Store a request. Rule 1: only when this has returned may its first byte be sent."""
        now_seconds = self._clock()
        envelope_expires_at = int(now_seconds + self._keep_envelopes.total_seconds())
        # Inserted, not put: a write that was delayed on the way must not undo an answer that was stored since.
        self._table.insert(
            [
                envelope_item(sealed, envelope_expires_at),
                {
                    KEY: request_key(sealed.request_id),
                    "flow_id": sealed.flow_id,
                    "lease_id": lease.lease_id,
                    "lease_expires_at_ms": lease.expires_at_ms,
                    "may_have_been_sent": True,  # if it was not sent, its sender notes that later
                    "envelope_expires_at": envelope_expires_at,
                    "created_at": iso(self._now_ms()),
                    # A day longer than any record that names it: a record without a request reads as never sent.
                    "expires_at": int(now_seconds + self._keep_outcomes.total_seconds()) + _DAY_SECONDS,
                },
            ]
        )

    def take_over(self, request_id: str, lease: Lease) -> Takeover | None:
        """Take over a stored request whose lease is over, to resend it.

        None if another invocation was faster, or if the request was certainly never sent. This is then noted, and the
        request is never sent: the next receive of its calls finds the note.
        """
        key = request_key(request_id)
        items = self._table.read([key, envelope_key(request_id)])
        if key not in items:
            return None
        stored = stored_request_of(items[key])
        # Once it is noted as never sent, its calls may move to another request at any time.
        is_open = stored.may_have_been_sent and not stored.is_answered
        if not is_open or self._now_ms() < stored.lease_expires_at_ms:
            return None
        envelope = items.get(envelope_key(request_id))
        # The two items are written in one round trip, each by itself. An envelope that is missing although TTL cannot
        # have taken it was not written: the storing was cut short, and nothing is sent before the storing is done.
        was_cut_short = envelope is None and self._clock() < stored.envelope_expires_at - _CLOCK_DIFFERENCE_SECONDS
        taken = Change(
            key,
            expected={"lease_id": stored.lease_id, "lease_expires_at_ms": stored.lease_expires_at_ms},
            attributes={
                "lease_id": lease.lease_id,
                "lease_expires_at_ms": lease.expires_at_ms,
                "may_have_been_sent": not was_cut_short,
            },
        )
        [is_taken] = self._table.update([taken])
        if was_cut_short or not is_taken:
            return None
        return Takeover(sealed_request_of(envelope) if envelope else None, stored.was_refused, stored.unclear_answers)

    def record_answer(self, request_id: str, lease: Lease, answer: ConclusiveAnswer) -> None:
        """Store an answer. Rule 3: before anything acts on it, so that an answered request is never sent again.

        Raises LeaseLostError.
        """
        self._change(request_id, lease, {"answer": answer_attribute(answer)})

    def release(
        self,
        request_id: str,
        lease: Lease,
        *,
        may_have_been_sent: bool,
        after_seconds: float,
        was_refused: bool = False,
        unclear_answers: int = 0,
    ) -> None:
        """Let any invocation take the unanswered request over, after so many seconds. Raises LeaseLostError."""
        attributes: dict[str, Value | None] = {
            "lease_expires_at_ms": self._now_ms() + int(after_seconds * 1000),
            "may_have_been_sent": may_have_been_sent,
        }
        if was_refused:  # once noted, it stays
            attributes["was_refused"] = True
        if unclear_answers:
            attributes["unclear_answers"] = unclear_answers
        self._change(request_id, lease, attributes)

    def _change(self, request_id: str, lease: Lease, attributes: Mapping[str, Value | None]) -> None:
        if not all(self._table.update([Change(request_key(request_id), {"lease_id": lease.lease_id}, attributes)])):
            raise LeaseLostError(f"Request {request_id} was taken over by another invocation, which will settle it.")

    def _now_ms(self) -> int:
        return int(self._clock() * 1000)
