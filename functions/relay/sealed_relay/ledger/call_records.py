"""The outcome records: which request may deliver a call, and what became of the call."""

import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from sealed_relay.calls.call import Call
from sealed_relay.calls.outcome import Outcome, Status
from sealed_relay.kairos.verdict import outcome_in
from sealed_relay.ledger.claim_rules import Claim, Decision, Lease, Situation, Tries, decide
from sealed_relay.ledger.items import (
    answer_of,
    iso,
    outcome_attributes,
    record_of,
    request_key,
    stored_request_of,
    text_for_event,
)
from sealed_relay.ports import KEY, Change, Item, Table, Value

MOVED_TO = "start_time_moved_to"
"""The attribute of a record that says where the flow's calling hours moved the start of the call."""

_CONTENT_HASH_BYTES = 16


@dataclass(frozen=True, slots=True)
class Claimed:
    """The call is this invocation's, in the request that the claim named."""

    tries: Tries


@dataclass(frozen=True, slots=True)
class Met:
    """The call is not claimed, because of what is on record. `decision` is never OWN, RETRY or FREE.

    `request_id` is the request on record. `outcome` is the recorded one; for CONCLUDED it is the stored answer's.
    `busy_until_ms`, milliseconds since 1970, is when another try is worthwhile. `is_own`: the record names
    the message of the claim.
    """

    decision: Decision
    request_id: str
    outcome: Outcome
    tries: Tries
    busy_until_ms: int
    is_own: bool


@dataclass(frozen=True, slots=True)
class Settlement:
    """An outcome for a call of the request `request_id`, on behalf of the message `message_id`.

    `retry_at_ms`, milliseconds since 1970, is when a call that waits is due again.
    """

    call_id: str
    request_id: str
    message_id: str
    outcome: Outcome
    tries: Tries
    retry_at_ms: int


class CallRecords:
    """The records of all calls. `clock` tells seconds since 1970."""

    def __init__(
        self, table: Table, clock: Callable[[], float], content_hash_key: bytes, keep_outcomes: timedelta
    ) -> None:
        self._table = table
        self._clock = clock
        self._content_hash_key = content_hash_key
        self._keep_outcomes = keep_outcomes

    def content_hash(self, call: Call) -> bytes:
        """A hash of the call's content, under a key: a phone number cannot be guessed from it."""
        content = call.call_id.encode() + b"\0" + call.content
        return hmac.digest(self._content_hash_key, content, "sha256")[:_CONTENT_HASH_BYTES]

    def claim(self, calls: Sequence[tuple[Call, str]], lease: Lease) -> list[Claimed | Met]:
        """Claim calls of different identities, each for the request with that id; the answers are in order.

        Rule 2: the record names the one request that may deliver the call.
        """
        claims = [Claim(call, request_id, self.content_hash(call)) for call, request_id in calls]
        inserted = self._table.insert([self._first_record(claim, lease) for claim in claims])
        answers: list[Claimed | Met] = [Claimed(Tries())] * len(claims)
        met = [index for index, is_new in enumerate(inserted) if not is_new]
        for index, answer in zip(met, self._claim_over([claims[index] for index in met], lease), strict=True):
            answers[index] = answer
        return answers

    def move(self, calls: Sequence[Call], from_request_id: str, to_request_id: str, lease: Lease) -> list[bool]:
        """Name another request as the one that may deliver these calls, before that one is stored or sent.

        False for a call that is not open under `from_request_id` any more.
        """
        attributes: dict[str, Value | None] = {
            "status": Status.SENDING.value,
            "request_id": to_request_id,
            "lease_expires_at_ms": lease.expires_at_ms,
            "updated_at": iso(self._now_ms()),
        }
        expected: Item = {"request_id": from_request_id, "is_open": True}
        return self._rename([Change(call.call_id, expected, attributes) for call in calls])

    def settle(self, settlements: Sequence[Settlement]) -> list[bool]:
        """Write outcomes. False where the call is not open under the named request any more: the record stays.

        False also if the SDK wrote twice: the second write fails because the first one was done. The caller keeps the
        message in its queue then, and the next receive finds the outcome on record.
        """
        now_ms = self._now_ms()
        return self._table.update([_settle_change(settlement, now_ms) for settlement in settlements])

    def _claim_over(self, claims: Sequence[Claim], lease: Lease) -> list[Claimed | Met]:
        """Claim calls that have a record, where the rules allow it."""
        if not claims:
            return []
        records = self._table.read([claim.call.call_id for claim in claims])
        requests = self._table.read(sorted({request_key(str(item["request_id"])) for item in records.values()}))
        answers = [self._meet(claim, records.get(claim.call.call_id), requests) for claim in claims]
        over = {
            index: self._change_over(claim, records[claim.call.call_id], answer.tries, lease)
            for index, (claim, answer) in enumerate(zip(claims, answers, strict=True))
            if answer.decision in (Decision.RETRY, Decision.FREE)
        }
        is_claimed = dict(zip(over, self._rename(list(over.values())), strict=True))
        return [
            Claimed(answer.tries)
            if is_claimed.get(index, answer.decision is Decision.OWN)
            # Where a claim failed, another invocation claimed the call in between.
            else replace(answer, decision=Decision.BUSY if index in over else answer.decision)
            for index, answer in enumerate(answers)
        ]

    def _meet(self, claim: Claim, item: Item | None, requests: dict[str, Item]) -> Met:
        now_ms = self._now_ms()
        if item is None:  # TTL took it between the two round trips; the next receive finds no record
            return Met(Decision.BUSY, "", Outcome(Status.WAITING), Tries(), now_ms, is_own=False)
        record = record_of(item)
        request_item = requests.get(request_key(record.request_id))
        request = stored_request_of(request_item) if request_item else None
        answer = answer_of(request_item) if request_item else None
        concluded = outcome_in(answer, claim.call.client_identifier) if answer else None
        decision = decide(Situation(claim, record, request, concluded, now_ms))
        outcome = concluded if concluded and decision is Decision.CONCLUDED else record.outcome
        busy_until_ms = max(record.lease_expires_at_ms, request.lease_expires_at_ms if request else 0)
        is_own = record.message_id == claim.call.message_id
        tries = replace(record.tries, refusals=0) if decision is Decision.RETRY else record.tries
        return Met(decision, record.request_id, outcome, tries, busy_until_ms, is_own)

    def _rename(self, changes: Sequence[Change]) -> list[bool]:
        """Update records so that they name another request; True for each that names it now.

        If the answer to a write is lost, the SDK writes again, and the second write fails because the first one was
        done. If that counted as a failure, the record would name a request that does not hold the call.
        """
        done = self._table.update(changes)
        doubtful = [change.key for change, is_done in zip(changes, done, strict=True) if not is_done]
        records = self._table.read(doubtful) if doubtful else {}
        return [
            is_done or records.get(change.key, {}).get("request_id") == change.attributes["request_id"]
            for change, is_done in zip(changes, done, strict=True)
        ]

    def _first_record(self, claim: Claim, lease: Lease) -> Item:
        now_ms = self._now_ms()
        return {
            KEY: claim.call.call_id,
            "flow_id": claim.call.flow_id,
            "client_identifier": claim.call.client_identifier,
            "client_identifier_in_event": text_for_event(claim.call.client_identifier),
            "created_at": iso(now_ms),
            "updated_at": iso(now_ms),
            "status": Status.SENDING.value,
            "is_open": True,
            **self._claim_attributes(claim, Tries(), lease, now_ms),
            **({MOVED_TO: claim.call.moved_start_time} if claim.call.moved_start_time else {}),
        }

    def _change_over(self, claim: Claim, item: Item, tries: Tries, lease: Lease) -> Change:
        now_ms = self._now_ms()
        expected = {name: item[name] for name in ("request_id", "status", "lease_expires_at_ms")}
        attributes = outcome_attributes(Outcome(Status.SENDING), now_ms)
        attributes[MOVED_TO] = claim.call.moved_start_time or None
        return Change(
            claim.call.call_id, expected, {**attributes, **self._claim_attributes(claim, tries, lease, now_ms)}
        )

    def _claim_attributes(self, claim: Claim, tries: Tries, lease: Lease, now_ms: int) -> dict[str, Value]:
        return {
            "request_id": claim.request_id,
            "message_id": claim.call.message_id,
            "content_hash": claim.content_hash,
            "attempts": tries.attempts,
            "refusals": tries.refusals,
            "lease_expires_at_ms": lease.expires_at_ms,
            "expires_at": int(now_ms / 1000 + self._keep_outcomes.total_seconds()),
        }

    def _now_ms(self) -> int:
        return int(self._clock() * 1000)


def _settle_change(settlement: Settlement, now_ms: int) -> Change:
    attributes = outcome_attributes(settlement.outcome, now_ms)
    attributes["message_id"] = settlement.message_id
    attributes["attempts"] = settlement.tries.attempts
    attributes["refusals"] = settlement.tries.refusals
    if not settlement.outcome.status.is_final:
        attributes["lease_expires_at_ms"] = settlement.retry_at_ms
    return Change(settlement.call_id, {"request_id": settlement.request_id, "is_open": True}, attributes)
