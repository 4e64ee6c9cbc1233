"""A batch from beginning to end: read, plan, defer, claim, deliver and recover side by side, answer SQS."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from functools import partial
from itertools import chain

from sealed_relay.batch.inbox import Inbox
from sealed_relay.batch.prepare import claim_what_may_leave, prepare_requests
from sealed_relay.batch.sort_claims import SortedClaims, sort_claims
from sealed_relay.calls.message import Lane, Message
from sealed_relay.delivery.deliver import deliver, recover, settle_unsent
from sealed_relay.delivery.failure_messages import fail_for_message, fail_unreadable
from sealed_relay.delivery.request import Invocation, WorkResult
from sealed_relay.delivery.settle import backoff_seconds, settle
from sealed_relay.dependencies import Dependencies
from sealed_relay.ledger.claim_rules import Lease
from sealed_relay.observability.events import DuplicatesFound, WorkFailed

LEASE_MARGIN_SECONDS = 10.0
"""How long an invocation's claims last after its end: clocks differ, and bytes may still be on the wire."""

Work = Callable[[], WorkResult]


def process_batch(dependencies: Dependencies, messages: Sequence[Message], deadline: float, lane: Lane) -> list[str]:
    """Deliver a batch of messages of one queue, and return the ids of the messages that must stay in the queue.

    `deadline` is when Lambda ends the invocation, in seconds since 1970. Rule 4, the way out: each call of a message
    whose id is not returned is delivered, or was put on the failure queue for this very message.
    """
    lease = Lease(dependencies.make_id(), int((deadline + LEASE_MARGIN_SECONDS) * 1000))
    invocation = Invocation(dependencies, lease, deadline, lane)
    inbox = Inbox(messages)

    planned = prepare_requests(dependencies, inbox.calls)
    claims = claim_what_may_leave(invocation, planned)
    claimed = sort_claims(claims.requests, claims.answers, inbox.duplicates, int(dependencies.clock() * 1000))

    unreadable = [partial(fail_unreadable, invocation, message, why) for message, why in inbox.unreadable]
    work: list[Work] = [*unreadable, *_work_of(invocation, claimed)]
    for result in chain(claims.deferred, _finish_or_defer(invocation, claimed), _work_through(invocation, work)):
        inbox.apply(result)

    # A message that stays without a delay of its own met a fault. Its claims hold until the lease is over.
    _defer(invocation, inbox.delays_seconds(otherwise=lease.expires_at_ms / 1000 - dependencies.clock()))
    return inbox.open_message_ids


def _finish_or_defer(invocation: Invocation, claimed: SortedClaims) -> Iterator[WorkResult]:
    """Calls that need no work here: some leave with their messages, and on the others another invocation works."""
    if claimed.duplicates:
        invocation.dependencies.observe(DuplicatesFound(claimed.duplicates))
    yield WorkResult(finished=claimed.finished)
    now_ms = invocation.dependencies.clock() * 1000
    for call, until_ms in claimed.busy:
        seconds = max(0.0, until_ms - now_ms) / 1000 + backoff_seconds(invocation, [call])
        yield WorkResult(delays_seconds={call.message_id: seconds})


def _work_of(invocation: Invocation, claimed: SortedClaims) -> Iterator[Work]:
    for request_id, failed in claimed.failed.items():
        yield partial(fail_for_message, invocation, request_id, failed)
    for request_id, outcomes in claimed.concluded.items():
        yield partial(settle, invocation, request_id, outcomes)
    for request_id, (unsent, why) in claimed.unsent.items():
        yield partial(settle_unsent, invocation, request_id, unsent, why)
    for request_id, unanswered in claimed.unanswered.items():
        yield partial(recover, invocation, request_id, unanswered)
    for request in claimed.requests:
        yield partial(deliver, invocation, request)


def _work_through(invocation: Invocation, work: Sequence[Work]) -> Iterator[WorkResult]:
    """Do all work side by side, and the requests that follow from it, until none is left.

    A fault in one piece leaves its messages in the queue, and does not touch the other pieces.
    """
    submit = invocation.dependencies.executor.submit
    pending: set[Future[WorkResult]] = {submit(piece) for piece in work}
    while pending:
        done, pending = wait(pending, return_when=FIRST_COMPLETED)
        for future in done:
            try:
                result = future.result()
            except Exception as error:  # noqa: BLE001 - after any error its messages are still in the queue
                invocation.dependencies.observe(WorkFailed(error))
                continue
            pending |= {submit(deliver, invocation, request) for request in result.next_requests}
            yield result


def _defer(invocation: Invocation, delays_seconds: Mapping[str, float]) -> None:
    try:
        invocation.dependencies.source_queues[invocation.lane].defer(delays_seconds)
    except Exception as error:  # noqa: BLE001 - they come back all the same, when their visibility timeout ends
        invocation.dependencies.observe(WorkFailed(error))
