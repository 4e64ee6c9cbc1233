"""The whole story of a batch, in order: read, plan, hold back, claim, deliver and recover side by side, answer SQS."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from datetime import UTC, datetime
from functools import partial

from sealed_relay.admission import Held
from sealed_relay.codes import Scope
from sealed_relay.delivery import Delivery, look_up
from sealed_relay.flow import Flow
from sealed_relay.holding import hold_back
from sealed_relay.inbox import Inbox
from sealed_relay.ledger import Lease
from sealed_relay.message import Call, Message
from sealed_relay.observing import CallsHeld, DuplicatesFound, ParksSeen, WorkFailed
from sealed_relay.outcome import Outcome
from sealed_relay.planning import Request, plan
from sealed_relay.settling import Settling, Step
from sealed_relay.triage import triage
from sealed_relay.world import World

LEASE_MARGIN_SECONDS = 10.0
"""How long its claims outlive an invocation: for clocks that differ, and for bytes that are still on the wire."""

Work = Callable[[], Step]


def relay(world: World, messages: Sequence[Message], deadline: float) -> list[str]:
    """Deliver a batch of messages, and return the ids of those that must stay in the queue.

    `deadline` is when the invocation is ended, in seconds since 1970. Of every message that is not returned, each
    call was delivered, or recorded and published as failed.
    """
    inbox = Inbox(messages)
    lease = Lease(world.make_id(), int((deadline + LEASE_MARGIN_SECONDS) * 1000))
    settling = Settling(world)
    delivery = Delivery(world, settling, lease, deadline)

    requests = _hold_back(world, settling, inbox, _plan(world, inbox.calls))
    claims = [(call, request.request_id) for request in requests for call in request.calls]
    decided = world.ledger.claim(claims, lease)
    decisions = {call.call_id: decision for (call, _), decision in zip(claims, decided, strict=True)}
    found = triage(inbox, requests, decisions, int(world.clock() * 1000), settling.retry_in_seconds)
    settling.tries = found.tries
    if found.duplicates:
        world.observe(DuplicatesFound(found.duplicates))

    work: list[Work] = [partial(settling.refuse_unreadable, message, why) for message, why in inbox.unreadable]
    work += [partial(settling.refuse, found.refused)] if found.refused else []
    work += [partial(settling.acknowledge, found.repeats)] if found.repeats else []
    work += [partial(settling.conclude, request_id, outcomes) for request_id, outcomes in found.concluded.items()]
    work += [partial(delivery.recover, request_id, calls) for request_id, calls in found.lost.items()]
    work += [partial(delivery.deliver, request) for request in found.requests]
    _work_through(world, inbox, delivery, work)

    # What stays open without a delay of its own met a fault; its claims bar the way until the lease is over.
    _hand_back(world, inbox.delays_seconds(otherwise=lease.expires_at_ms / 1000 - world.clock()))
    return inbox.open_message_ids


def _plan(world: World, calls: Sequence[Call]) -> list[Request]:
    flow_ids = list(dict.fromkeys(call.flow_id for call in calls))
    looking = world.executor.submit(world.admission.look, flow_ids)
    flows = dict(zip(flow_ids, world.executor.map(partial(look_up, world.flows), flow_ids), strict=True))
    looking.result()
    flows |= _reopened(world, flow_ids)
    world.observe(_parks_seen(world, flow_ids))
    return plan(
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
            world.admission.reopen(flow_id)
    return flows


def _parks_seen(world: World, flow_ids: Sequence[str]) -> ParksSeen:
    now_ms = int(world.clock() * 1000)
    account, *flows = [world.admission.park(at).parked_seconds(now_ms) for at in ("", *flow_ids)]
    return ParksSeen(account, max((seconds for seconds in flows if seconds is not None), default=None))


def _hold_back(world: World, settling: Settling, inbox: Inbox, requests: Sequence[Request]) -> list[Request]:
    """The requests whose calls are to be claimed; the messages of all other calls go back as they are."""
    now = datetime.fromtimestamp(world.clock(), UTC)
    to_send = [request.flow_id for request in requests if request.outcome is None]
    forecast = iter(world.admission.forecast(to_send))
    holds = [next(forecast) if request.outcome is None else _waiting(request.outcome) for request in requests]
    to_claim, held_back = hold_back(requests, holds, lambda call: call.deadline(world.limits.give_up_after) <= now)
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


def _work_through(world: World, inbox: Inbox, delivery: Delivery, work: Sequence[Work]) -> None:
    """Do all work side by side, and the requests that come of it, until none is left.

    A fault in one piece leaves its messages in the queue and the other pieces alone.
    """
    pending: set[Future[Step]] = {world.executor.submit(piece) for piece in work}
    while pending:
        done, pending = wait(pending, return_when=FIRST_COMPLETED)
        for future in done:
            try:
                step = future.result()
            except Exception as error:  # noqa: BLE001 - whatever it was, its messages are still in the queue
                world.observe(WorkFailed(error))
                continue
            for call in step.finished:
                inbox.finish(call)
            for message_id in step.closed:
                inbox.close(message_id)
            for message_id, seconds in step.delays_seconds.items():
                inbox.delay(message_id, seconds)
            pending |= {world.executor.submit(delivery.deliver, request) for request in step.requests}


def _hand_back(world: World, delays_seconds: Mapping[str, float]) -> None:
    try:
        world.ingress.hand_back(delays_seconds)
    except Exception as error:  # noqa: BLE001 - they come back all the same, when their visibility timeout ends
        world.observe(WorkFailed(error))
