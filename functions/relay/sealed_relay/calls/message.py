"""From the body of one SQS message to its calls, or to what is wrong with it, and back. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import msgspec

from sealed_relay.calls.call import Call
from sealed_relay.calls.fields import (
    check_client_identifier,
    check_contact_number,
    check_flow_id,
    check_flow_variable,
    check_list,
    check_object,
    check_time,
    is_like_contact_number,
)
from sealed_relay.calls.invalid_message import InvalidMessageError
from sealed_relay.calls.schema import CALL_FIELDS, MESSAGE_FIELDS, REQUIRED_CALL_FIELDS
from sealed_relay.calls.start_time import service_time
from sealed_relay.calls.wrapping import FieldTwice, unwrap


class Lane(StrEnum):
    """The queue that a message came from. All messages of one invocation come from the same queue."""

    INGRESS = "ingress"
    URGENT = "urgent"


@dataclass(frozen=True, slots=True)
class Message:
    """One SQS message as it was received. `receive_count` counts this delivery too."""

    message_id: str
    receipt_handle: str
    body: str = field(repr=False)
    sent_at: datetime
    receive_count: int


def read(message: Message) -> list[Call]:
    """The calls of one message. Raises InvalidMessageError.

    The check ends at the first problem, so the cost is linear in the length of the body.
    """
    raw_message, wrapping = unwrap(message.body)
    try:
        return _read(raw_message, message)
    except InvalidMessageError as error:
        if not wrapping:
            raise
        raise error.within(wrapping) from None


def write(calls: Sequence[Call]) -> str:
    """A bare queue message that holds just these calls of one flow, as the producer wrote them."""
    body = msgspec.json.encode({"flow-id": calls[0].flow_id, "calls": [call.raw for call in calls]}).decode()
    # JSON leaves these two as they are, and SQS refuses a body that holds one.
    return body.replace("\ufffe", r"\ufffe").replace("\uffff", r"\uffff")


def sent_at_of(sent_timestamp: str) -> datetime:
    """SQS's `SentTimestamp`, milliseconds since 1970 in decimal, as a time."""
    return datetime.fromtimestamp(int(sent_timestamp) / 1000, UTC)


def _read(value: Any, message: Message) -> list[Call]:  # noqa: ANN401 - any JSON value
    fields = check_object(value, "the message", MESSAGE_FIELDS, MESSAGE_FIELDS)
    flow_id = check_flow_id(fields["flow-id"])
    raw_calls = check_list(fields["calls"], "calls", min_length=1)
    times = []
    positions: dict[str, int] = {}
    for position, raw in enumerate(raw_calls, 1):
        try:
            times.append(_check_call(raw))
        except InvalidMessageError as error:
            raise error.within(_name_of(raw, position)) from None
        first_position = positions.setdefault(raw["client-identifier"], position)
        if first_position != position:
            raise InvalidMessageError(
                f"`client-identifier` is also that of call {first_position}; it may be there once in a message",
                f"call {position}",
            )
    default_start_time = service_time(message.sent_at)
    return [
        Call(
            flow_id=flow_id,
            client_identifier=raw["client-identifier"],
            message_id=message.message_id,
            receive_count=message.receive_count,
            raw=raw,
            start_time=default_start_time if start_time is None else service_time(start_time),
            start_time_is_default=start_time is None,
            not_after=not_after,
            sent_at=message.sent_at,
        )
        for raw, (start_time, not_after) in zip(raw_calls, times, strict=True)
    ]


def _check_call(value: Any) -> tuple[datetime | None, datetime | None]:  # noqa: ANN401
    """The `start-time` and the `not-after` of a call, None where it has none."""
    call = check_object(value, "the call", CALL_FIELDS, REQUIRED_CALL_FIELDS)
    check_client_identifier(call["client-identifier"])
    _check_entries(check_list(call["contact-numbers"], "contact-numbers", 1), "contact-numbers", check_contact_number)
    start_time = check_time(call["start-time"], "start-time") if "start-time" in call else None
    if "keys" in call:
        _check_entries(check_list(call["keys"], "keys"), "keys", check_flow_variable)
    not_after = check_time(call["not-after"], "not-after") if "not-after" in call else None
    if start_time and not_after and not_after < start_time:
        raise InvalidMessageError("`not-after` is before `start-time`; the same time or a later one is allowed")
    return start_time, not_after


def _check_entries(entries: list[Any], field_name: str, check: Callable[[Any], None]) -> None:
    for position, entry in enumerate(entries, 1):
        try:
            check(entry)
        except InvalidMessageError as error:
            raise error.within(f"entry {position} of `{field_name}`") from None


def _name_of(raw: Any, position: int) -> str:  # noqa: ANN401
    """A call's name in a sentence: its identifier if that is valid and no contact number, else its position."""
    fields = dict(raw.pairs) if isinstance(raw, FieldTwice) else raw
    try:
        identifier = check_client_identifier(fields["client-identifier"])
    except (InvalidMessageError, KeyError, TypeError):
        return f"call {position}"
    return f"call {position}" if is_like_contact_number(identifier) else f'call "{identifier}"'
