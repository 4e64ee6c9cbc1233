"""What goes into an invocation of the relay and what comes out: an SQS event, and the calls that were not delivered."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal

import msgspec

_Number = Annotated[str, msgspec.Meta(pattern="^[0-9]+$")]


class _Attributes(msgspec.Struct, rename="pascal"):
    sent_timestamp: _Number
    approximate_receive_count: _Number


class _Record(msgspec.Struct, rename="camel"):
    message_id: str
    receipt_handle: str
    body: str
    attributes: _Attributes
    event_source: Literal["aws:sqs"]


class _Event(msgspec.Struct, rename="pascal"):
    records: list[_Record]


def fault_of(event: bytes) -> str:
    """Return why Lambda would not send this event for messages of an SQS queue; "" if it would."""
    try:
        msgspec.json.decode(event, type=_Event)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return str(error)
    return ""


def not_delivered(log: Sequence[str]) -> Iterator[str]:
    """Yield a line for each log line about calls that failed or wait: which ones, the reason and the detail."""
    for line in log:
        match _fields(line):
            case {"message": "message failed", "client_identifiers": str(names), **told}:
                which = names.strip("[]").replace("][", ", ") or f"message {told['message_id']}"
                yield f"{which}: failed, {told['reason']}. {told['detail']}"
            case {"message": "calls waiting", **told}:
                seconds = f"{told['retry_in_seconds']:.0f}"
                yield f"message {told['message_id']}: comes back in {seconds} s, {told['reason']}. {told['detail']}"
            case {"message": "messages deferred", **told}:
                yield f"{told['messages']} messages of flow {told['flow_id']}: deferred, {told['reason']}."


def _fields(line: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(line, type=dict[str, Any])
    except msgspec.DecodeError:  # a line of the emulator
        return {}
