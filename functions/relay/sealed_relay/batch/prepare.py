"""Before any call is claimed: look up flows and pauses, plan the requests, and defer what cannot be delivered now."""

from collections.abc import Callable, Mapping, Sequence
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


def defer_early(
    invocation: Invocation, requests: Sequence[PlannedRequest]
) -> tuple[list[PlannedRequest], list[WorkResult]]:
    """The requests to claim, and for how long the messages of all other calls are deferred."""
    dependencies = invocation.dependencies
    now = datetime.fromtimestamp(dependencies.clock(), UTC)

    def is_late(call: Call) -> bool:
        return bool(call.why_late(now, dependencies.limits.give_up_after))

    to_claim, deferred = sort_out_deferred(requests, _deferrals(invocation, requests, is_late), is_late)
    delays: list[WorkResult] = []
    for each in deferred:
        why, seconds = each.why, deferral_seconds(invocation, each.why, each.calls)
        message_ids = {call.message_id for call in each.calls}
        delays.append(WorkResult(delays_seconds=dict.fromkeys(message_ids, seconds)))
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
    return to_claim, delays


def _deferrals(
    invocation: Invocation, requests: Sequence[PlannedRequest], is_late: Callable[[Call], bool]
) -> dict[str, Deferral]:
    """Why requests may not leave now, by request id. A request of which every call is late needs no permit."""
    to_send = [
        request for request in requests if request.unsent is None and not all(is_late(call) for call in request.calls)
    ]
    to_send.sort(key=lambda request: min(call.sent_at for call in request.calls))  # the oldest get the free permits
    forecast = invocation.dependencies.admission.forecast([request.flow_id for request in to_send], invocation.lane)
    return {request.request_id: why for request, why in zip(to_send, forecast, strict=True) if why is not None}


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
