"""Requests as they are written down before they are sent, who holds them, and their answers: a write-ahead log."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from sealed_relay.kairos.answer import Answered
from sealed_relay.ledger.claim_rules import Lease
from sealed_relay.ledger.items import (
    SealedRequest,
    answer_attribute,
    envelope_item,
    envelope_key,
    iso,
    request_key,
    sealed_request_of,
    stored_request_of,
)
from sealed_relay.ports import KEY, Change, Table

_CLOCKS_DIFFER_SECONDS = 3600


class LeaseLostError(Exception):
    """Another invocation took the request over: this one overran its lease, and its write was not done."""


@dataclass(frozen=True, slots=True)
class Takeover:
    """A stored request that this invocation now holds.

    `sealed` is None once TTL took the envelope, and where the storing was cut short before it was written.
    """

    sealed: SealedRequest | None
    may_have_been_sent: bool
    was_refused: bool


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
        """Write a request down. Only when this has returned may its first byte be sent."""
        now_seconds = self._clock()
        envelope_expires_at = int(now_seconds + self._keep_envelopes.total_seconds())
        # Inserted, not put: a write that was delayed on the way must not undo the answer that came since.
        self._table.insert(
            [
                envelope_item(sealed, envelope_expires_at),
                {
                    KEY: request_key(sealed.request_id),
                    "flow_id": sealed.flow_id,
                    "lease_id": lease.lease_id,
                    "lease_expires_at_ms": lease.expires_at_ms,
                    "may_have_been_sent": True,  # from here on nobody can know, but whoever sends it
                    "envelope_expires_at": envelope_expires_at,
                    "created_at": iso(self._now_ms()),
                    # A day longer than any record that names it: a record without a request reads as never sent.
                    "expires_at": int(now_seconds + self._keep_outcomes.total_seconds()) + 86_400,
                },
            ]
        )

    def take_over(self, request_id: str, lease: Lease) -> Takeover | None:
        """Take a stored request whose lease ran out; None where another invocation was quicker."""
        key = request_key(request_id)
        items = self._table.read([key, envelope_key(request_id)])
        if key not in items:
            return None
        stored = stored_request_of(items[key])
        if stored.is_answered or self._now_ms() < stored.lease_expires_at_ms:
            return None
        envelope = items.get(envelope_key(request_id))
        # The two are written side by side. An envelope that is missing before TTL may take it was never written: the
        # storing was cut short, and nothing is sent before that is done. Nor will these bytes be sent by whoever takes
        # them over: should the envelope arrive late, it is to find that written down.
        is_cut_short = envelope is None and self._clock() < stored.envelope_expires_at - _CLOCKS_DIFFER_SECONDS
        may_have_been_sent = stored.may_have_been_sent and not is_cut_short
        taken = Change(
            key,
            expected={"lease_id": stored.lease_id, "lease_expires_at_ms": stored.lease_expires_at_ms},
            attributes={
                "lease_id": lease.lease_id,
                "lease_expires_at_ms": lease.expires_at_ms,
                "may_have_been_sent": not is_cut_short,  # as in `store`
            },
        )
        if not all(self._table.update([taken])):
            return None
        sealed = sealed_request_of(envelope) if envelope else None
        return Takeover(sealed, may_have_been_sent, stored.was_refused)

    def record_answer(self, request_id: str, lease: Lease, answer: Answered, *, is_resend: bool) -> None:
        """Write an answer down before anything acts on it: an answered request is never resent.

        Raises LeaseLostError.
        """
        self._change_request(request_id, lease, {"answer": answer_attribute(answer, is_resend=is_resend)})

    def release(
        self,
        request_id: str,
        lease: Lease,
        *,
        may_have_been_sent: bool,
        was_refused: bool = False,
        after_seconds: float = 0.0,
    ) -> None:
        """Let anybody take the unanswered request over, from now or a while later on. Raises LeaseLostError.

        That it was refused stays on record from then on.
        """
        free_at_ms = self._now_ms() + int(after_seconds * 1000)
        refused = {"was_refused": True} if was_refused else {}
        self._change_request(
            request_id, lease, {"lease_expires_at_ms": free_at_ms, "may_have_been_sent": may_have_been_sent, **refused}
        )

    def _change_request(self, request_id: str, lease: Lease, attributes: dict[str, str | int | bytes | None]) -> None:
        change = Change(request_key(request_id), {"lease_id": lease.lease_id}, attributes)
        if not all(self._table.update([change])):
            raise LeaseLostError(f"The lease on request {request_id} was taken over; its answer is left to the taker.")

    def _now_ms(self) -> int:
        return int(self._clock() * 1000)
