"""Before the delivery: look up flows and pauses, plan the requests, claim what may leave now, and defer the others."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

from sealed_relay.admission.control import Deferral
from sealed_relay.admission.pause import Pause
from sealed_relay.batch.plan import PlannedRequest, plan, sort_out_deferred
from sealed_relay.calls.call import Call
from sealed_relay.calls.outcome import Outcome
from sealed_relay.delivery.deliver import look_up_flow
from sealed_relay.delivery.request import Invocation, WorkResult
from sealed_relay.delivery.settle import deferral_seconds
from sealed_relay.dependencies import Dependencies
from sealed_relay.kairos.flow import Flow
from sealed_relay.ledger.call_records import Claimed, Met
from sealed_relay.ledger.claim_rules import Decision
from sealed_relay.observability.events import MessagesDeferred, PauseSeen


def prepare_requests(dependencies: Dependencies, calls: Sequence[Call]) -> list[PlannedRequest]:
    """Look up flows and pauses, resume flows whose refused secret was changed, and pack the calls of each flow."""
    flow_ids = list(dict.fromkeys(call.flow_id for call in calls))
    looking = dependencies.executor.submit(dependencies.admission.look, flow_ids)
    flows = _look_up(dependencies, flow_ids)
    pauses = looking.result()
    refused = [flow_id for flow_id in flow_ids if pauses[flow_id].secret_version]
    flows |= _look_up(dependencies, refused, fresh=True)
    pauses |= _resume_changed(dependencies, pauses, flows)
    _tell_pauses(dependencies, pauses, flows)
    now = datetime.fromtimestamp(dependencies.clock(), UTC)
    return plan(calls, flows, dependencies.make_id, dependencies.limits, now)


@dataclass(slots=True)
class Claims:
    """What was claimed of a batch: the requests, the answers by call id, and how long all other messages wait."""

    requests: list[PlannedRequest] = field(default_factory=list)
    answers: dict[str, Claimed | Met] = field(default_factory=dict)
    deferred: list[WorkResult] = field(default_factory=list)


def claim_what_may_leave(invocation: Invocation, planned: Sequence[PlannedRequest]) -> Claims:
    """Claim the calls of the requests that may leave now, and defer the others untouched.

    Only its claims tell whether a request has calls left to send: those of a message that was received before may be
    delivered. So the permits that the claimed requests do not need are offered to the next requests. Otherwise a
    message with more requests than free permits would never leave.
    """
    dependencies, lane = invocation.dependencies, invocation.lane
    now = datetime.fromtimestamp(dependencies.clock(), UTC)

    def is_late(call: Call) -> bool:
        return bool(call.why_late(now, dependencies.limits.give_up_after))

    to_send = [each for each in planned if each.unsent is None and not all(map(is_late, each.calls))]
    to_send.sort(key=lambda request: min(call.sent_at for call in request.calls))  # the oldest get the free permits
    pauses = zip(to_send, dependencies.admission.forecast([each.flow_id for each in to_send]), strict=True)
    paused = {request.request_id: pause for request, pause in pauses if pause}
    waiting = [request for request in to_send if request.request_id not in paused]

    claims = Claims()
    waiting_ids = {request.request_id for request in waiting}
    others = [request for request in planned if request.request_id not in waiting_ids]
    if others:
        _claim_or_defer(invocation, claims, others, paused, is_late)
    free, leaving = dependencies.admission.free_permits(lane), 0
    while waiting and leaving < free:
        offered, waiting = waiting[: free - leaving], waiting[free - leaving :]
        _claim_or_defer(invocation, claims, offered, {}, is_late)
        leaving += sum(any(map(_needs_a_permit, _answers(claims, request))) for request in offered)
    waits = dependencies.admission.wait_for_permits(lane, len(waiting), leaving)
    if waiting:
        limited = {request.request_id: wait for request, wait in zip(waiting, waits, strict=True)}
        _claim_or_defer(invocation, claims, waiting, limited, is_late)
    return claims


def _claim_or_defer(
    invocation: Invocation,
    claims: Claims,
    requests: Sequence[PlannedRequest],
    deferrals: Mapping[str, Deferral],
    is_late: Callable[[Call], bool],
) -> None:
    dependencies = invocation.dependencies
    to_claim, deferred = sort_out_deferred(requests, deferrals, is_late)
    wanted = [(call, request.request_id) for request in to_claim for call in request.calls]
    answers = dependencies.call_records.claim(wanted, invocation.lease) if wanted else []
    claims.requests += to_claim
    claims.answers.update((call.call_id, answer) for (call, _), answer in zip(wanted, answers, strict=True))
    for each in deferred:
        why, seconds = each.why, deferral_seconds(invocation, each.why, each.calls)
        message_ids = {call.message_id for call in each.calls}
        claims.deferred.append(WorkResult(delays_seconds=dict.fromkeys(message_ids, seconds)))
        dependencies.observe(
            MessagesDeferred(
                why.outcome.reason,
                why.outcome.code,
                why.scope,
                each.flow_id,
                len(message_ids),
                len(each.calls),
                seconds,
            )
        )


def _answers(claims: Claims, request: PlannedRequest) -> list[Claimed | Met]:
    return [claims.answers[call.call_id] for call in request.calls]


def _needs_a_permit(answer: Claimed | Met) -> bool:
    """Whether a call will be sent, or its lost request resent."""
    return isinstance(answer, Claimed) or answer.decision is Decision.UNANSWERED


def _look_up(dependencies: Dependencies, flow_ids: Sequence[str], *, fresh: bool = False) -> dict[str, Flow | Outcome]:
    found = dependencies.executor.map(partial(look_up_flow, dependencies.flows, fresh=fresh), flow_ids)
    return dict(zip(flow_ids, found, strict=True))


def _resume_changed(
    dependencies: Dependencies, pauses: Mapping[str, Pause], flows: Mapping[str, Flow | Outcome]
) -> dict[str, Pause]:
    """Resume the flows that are paused for a secret that was changed, and return their pauses as they are then."""
    return {
        flow_id: dependencies.admission.resume(flow_id, pauses[flow_id].secret_version)
        for flow_id, flow in flows.items()
        if isinstance(flow, Flow) and pauses[flow_id].secret_version not in ("", flow.version)
    }


def _tell_pauses(dependencies: Dependencies, pauses: Mapping[str, Pause], flows: Mapping[str, Flow | Outcome]) -> None:
    """Tell whether the account and each flow are paused. It is told also if not: a pause may have been deleted."""
    for flow_id, pause in pauses.items():
        flow = flows.get(flow_id)
        unusable = flow.reason if isinstance(flow, Outcome) and not flow.status.is_final else ""
        dependencies.observe(PauseSeen(flow_id, pause.reason or unusable, pause.code, pause.since_ms))
