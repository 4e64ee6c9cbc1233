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
from sealed_relay.dependencies import World
from sealed_relay.kairos.codes import Scope
from sealed_relay.kairos.flow import Flow
from sealed_relay.observability.events import CallsHeld, ParksSeen


def plan(world: World, calls: Sequence[Call]) -> list[Request]:
    """Pack calls by their flows as these are now; a parked flow whose secret was changed is reopened on the way."""
    flow_ids = list(dict.fromkeys(call.flow_id for call in calls))
    looking = world.executor.submit(world.admission.look, flow_ids)
    flows = dict(zip(flow_ids, world.executor.map(partial(look_up, world.flows), flow_ids), strict=True))
    looking.result()
    flows |= _reopened(world, flow_ids)
    world.observe(_parks_seen(world, flow_ids))
    return planning.plan(
        calls,
        flows,
        world.make_id,
        most_calls=world.limits.most_calls,
        most_body_bytes=world.limits.most_body_bytes,
        give_up_after=world.limits.give_up_after,
        now=datetime.fromtimestamp(world.clock(), UTC),
    )


def _reopened(world: World, flow_ids: Sequence[str]) -> dict[str, Flow | Outcome]:
    """The parked flows among these, as their secrets are now; those whose secret was changed are parked no more."""
    parked = [flow_id for flow_id in flow_ids if world.admission.park(flow_id).is_parked]
    flows = dict(zip(parked, world.executor.map(partial(look_up, world.flows, fresh=True), parked), strict=True))
    for flow_id, flow in flows.items():
        refused = world.admission.park(flow_id).secret_version
        if isinstance(flow, Flow) and refused and flow.version != refused:
            world.admission.reopen(flow_id, refused)
    return flows


def _parks_seen(world: World, flow_ids: Sequence[str]) -> ParksSeen:
    now_ms = int(world.clock() * 1000)
    account, *flows = [world.admission.park(at).parked_seconds(now_ms) for at in ("", *flow_ids)]
    return ParksSeen(account, max((seconds for seconds in flows if seconds is not None), default=None))


def hold_back(world: World, settling: Settling, inbox: Inbox, requests: Sequence[Request]) -> list[Request]:
    """The requests whose calls are to be claimed; the messages of all other calls go back as they are."""
    now = datetime.fromtimestamp(world.clock(), UTC)
    give_up_after = world.limits.give_up_after
    to_send = [
        request
        for request in requests
        if request.outcome is None and any(call.deadline(give_up_after) > now for call in request.calls)
    ]
    holds = dict(zip((request.request_id for request in to_send), world.admission.forecast(to_send), strict=True))
    holds |= {request.request_id: _waiting(request.outcome) for request in requests if request.outcome}
    to_claim, held_back = holding.hold_back(requests, holds, lambda call: call.deadline(give_up_after) <= now)
    for hold in held_back:
        seconds = settling.held_seconds(hold.held, hold.calls)
        message_ids = {call.message_id for call in hold.calls}
        for message_id in message_ids:
            inbox.delay(message_id, seconds)
        held, why = hold.held, hold.held.outcome
        counts = len(message_ids), len(hold.calls)
        world.observe(CallsHeld(why.reason, why.code, held.scope, hold.flow_id, *counts, seconds, held.since_ms))
    return to_claim


def _waiting(outcome: Outcome) -> Held | None:
    """What holds the calls of a flow that cannot be used, which is no park: it is looked up each time."""
    return None if outcome.status.is_final else Held(outcome, 0.0, scope=Scope.FLOW)
