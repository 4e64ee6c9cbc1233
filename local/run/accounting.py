"""Compares the accounts of a run, call by call: the relay's records, the failure queue, the simulator's audit. Pure.

It finds calls without an end, contradictions, lost calls and duplicated calls.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from sealed_relay.calls.message import Lane
from sealed_relay.calls.outcome import Reason, Status
from sealed_relay.kairos.codes import code_of


@dataclass(frozen=True, slots=True)
class SentMessage:
    """A message that was sent; `call_ids` is empty if it cannot be read. `sent_at` is in seconds since 1970."""

    message_id: str
    call_ids: tuple[str, ...]
    queue: Lane = Lane.INGRESS
    sent_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Record:
    """An outcome record. `request_id` is the relay's own; `phonon_uuid` is "" if the record has none.

    `updated_at` is when it got its status, in seconds since 1970.
    """

    status: Status
    request_id: str = ""
    phonon_uuid: str = ""
    updated_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Failure:
    """A message in the failure queue. `reason` is "" if SQS moved the message there, and not the relay."""

    source_message_id: str
    reason: str
    code: int | None
    call_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Audit:
    """What the simulator did, by its own count.

    `taken` has the `phonon-uuid`s of each call of the run, one for each time it was accepted. `answers` counts all
    requests, also those of other clients, by their answer.
    """

    taken: Mapping[str, Sequence[str]]
    answers: Mapping[str, int]


@dataclass(frozen=True)
class Evidence:
    """Everything that is known about a run; `audit` is None without a simulator."""

    sent: Sequence[SentMessage]
    records: Mapping[str, Record]
    failures: Sequence[Failure]
    audit: Audit | None = None

    @cached_property
    def call_ids(self) -> list[str]:
        """The calls sent, each once."""
        return list(dict.fromkeys(call_id for message in self.sent for call_id in message.call_ids))

    @cached_property
    def reasons(self) -> Mapping[str, set[str]]:
        """The reasons of each call in the failure queue, by call id."""
        reasons: dict[str, set[str]] = {}
        for failure in self.failures:
            for call_id in failure.call_ids:
                reasons.setdefault(call_id, set()).add(failure.reason)
        return reasons


def seconds_to_accepted(evidence: Evidence) -> dict[Lane, list[float]]:
    """Return, by queue, how long each delivered call took: from its first message until its record said so."""
    seconds: dict[Lane, list[float]] = {}
    seen: set[str] = set()
    for message in evidence.sent:
        for call_id in set(message.call_ids) - seen:
            seen.add(call_id)
            record = evidence.records.get(call_id)
            if record and record.status.is_delivered:
                seconds.setdefault(message.queue, []).append(max(0.0, record.updated_at - message.sent_at))
    return seconds


def answer_name(code: int) -> str:
    """Return how an answer of the API is called in all accounts: its code and the code's name."""
    return f"{code} {code_of(code).name}"


def unaccounted(evidence: Evidence) -> dict[str, str]:
    """Return the calls, and the unreadable messages, that have not ended yet, each with what is missing."""
    missing = {call_id: _missing(evidence, call_id) for call_id in evidence.call_ids}
    failed_message_ids = {failure.source_message_id for failure in evidence.failures}
    for message in evidence.sent:
        if not message.call_ids and message.message_id not in failed_message_ids:
            missing[f"message {message.message_id}"] = "unreadable, but not in the failure queue"
    return {name: what for name, what in missing.items() if what}


def contradictions(evidence: Evidence) -> dict[str, list[str]]:
    """Return the calls on which two accounts disagree, each with what they say."""
    found = {call_id: list(_contradictions(evidence, call_id)) for call_id in evidence.call_ids}
    for call_id in evidence.audit.taken.keys() - found.keys() if evidence.audit else ():
        found[call_id] = ["taken by the API, but never sent by this run"]
    return {call_id: sentences for call_id, sentences in found.items() if sentences}


def lost(evidence: Evidence) -> list[str]:
    """Return the lost calls: not accepted by the API, and not in the failure queue. Their records do not count."""
    taken = evidence.audit.taken if evidence.audit else {}
    return [call_id for call_id in evidence.call_ids if call_id not in taken and call_id not in evidence.reasons]


def duplicated(evidence: Evidence) -> list[str]:
    """Return the calls that the API accepted more than once."""
    return [call_id for call_id, uuids in evidence.audit.taken.items() if len(uuids) > 1] if evidence.audit else []


def _missing(evidence: Evidence, call_id: str) -> str:
    record, reasons = evidence.records.get(call_id), evidence.reasons.get(call_id, set())
    if record is None:
        # The relay writes no records for a message that it cannot read, only an entry in the failure queue.
        return "" if Reason.INVALID_MESSAGE in reasons else "no outcome record"
    if not record.status.is_final:
        return f"{record.status} on record, which is not final"
    if record.status.is_failure and not reasons:
        return f"{record.status} on record, but not in the failure queue"
    return ""


def _contradictions(evidence: Evidence, call_id: str) -> Iterator[str]:
    record = evidence.records.get(call_id)
    on_record = f"{record.status} on record" if record else "no outcome record"
    is_delivered = record is not None and record.status.is_delivered
    # The relay refuses other content under the identity of a delivered call. That call itself is not at fault.
    reasons = evidence.reasons.get(call_id, set()) - {Reason.CLIENT_IDENTIFIER_REUSED}
    if "" in reasons:
        yield f"{on_record}, and redriven by SQS itself"
    if is_delivered and reasons - {""}:
        yield f"{on_record}, but in the failure queue as {', '.join(sorted(reasons - {''}))}"
    if evidence.audit is None:
        return
    uuids = evidence.audit.taken.get(call_id, ())
    if len(uuids) > 1:
        yield f"{on_record}, but taken {len(uuids)} times by the API"
    if is_delivered and not uuids:
        yield f"{on_record}, but never taken by the API"
    # UNRESOLVED means that the call may have been delivered, so it agrees with both.
    if uuids and not is_delivered and not (record and record.status is Status.UNRESOLVED):
        yield f"{on_record}, but taken by the API"
    if record and record.phonon_uuid and uuids and record.phonon_uuid not in uuids:
        yield f"phonon-uuid {record.phonon_uuid} on record, but the API gave {', '.join(uuids)}"
