"""One entry of the failure queue, its reason, and the calls in its body. Pure.

This function is deployed without the relay's package. It therefore repeats what it needs of the relay's message
format: the wrappings, and the two parts of a call's identity. It checks nothing else; the relay checks each message.
"""

from dataclasses import dataclass, field
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

INGRESS = "ingress"
"""The queue of an entry that does not name one: a message that SQS redrove, or that left no room for attributes."""


@dataclass(frozen=True, slots=True)
class Calls:
    """The calls of a body: their flow, and the keys of their outcome records. Both are empty if it is unreadable."""

    flow_id: str = ""
    call_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """One message of the failure queue as it was received; `sent_at` in seconds since 1970.

    `source_queue` names the queue that it came from. `reason` is the relay's, or REDRIVEN. For REDRIVEN `sent_at` is
    the time at which the producer sent the message: SQS keeps a message's SentTimestamp when it moves the message to a
    dead-letter queue.
    """

    message_id: str
    receipt_handle: str
    body: str = field(repr=False)
    reason: str
    code: int | None
    sent_at: float
    calls: Calls
    source_queue: str = INGRESS


class _Call(Struct, rename="kebab"):
    client_identifier: Annotated[str, Meta(min_length=1, max_length=128)]


class _Message(Struct, rename="kebab"):
    flow_id: Annotated[str, Meta(pattern="^[A-Za-z0-9]{8}$", max_length=8)]
    calls: list[_Call]


def calls_in(body: str) -> Calls:
    """The calls that the relay would read in this body. Empty if the body is unreadable."""
    try:
        message = msgspec.convert(_unwrap(msgspec.json.decode(body)), _Message)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return Calls()
    return Calls(message.flow_id, tuple(f"{message.flow_id}/{call.client_identifier}" for call in message.calls))


def _unwrap(raw: Any) -> Any:  # noqa: ANN401 - any JSON value
    """The message inside an SNS notification or an EventBridge event. A redriven body still has its wrapping."""
    match raw:
        case {"Type": "Notification", "Message": str(message)}:
            return msgspec.json.decode(message)
        case {"detail-type": _, "detail": detail}:
            return detail
    return raw
