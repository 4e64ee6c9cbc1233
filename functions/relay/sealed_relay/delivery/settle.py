"""Settling: failures go on the failure queue, then outcomes are recorded, then people are told."""

from collections.abc import Sequence
from dataclasses import replace

from sealed_relay.admission.control import Deferral
from sealed_relay.calls.call import Call
from sealed_relay.calls.outcome import Outcome, Reason, Status
from sealed_relay.delivery.backoff import min_deferral_seconds, retry_in_seconds
from sealed_relay.delivery.failure_messages import publish_failures
from sealed_relay.delivery.request import Attempt, ClaimedCall, Invocation, WorkResult
from sealed_relay.kairos.answer import Answer, Answered, NotSent
from sealed_relay.kairos.codes import Scope
from sealed_relay.kairos.conclusive import code_is_unknown_or_contradicted
from sealed_relay.kairos.verdict import Conclusion, is_transient_failure
from sealed_relay.ledger.call_records import Settlement
from sealed_relay.ledger.claim_rules import Tries
from sealed_relay.observability.events import CallsSettled, CallsWaiting

_PAUSED_JITTER_SECONDS = 14.0
"""The longest brisk deferral and this are less than a minute, also after the adapter has rounded up to seconds."""


def settle(
    invocation: Invocation,
    request_id: str,
    outcomes: Sequence[tuple[ClaimedCall, Outcome]],
    *,
    retry_in: float | None = None,
    scope: Scope = Scope.REQUEST,
    is_unanswered: bool = False,
) -> WorkResult:
    """Give claimed calls of the request `request_id` their outcomes.

    Calls that wait come back after `retry_in` seconds, or after one backoff for all of them. `scope` says what is
    paused, if they wait for that. `is_unanswered`: the request may have delivered them, so the record says NO_ANSWER.
    """
    if not outcomes:
        return WorkResult()
    dependencies = invocation.dependencies
    outcomes = [(claimed, _honest(claimed.tries, outcome)) for claimed, outcome in outcomes]
    # The failure queue comes first: after a crash in between, a failure is there twice, and it is never missing.
    failed = [(claimed.call, outcome) for claimed, outcome in outcomes if outcome.status.is_failure]
    if failed:
        publish_failures(invocation, request_id, failed)
    if retry_in is None and not all(outcome.status.is_final for _, outcome in outcomes):
        retry_in = backoff_seconds(invocation, [claimed.call for claimed, _ in outcomes])
    retry_at_ms = int((dependencies.clock() + (retry_in or 0.0)) * 1000)
    is_recorded = dependencies.call_records.settle(
        [
            Settlement(
                claimed.call.call_id,
                request_id,
                claimed.call.message_id,
                replace(outcome, reason=Reason.NO_ANSWER) if is_unanswered and not outcome.status.is_final else outcome,
                _tries_after(claimed.tries, outcome),
                retry_at_ms,
            )
            for claimed, outcome in outcomes
        ]
    )
    finished: list[Call] = []
    stays: dict[str, float] = {}
    waiting: dict[str, list[Outcome]] = {}
    settled: dict[Status, list[float]] = {}
    now = dependencies.clock()
    for (claimed, outcome), recorded in zip(outcomes, is_recorded, strict=True):
        message_id = claimed.call.message_id
        if outcome.status.is_final and recorded:
            finished.append(claimed.call)
            age_seconds = max(0.0, now - claimed.call.sent_at.timestamp())  # clocks differ
            settled.setdefault(outcome.status, []).append(age_seconds)
            continue
        # A final outcome that was not recorded: another invocation has the call now, or the SDK wrote it twice. The
        # message stays, and its next receive finds on record how the call ended.
        stays[message_id] = backoff_seconds(invocation, [claimed.call]) if retry_in is None else retry_in
        if not outcome.status.is_final:
            waiting.setdefault(message_id, []).append(outcome)
    flow_id = outcomes[0][0].call.flow_id
    for message_id, waits in waiting.items():
        why = waits[0]
        dependencies.observe(
            CallsWaiting(message_id, why.reason, len(waits), stays[message_id], flow_id, why.detail, scope)
        )
    for status, seconds in settled.items():
        dependencies.observe(CallsSettled(status, len(seconds), invocation.lane, seconds))
    return WorkResult(finished=finished, delays_seconds=stays)


def await_resend(invocation: Invocation, attempt: Attempt, answer: Answer, conclusion: Conclusion) -> WorkResult:
    """Leave a request to a later resend. If it was not sent, its calls go out in a fresh request later."""
    asked_seconds = (answer.retry_after_seconds or 0.0) if isinstance(answer, NotSent) else 0.0
    is_unclear = isinstance(answer, Answered) and code_is_unknown_or_contradicted(answer)
    retry_in = backoff_seconds(invocation, [claimed.call for claimed in attempt.calls], asked_seconds)
    invocation.dependencies.request_log.release(
        attempt.sealed.request_id,
        invocation.lease,
        may_have_been_sent=attempt.is_resend or not isinstance(answer, NotSent),
        after_seconds=retry_in,
        was_refused=isinstance(answer, Answered),
        unclear_answers=attempt.unclear_answers + is_unclear,
    )
    outcomes = [(claimed, conclusion.outcomes[claimed.call.client_identifier]) for claimed in attempt.calls]
    return settle(invocation, attempt.sealed.request_id, outcomes, retry_in=retry_in, is_unanswered=attempt.is_resend)


def leave_for_later(invocation: Invocation, attempt: Attempt, deferral: Deferral) -> WorkResult:
    """Let another invocation take over an attempt later. No byte of this attempt left."""
    seconds = deferral_seconds(invocation, deferral, [claimed.call for claimed in attempt.calls])
    invocation.dependencies.request_log.release(
        attempt.sealed.request_id, invocation.lease, may_have_been_sent=attempt.is_resend, after_seconds=seconds
    )
    return settle(
        invocation,
        attempt.sealed.request_id,
        [(claimed, deferral.outcome) for claimed in attempt.calls],
        retry_in=seconds,
        scope=deferral.scope,
        is_unanswered=attempt.is_resend,
    )


def backoff_seconds(invocation: Invocation, calls: Sequence[Call], at_least_seconds: float = 0.0) -> float:
    """How long the messages of calls are deferred: all for the same time, so that they fill one request again."""
    receive_count = max(call.receive_count for call in calls)
    return retry_in_seconds(receive_count, invocation.dependencies.draw, at_least_seconds)


def deferral_seconds(invocation: Invocation, deferral: Deferral, calls: Sequence[Call]) -> float:
    """How long the messages of calls are deferred whose request may not leave now."""
    receive_count = max(call.receive_count for call in calls)
    # The jitter keeps messages apart that wait for the same permit or pause.
    jitter_seconds = 1.0 if deferral.is_brief else _PAUSED_JITTER_SECONDS
    least_seconds = max(deferral.seconds, min_deferral_seconds(receive_count))
    return least_seconds + jitter_seconds * invocation.dependencies.draw()


def _honest(tries: Tries, outcome: Outcome) -> Outcome:
    """The outcome, or UNRESOLVED if an earlier request with the call may have been accepted."""
    if outcome.status not in (Status.REJECTED, Status.EXPIRED) or not tries.may_have_been_delivered:
        return outcome
    detail = f"An earlier request may have delivered it. This time: {outcome.detail}"
    return replace(outcome, status=Status.UNRESOLVED, reason=Reason.UNRESOLVED, detail=detail)


def _tries_after(tries: Tries, outcome: Outcome) -> Tries:
    return replace(tries, refusals=tries.refusals + 1) if is_transient_failure(outcome.code) else tries
