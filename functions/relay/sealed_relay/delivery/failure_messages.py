"""Failed calls and unreadable messages, as messages on the failure queue."""

from collections.abc import Sequence

from sealed_relay.calls.call import Call
from sealed_relay.calls.message import Message, write
from sealed_relay.calls.outcome import Outcome, Reason
from sealed_relay.delivery.request import Invocation, WorkResult
from sealed_relay.observability.events import MessageFailed
from sealed_relay.ports import Failure


def publish_failures(invocation: Invocation, request_id: str, failed: Sequence[tuple[Call, Outcome]]) -> None:
    """Put failed calls on the failure queue, one message for each source message and outcome."""
    groups: dict[tuple[str, Outcome], list[Call]] = {}
    for call, outcome in failed:
        groups.setdefault((call.message_id, outcome), []).append(call)
    if not groups:
        return
    invocation.dependencies.failure_queue.publish(
        [
            Failure(
                body=write(calls),
                reason=outcome.reason,
                detail=outcome.detail,
                source_message_id=message_id,
                source_queue=invocation.lane,
                code=outcome.code,
                request_id=request_id,
                api_request_id=outcome.api_request_id,
            )
            for (message_id, outcome), calls in groups.items()
        ]
    )
    for (message_id, outcome), calls in groups.items():
        names = [call.client_identifier for call in calls]
        invocation.dependencies.observe(
            MessageFailed(
                message_id,
                outcome.reason,
                outcome.code,
                len(calls),
                request_id,
                names,
                outcome.detail,
                outcome.api_request_id,
            )
        )


def fail_for_message(invocation: Invocation, request_id: str, failed: Sequence[tuple[Call, Outcome]]) -> WorkResult:
    """Put calls on the failure queue for their messages. The records belong to other messages, and stay as they are."""
    publish_failures(invocation, request_id, failed)
    return WorkResult(finished=[call for call, _ in failed])


def fail_unreadable(invocation: Invocation, message: Message, detail: str) -> WorkResult:
    """Put a message that cannot be read on the failure queue, with the body that it came with."""
    invocation.dependencies.failure_queue.publish(
        [Failure(message.body, Reason.INVALID_MESSAGE, detail, message.message_id, invocation.lane)]
    )
    invocation.dependencies.observe(
        MessageFailed(message.message_id, Reason.INVALID_MESSAGE, None, 0, "", detail=detail)
    )
    return WorkResult(closed=[message.message_id])
