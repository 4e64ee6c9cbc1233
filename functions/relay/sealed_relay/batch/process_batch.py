"""The whole story of a batch, in order: read, plan, hold back, claim, deliver and recover side by side, answer SQS."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from functools import partial

from sealed_relay.batch.inbox import Inbox
from sealed_relay.batch.prepare import hold_back, plan
from sealed_relay.batch.sort_claims import triage
from sealed_relay.calls.message import Message
from sealed_relay.delivery.deliver import Delivery
from sealed_relay.delivery.settle import Settling, Step
from sealed_relay.dependencies import World
from sealed_relay.ledger.claim_rules import Lease
from sealed_relay.observability.events import DuplicatesFound, WorkFailed

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

    requests = hold_back(world, settling, inbox, plan(world, inbox.calls))
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
