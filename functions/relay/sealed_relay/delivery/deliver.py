"""How claimed calls get into a request that is sent, or into none.

deliver:  claimed calls -> seal -> store -> send
recover:  a stored request without an answer, whose lease is over -> take over -> send the same bytes
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from sealed_relay.admission.control import Deferral
from sealed_relay.calls.outcome import Outcome, Reason, Status
from sealed_relay.delivery.request import Attempt, ClaimedCall, Invocation, Request, WorkResult
from sealed_relay.delivery.send import OUT_OF_TIME, seconds_to_send, send
from sealed_relay.delivery.settle import backoff_seconds, settle, settle_deferred
from sealed_relay.kairos.flow import Flow, UnknownFlowError, UnusableFlowError
from sealed_relay.kairos.seal import seal
from sealed_relay.kairos.verdict import GIVEN_UP, GIVEN_UP_OUTCOME
from sealed_relay.ports import Flows

_MIN_SECONDS_TO_SEND = 2.0


def look_up_flow(flows: Flows, flow_id: str, *, fresh: bool = False) -> Flow | Outcome:
    """The flow, or what becomes of its calls without one."""
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
    return result + send(invocation, Attempt(sealed, due, has_fresh_secret=request.refresh_secret))


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
        dependencies.request_log.record_answer(request_id, invocation.lease, GIVEN_UP)
        return settle(invocation, request_id, [(claimed, GIVEN_UP_OUTCOME) for claimed in calls])
    attempt = Attempt(
        sealed,
        tuple(calls),
        is_resend=True,
        was_refused=takeover.was_refused,
        unclear_answers=takeover.unclear_answers,
        has_fresh_secret=True,
    )
    return send(invocation, attempt)


def settle_unsent(
    invocation: Invocation, request_id: str, calls: Sequence[ClaimedCall], why: Outcome | Deferral
) -> WorkResult:
    """Settle claimed calls that are not sent now: late ones expire, the others get this outcome or wait."""
    due, result = settle_late(invocation, request_id, calls)
    if not due:
        return result
    if isinstance(why, Deferral):
        return result + settle_deferred(invocation, request_id, due, why)
    return result + settle(invocation, request_id, [(claimed, why) for claimed in due])


def settle_late(
    invocation: Invocation, request_id: str, calls: Sequence[ClaimedCall]
) -> tuple[tuple[ClaimedCall, ...], WorkResult]:
    """Expire the calls whose deadline has passed; the others are returned first."""
    give_up_after = invocation.dependencies.limits.give_up_after
    now = datetime.fromtimestamp(invocation.dependencies.clock(), UTC)
    due: list[ClaimedCall] = []
    late: list[tuple[ClaimedCall, Outcome]] = []
    for claimed in calls:
        if claimed.call.deadline(give_up_after) > now:
            due.append(claimed)
            continue
        detail = f"Its deadline passed: {claimed.call.deadline_text(give_up_after)}. No request with it was accepted."
        late.append((claimed, Outcome(Status.EXPIRED, Reason.EXPIRED, detail=detail)))
    return tuple(due), settle(invocation, request_id, late)


def _move(invocation: Invocation, request: Request) -> tuple[tuple[ClaimedCall, ...], WorkResult]:
    """Claim calls of a refused request for this one; the messages of calls that are taken meanwhile are deferred."""
    calls = [claimed.call for claimed in request.calls]
    is_moved = invocation.dependencies.call_records.move(
        calls, request.moved_from, request.request_id, invocation.lease
    )
    moved = tuple(claimed for claimed, done in zip(request.calls, is_moved, strict=True) if done)
    taken = [call for call, done in zip(calls, is_moved, strict=True) if not done]
    return moved, WorkResult(delays_seconds={call.message_id: backoff_seconds(invocation, [call]) for call in taken})
