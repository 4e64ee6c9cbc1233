"""Whose the calls are, and what came of them: claims and outcomes, over the table."""

import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from sealed_relay.calls.message import Call
from sealed_relay.calls.outcome import Outcome, Status
from sealed_relay.kairos.verdict import delivered_by
from sealed_relay.ledger.claim_rules import Busy, Claim, Claimed, Decision, Free, Lease, Record, Tries, decide
from sealed_relay.ledger.items import (
    acknowledged_attribute,
    answer_of,
    iso,
    outcome_attributes,
    record_of,
    request_key,
    stored_request_of,
)
from sealed_relay.ports import KEY, Change, Item, Table

_CONTENT_HASH_BYTES = 16


@dataclass(frozen=True, slots=True)
class Settlement:
    """An outcome for a call of the request `request_id`.

    `message_id` and `tries` only where this invocation has a message with the call, `retry_at_ms` only where it waits.
    """

    call_id: str
    request_id: str
    outcome: Outcome
    message_id: str = ""
    retry_at_ms: int = 0
    tries: Tries | None = None


class Ledger:
    """The outcome records. `clock` tells seconds since 1970."""

    def __init__(
        self, table: Table, clock: Callable[[], float], content_hash_key: bytes, keep_outcomes: timedelta
    ) -> None:
        self._table = table
        self._clock = clock
        self._content_hash_key = content_hash_key
        self._keep_outcomes = keep_outcomes

    def content_hash(self, call: Call) -> bytes:
        """A hash of what the producer wrote, under a key: a phone number cannot be guessed from it."""
        content = call.call_id.encode() + b"\0" + call.content
        return hmac.digest(self._content_hash_key, content, "sha256")[:_CONTENT_HASH_BYTES]

    def claim(self, calls: Sequence[tuple[Call, str]], lease: Lease) -> list[Decision]:
        """Claim calls of different identities, each for the request with that id; decisions in the calls' order."""
        claims = [Claim(call, request_id, self.content_hash(call)) for call, request_id in calls]
        inserted = self._table.insert([self._first_record(claim, lease) for claim in claims])
        decisions: list[Decision] = [Claimed(Tries()) for _ in claims]
        met = [index for index, is_new in enumerate(inserted) if not is_new]
        if not met:
            return decisions
        records = self._table.read([claims[index].call.call_id for index in met])
        requests = self._table.read(sorted({request_key(str(item["request_id"])) for item in records.values()}))
        free: list[tuple[int, Tries, Change]] = []
        for index in met:
            claim = claims[index]
            item = records.get(claim.call.call_id)
            if item is None:  # TTL took it between the two round trips; the next delivery finds the place empty
                decisions[index] = Busy(self._now_ms())
                continue
            record = record_of(item)
            decisions[index] = self._decide(claim, record, requests.get(request_key(record.request_id)))
            if isinstance(decisions[index], Free):
                tries = replace(record.tries, refusals=0) if record.status.is_final else record.tries
                free.append((index, tries, self._claim_over(claim, record, tries, lease)))
        claimed = self._update_names([change for _, _, change in free])
        for (index, tries, _), is_claimed in zip(free, claimed, strict=True):
            # Where it is not, somebody else claimed the call in between.
            decisions[index] = Claimed(tries) if is_claimed else Busy(self._now_ms())
        return decisions

    def move(self, calls: Sequence[Call], from_request_id: str, to_request_id: str, lease: Lease) -> list[bool]:
        """Name another request as the one that may deliver these calls, before that one is stored or sent.

        The messages that hold the calls go on holding them: as in `settle`.
        False for a call that is not open under `from_request_id` any more.
        """
        return self._update_names(
            [
                Change(
                    call.call_id,
                    expected={"request_id": from_request_id, "is_open": True},
                    attributes={
                        "status": Status.SENDING.value,
                        "request_id": to_request_id,
                        "lease_expires_at_ms": lease.expires_at_ms,
                        "updated_at": iso(self._now_ms()),
                    },
                )
                for call in calls
            ]
        )

    def acknowledge(self, calls: Sequence[Call]) -> list[bool]:
        """Write down that the calls' messages are about to leave the queue, while others hold the calls.

        SQS may deliver a copy of such a message later. It must not come to hold the call then: the message is gone, so
        nothing would bring the call back. False where the message may hold its call by now: it has to stay.
        """
        records = self._table.read([call.call_id for call in calls])
        may_leave: list[bool] = []
        marks: dict[int, Change] = {}
        for index, call in enumerate(calls):
            item = records.get(call.call_id, {})
            record = record_of(item) if item else None
            may_leave.append(record is None or record.message_id != call.message_id)
            is_marked = record and (record.status.is_delivered or call.message_id in record.acknowledged)
            if record and may_leave[index] and not is_marked:
                acknowledged = acknowledged_attribute([*record.acknowledged, call.message_id])
                expected = {"message_id": record.message_id, "acknowledged": item["acknowledged"]}
                marks[index] = Change(call.call_id, expected, {"acknowledged": acknowledged})
        for index, is_done in zip(marks, self._table.update(list(marks.values())), strict=True):
            may_leave[index] = is_done
        return may_leave

    def settle(self, settlements: Sequence[Settlement]) -> None:
        """Write outcomes. Records that are not open under the named request any more stay as they are."""
        now_ms = self._now_ms()
        changes = []
        for settlement in settlements:
            attributes = outcome_attributes(settlement.outcome, now_ms)
            # No message comes to hold an open call but by a claim. One that is acknowledged elsewhere meanwhile,
            # because another holds the call, would hold it and never come back for it.
            if settlement.message_id and settlement.outcome.status.is_final:
                attributes["message_id"] = settlement.message_id
            if settlement.tries:
                attributes["attempts"] = settlement.tries.attempts
                if settlement.tries.refusals:  # they only grow, from the 0 that the claim wrote
                    attributes["refusals"] = settlement.tries.refusals
            if not settlement.outcome.status.is_final:
                attributes["lease_expires_at_ms"] = settlement.retry_at_ms
            expected: Item = {"request_id": settlement.request_id, "is_open": True}
            changes.append(Change(settlement.call_id, expected, attributes))
        self._table.update(changes)

    def _update_names(self, changes: Sequence[Change]) -> list[bool]:
        """Update records so that they name another request; True for each that names it now.

        A write whose answer was lost is tried again by the SDK, and then fails on its own success. Taken for a failure
        it would leave a record naming a request that does not hold the call, and so an answer that is not its own.
        """
        done = self._table.update(changes)
        doubtful = [change.key for change, is_done in zip(changes, done, strict=True) if not is_done]
        records = self._table.read(doubtful) if doubtful else {}
        return [
            is_done or records.get(change.key, {}).get("request_id") == change.attributes["request_id"]
            for change, is_done in zip(changes, done, strict=True)
        ]

    def _decide(self, claim: Claim, record: Record, request: Item | None) -> Decision:
        delivered = None
        if request is not None and "answer" in request:
            answer, is_resend = answer_of(request)
            delivered = delivered_by(answer, claim.call.client_identifier, is_resend=is_resend)
        stored = stored_request_of(request) if request is not None else None
        return decide(claim, record, stored, delivered, self._now_ms())

    def _first_record(self, claim: Claim, lease: Lease) -> Item:
        now_ms = self._now_ms()
        return {
            KEY: claim.call.call_id,
            "flow_id": claim.call.flow_id,
            "client_identifier": claim.call.client_identifier,
            "created_at": iso(now_ms),
            "acknowledged": "",
            **self._claim_attributes(claim, Tries(), lease, now_ms),
        }

    def _claim_over(self, claim: Claim, record: Record, tries: Tries, lease: Lease) -> Change:
        expected: Item = {
            "request_id": record.request_id,
            "status": record.status.value,
            "lease_expires_at_ms": record.lease_expires_at_ms,
            "acknowledged": acknowledged_attribute(record.acknowledged),  # this very message may be, since it was read
        }
        attributes = {
            **outcome_attributes(Outcome(Status.SENDING), self._now_ms()),
            **self._claim_attributes(claim, tries, lease, self._now_ms()),
        }
        if record.status.is_final:  # its message had its outcome, and has left the queue
            attributes["acknowledged"] = acknowledged_attribute([*record.acknowledged, record.message_id])
        return Change(claim.call.call_id, expected, attributes)

    def _claim_attributes(self, claim: Claim, tries: Tries, lease: Lease, now_ms: int) -> dict[str, str | int | bytes]:
        return {
            "status": Status.SENDING.value,
            "is_open": True,
            "request_id": claim.request_id,
            "message_id": claim.call.message_id,
            "content_hash": claim.content_hash,
            "attempts": tries.attempts,
            "refusals": tries.refusals,
            "lease_expires_at_ms": lease.expires_at_ms,
            "updated_at": iso(now_ms),
            "expires_at": int(now_ms / 1000 + self._keep_outcomes.total_seconds()),
        }

    def _now_ms(self) -> int:
        return int(self._clock() * 1000)
