"""Checks from the evidence of a run that has ended whether the run kept the guarantee. Pure."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise

from sealed_relay.admission.rate_limiter import USE_WITHIN_SECONDS
from sealed_relay.calls.outcome import Status
from sealed_relay.ports import Item
from tests.campaign.evidence import Acceptance, Evidence, Invariant, Violation, Written
from tests.campaign.hours import SERVICE_OFFSET_SECONDS

_WINDOW_SECONDS = 60.0
_DAY_SECONDS = 86_400


def check_guarantee(evidence: Evidence) -> list[Violation]:
    """Return every violation, each with a sentence that says where."""
    return [
        *_messages(evidence),
        *_calls_as_written(evidence),
        *_acceptances(evidence),
        *_records(evidence),
        *_rate(evidence),
        *_reserve(evidence),
        *_waiting_for_nothing(evidence),
        *(Violation(Invariant.NOT_REDRIVEN, message_id) for message_id in evidence.redriven),
    ]


def _messages(evidence: Evidence) -> Iterator[Violation]:
    published = {entry.failure.body for entry in evidence.published[""]}
    for message_id, body in evidence.unreadable.items():
        if body not in published:
            yield Violation(Invariant.ACCOUNTED, f"{message_id} cannot be read and is not in the failure queue")


def _calls_as_written(evidence: Evidence) -> Iterator[Violation]:
    for written in evidence.written:
        record = evidence.items.get(written.call_id)
        at = f"{written.call_id} of {written.message_id}"
        if record is None:
            yield Violation(Invariant.ACCOUNTED, f"{at} has no record")
            continue
        status = Status(str(record["status"]))
        if not status.is_final:
            yield Violation(Invariant.ACCOUNTED, f"{at} is left {status}")
        elif _is_undecidable(evidence, record):
            continue
        elif not (_was_accepted(evidence, written, since=0.0) or _was_published(evidence, written, since=0.0)):
            yield Violation(Invariant.ACCOUNTED, f"{at} was neither accepted nor published; its record says {status}")
        elif written.has_failed and not status.is_delivered:
            since = written.sent_at - evidence.clock_error_seconds
            if not (_was_accepted(evidence, written, since) or _was_published(evidence, written, since)):
                yield Violation(Invariant.ACCOUNTED, f"{at} is a retry that came to nothing; its record says {status}")


def _was_accepted(evidence: Evidence, written: Written, since: float) -> bool:
    return any(a.content == written.content and a.at >= since for a in evidence.acceptances[written.call_id])


def _was_published(evidence: Evidence, written: Written, since: float) -> bool:
    return any(p.content == written.content and p.at >= since for p in evidence.published[written.call_id])


def _is_undecidable(evidence: Evidence, record: Item) -> bool:
    return record["status"] == Status.PRESUMED_ACCEPTED and record["request_id"] in evidence.undecidable


def _acceptances(evidence: Evidence) -> Iterator[Violation]:
    written_of: defaultdict[str, list[Written]] = defaultdict(list)
    for written in evidence.written:
        written_of[written.call_id].append(written)
    for call_id, acceptances in evidence.acceptances.items():
        for earlier, later in pairwise(acceptances):
            if not _was_asked_for(evidence, written_of[call_id], earlier, later):
                requests = f"{earlier.request_id[:6]} and {later.request_id[:6]}"
                yield Violation(Invariant.ONCE, f"{call_id} was taken in requests {requests}")
        for acceptance in acceptances:
            deadlines = [_last_deadline(evidence, w) for w in written_of[call_id] if w.content == acceptance.content]
            late_seconds = acceptance.left_at - max(deadlines, default=0.0)
            if late_seconds > evidence.clock_error_seconds:
                yield Violation(
                    Invariant.IN_TIME, f"{call_id} left {late_seconds:.0f} s after its deadline, and was taken"
                )


def _last_deadline(evidence: Evidence, written: Written) -> float:
    """After this time a call must not be sent, by any calling hours that its flow had."""
    if written.start_at is None:
        return written.not_after
    starts = [written.start_at]
    starts += [
        hours.next_start(written.start_at) for hours in evidence.hours.get(written.call_id.partition("/")[0], [])
    ]
    return min(written.not_after, max(map(_end_of_date, starts)))


def _first_deadline(written: Written) -> float:
    """After this time a call may expire, without calling hours."""
    return written.not_after if written.start_at is None else min(written.not_after, _end_of_date(written.start_at))


def _end_of_date(at: float) -> float:
    return ((at + SERVICE_OFFSET_SECONDS) // _DAY_SECONDS + 1) * _DAY_SECONDS - SERVICE_OFFSET_SECONDS


def _was_asked_for(evidence: Evidence, written: list[Written], earlier: Acceptance, later: Acceptance) -> bool:
    """Return whether the call was given up in between, and a message with just this call was sent after that."""
    given_up = [at for at in evidence.unresolved_at[later.call_id] if earlier.at <= at <= later.left_at]
    return bool(given_up) and any(
        w.content == later.content and given_up[0] <= w.sent_at <= later.left_at for w in written
    )


def _records(evidence: Evidence) -> Iterator[Violation]:
    contents = {(written.message_id, written.call_id): written.content for written in evidence.written}
    for call_id, record in evidence.records.items():
        status = Status(str(record["status"]))
        acceptances = evidence.acceptances.get(call_id, [])
        at = f"{call_id} reads {status}"
        if status.is_delivered and not _is_undecidable(evidence, record):
            yield from _delivered(record, acceptances, contents.get((_text(record, "message_id"), call_id)), at)
        elif status in (Status.REJECTED, Status.EXPIRED) and acceptances:
            yield Violation(Invariant.HONEST, f"{at} ({_text(record, 'reason')}), and the API took it")
        elif status is Status.UNRESOLVED and call_id not in evidence.stored:
            yield Violation(Invariant.HONEST, f"{at}, and no request of it was ever stored")
        if status.is_failure and not any(
            entry.failure.reason == record.get("reason") and entry.failure.source_message_id == record["message_id"]
            for entry in evidence.published[call_id]
        ):
            yield Violation(
                Invariant.FAILURE_QUEUE, f"{at} for {_text(record, 'message_id')}, and was not published so"
            )


def _delivered(record: Item, acceptances: list[Acceptance], content: str | None, at: str) -> Iterator[Violation]:
    if not acceptances:
        yield Violation(Invariant.HONEST, f"{at}, and the API never took it")
        return
    last = acceptances[-1]
    if last.request_id != record["request_id"]:
        yield Violation(Invariant.HONEST, f"{at} by {_text(record, 'request_id')[:6]}, taken in {last.request_id[:6]}")
    elif record["status"] == Status.ACCEPTED and record.get("phonon_uuid") != last.phonon_uuid:
        yield Violation(Invariant.HONEST, f"{at} with another phonon-uuid than the API's")
    elif last.content != content:
        yield Violation(Invariant.HONEST, f"{at} for {_text(record, 'message_id')}, and other content of it was taken")


def _text(record: Item, name: str) -> str:
    return str(record.get(name, ""))


def _rate(evidence: Evidence) -> Iterator[Violation]:
    most = evidence.requests_per_minute
    if most is None:
        return
    sends = evidence.sends
    for first, last in zip(sends, sends[most:], strict=False):
        if last - first < _WINDOW_SECONDS:
            yield Violation(Invariant.RATE, f"{most + 1} requests left within {last - first:.3f} s")
            return


def _reserve(evidence: Evidence) -> Iterator[Violation]:
    """An ordinary request takes its permit within a second before it leaves, and only while the reserve is free.

    A request that left before that second has its permit in the log that the ordinary one reads, for a minute and the
    difference of two clocks.
    """
    if evidence.requests_per_minute is None or not evidence.urgent_reserve:
        return
    most = evidence.requests_per_minute - evidence.urgent_reserve
    sends = evidence.sends
    for at in evidence.ordinary_sends:
        earlier = bisect_left(sends, at - USE_WITHIN_SECONDS) - bisect_right(sends, at - _WINDOW_SECONDS)
        if earlier >= most:
            yield Violation(Invariant.RESERVE, f"an ordinary request left after {earlier} requests of its minute")
            return
    for first, last in zip(evidence.ordinary_sends, evidence.ordinary_sends[most:], strict=False):
        if last - first < _WINDOW_SECONDS:
            yield Violation(Invariant.RESERVE, f"{most + 1} ordinary requests left within {last - first:.3f} s")
            return


def _waiting_for_nothing(evidence: Evidence) -> Iterator[Violation]:
    not_after = {(written.message_id, written.call_id): _first_deadline(written) for written in evidence.written}
    for call_id, record in evidence.records.items():
        deadline = not_after.get((_text(record, "message_id"), call_id), 0.0)
        if record["status"] == Status.EXPIRED and deadline > evidence.calm_from:
            hours = (deadline - evidence.calm_from) / 3600
            yield Violation(Invariant.DELIVERED_IN_THE_END, f"{call_id} expired after {hours:.1f} hours of calm")
