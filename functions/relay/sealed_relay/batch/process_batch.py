"""The whole story of a batch: read, plan, defer, claim, deliver and recover side by side, answer SQS."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from functools import partial

from sealed_relay.batch.inbox import Inbox
from sealed_relay.batch.prepare import defer_early, prepare_requests
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
"""How long its claims outlive an invocation: for clocks that differ, and for bytes that are still on the wire."""

Work = Callable[[], WorkResult]


def process_batch(dependencies: Dependencies, messages: Sequence[Message], deadline: float, lane: Lane) -> list[str]:
    """Deliver a batch of messages of one queue, and return the ids of those that must stay in it.

    `deadline` is when the invocation is ended, in seconds since 1970. Rule 4, the way out: of a message that is not
    returned, each call is delivered, or was put on the failure queue for this very message.
    """
    lease = Lease(dependencies.make_id(), int((deadline + LEASE_MARGIN_SECONDS) * 1000))
    invocation = Invocation(dependencies, lease, deadline, lane)
    inbox = Inbox(messages)

    planned = prepare_requests(dependencies, inbox.calls)
    to_claim, delays_seconds = defer_early(invocation, planned)
    inbox.apply(WorkResult(delays_seconds=delays_seconds))

    claims = [(call, request.request_id) for request in to_claim for call in request.calls]
    answers = dependencies.call_records.claim(claims, lease)
    answers_by_id = {call.call_id: answer for (call, _), answer in zip(claims, answers, strict=True)}
    claimed = sort_claims(to_claim, answers_by_id, inbox.duplicates, int(dependencies.clock() * 1000))
    inbox.apply(_finish_or_defer(invocation, claimed))

    unreadable = [partial(fail_unreadable, invocation, message, why) for message, why in inbox.unreadable]
    for result in _work_through(invocation, [*unreadable, *_work_of(invocation, claimed)]):
        inbox.apply(result)

    # A message that stays without a delay of its own met a fault. Its claims hold until the lease is over.
    _defer(invocation, inbox.delays_seconds(otherwise=lease.expires_at_ms / 1000 - dependencies.clock()))
    return inbox.open_message_ids


def _finish_or_defer(invocation: Invocation, claimed: SortedClaims) -> WorkResult:
    """What needs no work: calls that leave with their messages, and calls that another invocation is working on."""
    if claimed.duplicates:
        invocation.dependencies.observe(DuplicatesFound(claimed.duplicates))
    now_ms = invocation.dependencies.clock() * 1000
    delays_seconds: dict[str, float] = {}
    for call, until_ms in claimed.busy:
        seconds = max(0.0, until_ms - now_ms) / 1000 + backoff_seconds(invocation, [call])
        delays_seconds[call.message_id] = max(seconds, delays_seconds.get(call.message_id, 0.0))
    return WorkResult(finished=claimed.finished, delays_seconds=delays_seconds)


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
            except Exception as error:  # noqa: BLE001 - whichever it is, its messages are still in the queue
                invocation.dependencies.observe(WorkFailed(error))
                continue
            pending |= {submit(deliver, invocation, request) for request in result.next_requests}
            yield result


def _defer(invocation: Invocation, delays_seconds: Mapping[str, float]) -> None:
    try:
        invocation.dependencies.source_queues[invocation.lane].defer(delays_seconds)
    except Exception as error:  # noqa: BLE001 - they come back all the same, when their visibility timeout ends
        invocation.dependencies.observe(WorkFailed(error))
