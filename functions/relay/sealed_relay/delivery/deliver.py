"""Deliver claimed calls in a new request, or find out what became of the request that they are in.

deliver:  claimed calls -> seal -> store -> send
recover:  a stored request without an answer, whose lease is over -> take over -> send the same bytes
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from sealed_relay.admission.control import Deferral
from sealed_relay.calls.outcome import Outcome, Reason, Status
from sealed_relay.delivery.request import Attempt, ClaimedCall, Invocation, Request, WorkResult
from sealed_relay.delivery.send import OUT_OF_TIME, next_start_time, seconds_to_send, send
from sealed_relay.delivery.settle import backoff_seconds, deferral_seconds, leave_for_later, settle
from sealed_relay.kairos.codes import Scope
from sealed_relay.kairos.conclusive import Finding
from sealed_relay.kairos.flow import Flow, UnknownFlowError, UnusableFlowError
from sealed_relay.kairos.seal import seal
from sealed_relay.kairos.verdict import GIVEN_UP, ConclusiveAnswer, outcome_in
from sealed_relay.ports import Flows

_MIN_SECONDS_TO_SEND = 2.0

_HOURS_CHANGED = Outcome(
    Status.WAITING, Reason.OUT_OF_TIME, detail="The calling hours of the flow changed before the send."
)

_MAX_SECONDS_OUTSIDE_HOURS = 899.0
"""A resend that waits for calling hours tries again within a quarter of an hour: a secret's hours may change."""


def look_up_flow(flows: Flows, flow_id: str, *, fresh: bool = False) -> Flow | Outcome:
    """The flow, or the outcome of its calls if it cannot be used."""
    try:
        return flows.get(flow_id, fresh=fresh)
    except UnknownFlowError:
        return Outcome(Status.REJECTED, Reason.UNKNOWN_FLOW, detail=f"There is no secret for flow {flow_id}.")
    except UnusableFlowError as error:
        return Outcome(Status.WAITING, Reason.FLOW_SECRET_UNUSABLE, detail=str(error))


def deliver(invocation: Invocation, request: Request) -> WorkResult:
    """Send claimed calls in a request of their own, for the first time."""
    dependencies = invocation.dependencies
    if seconds_to_send(invocation) < _MIN_SECONDS_TO_SEND:
        request_id = request.moved_from or request.request_id
        return settle(invocation, request_id, [(claimed, OUT_OF_TIME) for claimed in request.calls])
    calls, result = _move(invocation, request) if request.moved_from else (request.calls, WorkResult())
    due, expired = settle_late(invocation, request.request_id, calls)
    result += expired
    if not due:
        return result
    flow = look_up_flow(dependencies.flows, request.flow_id, fresh=request.refresh_secret)
    if isinstance(flow, Outcome):
        return result + settle(invocation, request.request_id, [(claimed, flow) for claimed in due])
    if _were_hours_changed(flow, due):
        return result + settle(invocation, request.request_id, [(claimed, _HOURS_CHANGED) for claimed in due])
    sealed = seal(
        request.request_id,
        flow,
        [claimed.call for claimed in due],
        dependencies.random_bytes,
        now=datetime.fromtimestamp(dependencies.clock(), UTC),
        give_up_after=dependencies.limits.give_up_after,
    )
    # Rule 1, write-ahead: stored before the first byte is sent. Calls that are claimed for a request that is not stored
    # were never sent. For a stored request, the very bytes that may have been sent are on record.
    dependencies.request_log.store(sealed, invocation.lease)
    attempt = Attempt(sealed, due, has_fresh_secret=request.refresh_secret, calling_hours=flow.calling_hours)
    return result + send(invocation, attempt)


def recover(invocation: Invocation, request_id: str, calls: Sequence[ClaimedCall]) -> WorkResult:
    """Find out what became of a stored request without an answer, for those of its calls that are in this batch."""
    dependencies = invocation.dependencies
    come_back = dict.fromkeys(
        (claimed.call.message_id for claimed in calls), backoff_seconds(invocation, [claimed.call for claimed in calls])
    )
    if seconds_to_send(invocation) < _MIN_SECONDS_TO_SEND:
        return WorkResult(delays_seconds=come_back)
    takeover = dependencies.request_log.take_over(request_id, invocation.lease)
    if takeover is None:  # another invocation has it; its answer is on record when the messages come back
        return WorkResult(delays_seconds=come_back)
    sealed = takeover.sealed
    if sealed is None or dependencies.clock() * 1000 >= sealed.not_after_ms:
        return _give_up(invocation, request_id, calls, GIVEN_UP)
    flow = look_up_flow(dependencies.flows, sealed.flow_id)
    attempt = Attempt(
        sealed,
        tuple(calls),
        is_resend=True,
        was_refused=takeover.was_refused,
        unclear_answers=takeover.unclear_answers,
        has_fresh_secret=True,
        calling_hours=flow.calling_hours if isinstance(flow, Flow) else None,
    )
    if isinstance(flow, Outcome):  # nobody knows its calling hours now, also if there is no secret
        waits = Outcome(Status.WAITING, Reason.FLOW_SECRET_UNUSABLE, detail=flow.detail)
        return leave_for_later(invocation, attempt, Deferral(waits, 0.0, scope=Scope.FLOW))
    if begins := next_start_time(attempt, datetime.fromtimestamp(dependencies.clock(), UTC)):
        return _wait_for_hours(invocation, attempt, begins)
    return send(invocation, attempt)


def settle_unsent(
    invocation: Invocation, request_id: str, calls: Sequence[ClaimedCall], why: Outcome | Deferral
) -> WorkResult:
    """Settle claimed calls that are not sent now: late ones expire, the others get this outcome or wait."""
    due, result = settle_late(invocation, request_id, calls)
    if not due:
        return result
    if isinstance(why, Outcome):
        return result + settle(invocation, request_id, [(claimed, why) for claimed in due])
    return result + settle(
        invocation,
        request_id,
        [(claimed, why.outcome) for claimed in due],
        retry_in=deferral_seconds(invocation, why, [claimed.call for claimed in due]),
        scope=why.scope,
    )


def settle_late(
    invocation: Invocation, request_id: str, calls: Sequence[ClaimedCall]
) -> tuple[tuple[ClaimedCall, ...], WorkResult]:
    """Expire the calls that must not be sent any more. Returns the other calls, and what was done."""
    give_up_after = invocation.dependencies.limits.give_up_after
    now = datetime.fromtimestamp(invocation.dependencies.clock(), UTC)
    due: list[ClaimedCall] = []
    late: list[tuple[ClaimedCall, Outcome]] = []
    for claimed in calls:
        if why := claimed.call.why_late(now, give_up_after):
            detail = f"{why} No request with it was accepted."
            late.append((claimed, Outcome(Status.EXPIRED, Reason.EXPIRED, detail=detail)))
        else:
            due.append(claimed)
    return tuple(due), settle(invocation, request_id, late)


def _were_hours_changed(flow: Flow, calls: Sequence[ClaimedCall]) -> bool:
    """Whether the calls have start times by other calling hours than the flow has now. The next claim moves them."""
    return any(claimed.call.calling_hours != flow.calling_hours for claimed in calls)


def _wait_for_hours(invocation: Invocation, attempt: Attempt, begins: str) -> WorkResult:
    """Leave a resend until the calling hours begin, at `begins` (as in `service_time`).

    If the first attempt was lost, the calls of the resend would ring at once: its bytes keep their start times.
    """
    begins_at = datetime.fromisoformat(begins).timestamp()
    lost = f"The answer was lost, and a resend must wait for the calling hours of the flow, until {begins}."
    if begins_at * 1000 >= attempt.sealed.not_after_ms:
        why = f"{lost} Its deadline passes before that. It may have been delivered."
        answer = ConclusiveAnswer(Finding.UNRESOLVED, detail=why)
        return _give_up(invocation, attempt.sealed.request_id, attempt.calls, answer)
    seconds = min(begins_at - invocation.dependencies.clock(), _MAX_SECONDS_OUTSIDE_HOURS)
    waits = Outcome(Status.WAITING, Reason.NO_ANSWER, detail=lost)
    return leave_for_later(invocation, attempt, Deferral(waits, seconds, is_brief=True))


def _give_up(
    invocation: Invocation, request_id: str, calls: Sequence[ClaimedCall], answer: ConclusiveAnswer
) -> WorkResult:
    invocation.dependencies.request_log.record_answer(request_id, invocation.lease, answer)
    outcomes = [(claimed, outcome_in(answer, claimed.call.client_identifier)) for claimed in calls]
    return settle(invocation, request_id, [(claimed, outcome) for claimed, outcome in outcomes if outcome])


def _move(invocation: Invocation, request: Request) -> tuple[tuple[ClaimedCall, ...], WorkResult]:
    """Claim calls of a refused request for this one. The message of a call that another invocation took is deferred."""
    calls = [claimed.call for claimed in request.calls]
    is_moved = invocation.dependencies.call_records.move(
        calls, request.moved_from, request.request_id, invocation.lease
    )
    moved = tuple(claimed for claimed, done in zip(request.calls, is_moved, strict=True) if done)
    taken = [call for call, done in zip(calls, is_moved, strict=True) if not done]
    return moved, WorkResult(delays_seconds={call.message_id: backoff_seconds(invocation, [call]) for call in taken})
