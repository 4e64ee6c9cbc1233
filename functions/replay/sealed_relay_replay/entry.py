"""One entry of the failure queue, and the calls in its body. Pure.

The relay's own package is not on this function's path, so what it says of bodies is said here again: the wrappings, and
the two halves of a call's identity. Nothing is checked beyond that: the relay does it, as with any message.
"""

from dataclasses import dataclass, field
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct


@dataclass(frozen=True, slots=True)
class Calls:
    """The calls of a body: their flow, and the keys of their outcome records. Both are empty if it is unreadable."""

    flow_id: str = ""
    call_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """One message of the failure queue as it was received; `sent_at` in seconds since 1970.

    `reason` is the relay's, or REDRIVEN. For those `sent_at` is when the producer sent it: SQS keeps the time.
    """

    message_id: str
    receipt_handle: str
    body: str = field(repr=False)
    reason: str
    code: int | None
    sent_at: float
    calls: Calls


class _Call(Struct, rename="kebab"):
    client_identifier: Annotated[str, Meta(min_length=1, max_length=128)]


class _Message(Struct, rename="kebab"):
    flow_id: Annotated[str, Meta(pattern="^[A-Za-z0-9]{8}$", max_length=8)]
    calls: list[_Call]


def calls_in(body: str) -> Calls:
    """The calls that the relay would read in this body, or none."""
    try:
        message = msgspec.convert(_unwrap(msgspec.json.decode(body)), _Message)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return Calls()
    return Calls(message.flow_id, tuple(f"{message.flow_id}/{call.client_identifier}" for call in message.calls))


def _unwrap(written: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Out of an SNS notification or an EventBridge event: what SQS redrove is as it came."""
    match written:
        case {"Type": "Notification", "Message": str(message)}:
            return msgspec.json.decode(message)
        case {"detail-type": _, "detail": detail}:
            return detail
    return written
