"""Before anything is claimed: calls into requests, and back with the messages that cannot be delivered now."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial

from sealed_relay.admission.control import Held
from sealed_relay.batch import defer as holding
from sealed_relay.batch import plan as planning
from sealed_relay.batch.inbox import Inbox
from sealed_relay.batch.plan import Request
from sealed_relay.calls.message import Call
from sealed_relay.calls.outcome import Outcome
from sealed_relay.delivery.deliver import look_up
from sealed_relay.delivery.settle import Settling
from sealed_relay.dependencies import Dependencies
from sealed_relay.kairos.codes import Scope
from sealed_relay.kairos.flow import Flow
from sealed_relay.observability.events import CallsHeld, PausesSeen


def plan(dependencies: Dependencies, calls: Sequence[Call]) -> list[Request]:
    """Pack calls by their flows as these are now; a paused flow whose secret was changed is resumed on the way."""
    flow_ids = list(dict.fromkeys(call.flow_id for call in calls))
    looking = dependencies.executor.submit(dependencies.admission.look, flow_ids)
    flows = dict(zip(flow_ids, dependencies.executor.map(partial(look_up, dependencies.flows), flow_ids), strict=True))
    looking.result()
    flows |= _resumed(dependencies, flow_ids)
    dependencies.observe(_pauses_seen(dependencies, flow_ids))
    return planning.plan(
        calls,
        flows,
        dependencies.make_id,
        max_calls=dependencies.limits.max_calls,
        max_body_bytes=dependencies.limits.max_body_bytes,
        give_up_after=dependencies.limits.give_up_after,
        now=datetime.fromtimestamp(dependencies.clock(), UTC),
    )


def _resumed(dependencies: Dependencies, flow_ids: Sequence[str]) -> dict[str, Flow | Outcome]:
    """The paused flows among these, as their secrets are now; those whose secret was changed are paused no more."""
    paused = [flow_id for flow_id in flow_ids if dependencies.admission.pause(flow_id).is_paused]
    flows = dict(
        zip(paused, dependencies.executor.map(partial(look_up, dependencies.flows, fresh=True), paused), strict=True)
    )
    for flow_id, flow in flows.items():
        refused = dependencies.admission.pause(flow_id).secret_version
        if isinstance(flow, Flow) and refused and flow.version != refused:
            dependencies.admission.resume(flow_id, refused)
    return flows


def _pauses_seen(dependencies: Dependencies, flow_ids: Sequence[str]) -> PausesSeen:
    now_ms = int(dependencies.clock() * 1000)
    account, *flows = [dependencies.admission.pause(at).paused_seconds(now_ms) for at in ("", *flow_ids)]
    return PausesSeen(account, max((seconds for seconds in flows if seconds is not None), default=None))


def hold_back(
    dependencies: Dependencies, settling: Settling, inbox: Inbox, requests: Sequence[Request]
) -> list[Request]:
    """The requests whose calls are to be claimed; the messages of all other calls go back as they are."""
    now = datetime.fromtimestamp(dependencies.clock(), UTC)
    give_up_after = dependencies.limits.give_up_after
    to_send = [
        request
        for request in requests
        if request.outcome is None and any(call.deadline(give_up_after) > now for call in request.calls)
    ]
    holds = dict(
        zip((request.request_id for request in to_send), dependencies.admission.forecast(to_send), strict=True)
    )
    holds |= {request.request_id: _waiting(request.outcome) for request in requests if request.outcome}
    to_claim, held_back = holding.hold_back(requests, holds, lambda call: call.deadline(give_up_after) <= now)
    for hold in held_back:
        seconds = settling.held_seconds(hold.held, hold.calls)
        message_ids = {call.message_id for call in hold.calls}
        for message_id in message_ids:
            inbox.delay(message_id, seconds)
        held, why = hold.held, hold.held.outcome
        counts = len(message_ids), len(hold.calls)
        dependencies.observe(CallsHeld(why.reason, why.code, held.scope, hold.flow_id, *counts, seconds, held.since_ms))
    return to_claim


def _waiting(outcome: Outcome) -> Held | None:
    """What holds the calls of a flow that cannot be used, which is no pause: it is looked up each time."""
    return None if outcome.status.is_final else Held(outcome, 0.0, scope=Scope.FLOW)
