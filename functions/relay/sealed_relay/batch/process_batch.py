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
from sealed_relay.dependencies import Dependencies
from sealed_relay.ledger.claim_rules import Lease
from sealed_relay.observability.events import DuplicatesFound, WorkFailed

LEASE_MARGIN_SECONDS = 10.0
"""How long its claims outlive an invocation: for clocks that differ, and for bytes that are still on the wire."""

Work = Callable[[], Step]


def relay(dependencies: Dependencies, messages: Sequence[Message], deadline: float) -> list[str]:
    """Deliver a batch of messages, and return the ids of those that must stay in the queue.

    `deadline` is when the invocation is ended, in seconds since 1970. Of every message that is not returned, each
    call was delivered, or recorded and published as failed.
    """
    inbox = Inbox(messages)
    lease = Lease(dependencies.make_id(), int((deadline + LEASE_MARGIN_SECONDS) * 1000))
    settling = Settling(dependencies)
    delivery = Delivery(dependencies, settling, lease, deadline)

    requests = hold_back(dependencies, settling, inbox, plan(dependencies, inbox.calls))
    claims = [(call, request.request_id) for request in requests for call in request.calls]
    decided = dependencies.ledger.claim(claims, lease)
    decisions = {call.call_id: decision for (call, _), decision in zip(claims, decided, strict=True)}
    found = triage(inbox, requests, decisions, int(dependencies.clock() * 1000), settling.retry_in_seconds)
    settling.tries = found.tries
    if found.duplicates:
        dependencies.observe(DuplicatesFound(found.duplicates))

    work: list[Work] = [partial(settling.refuse_unreadable, message, why) for message, why in inbox.unreadable]
    work += [partial(settling.refuse, found.refused)] if found.refused else []
    work += [partial(settling.acknowledge, found.repeats)] if found.repeats else []
    work += [partial(settling.conclude, request_id, outcomes) for request_id, outcomes in found.concluded.items()]
    work += [partial(delivery.recover, request_id, calls) for request_id, calls in found.lost.items()]
    work += [partial(delivery.deliver, request) for request in found.requests]
    _work_through(dependencies, inbox, delivery, work)

    # What stays open without a delay of its own met a fault; its claims bar the way until the lease is over.
    _defer(dependencies, inbox.delays_seconds(otherwise=lease.expires_at_ms / 1000 - dependencies.clock()))
    return inbox.open_message_ids


def _work_through(dependencies: Dependencies, inbox: Inbox, delivery: Delivery, work: Sequence[Work]) -> None:
    """Do all work side by side, and the requests that come of it, until none is left.

    A fault in one piece leaves its messages in the queue and the other pieces alone.
    """
    pending: set[Future[Step]] = {dependencies.executor.submit(piece) for piece in work}
    while pending:
        done, pending = wait(pending, return_when=FIRST_COMPLETED)
        for future in done:
            try:
                step = future.result()
            except Exception as error:  # noqa: BLE001 - whatever it was, its messages are still in the queue
                dependencies.observe(WorkFailed(error))
                continue
            for call in step.finished:
                inbox.finish(call)
            for message_id in step.closed:
                inbox.close(message_id)
            for message_id, seconds in step.delays_seconds.items():
                inbox.delay(message_id, seconds)
            pending |= {dependencies.executor.submit(delivery.deliver, request) for request in step.requests}


def _defer(dependencies: Dependencies, delays_seconds: Mapping[str, float]) -> None:
    try:
        dependencies.ingress.defer(delays_seconds)
    except Exception as error:  # noqa: BLE001 - they come back all the same, when their visibility timeout ends
        dependencies.observe(WorkFailed(error))
