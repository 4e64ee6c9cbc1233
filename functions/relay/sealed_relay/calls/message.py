"""From the body of one SQS message to its calls, or the reason why not. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType

from sealed_relay.calls.schema import FlowVariable, WrittenCall, WrittenMessage

SERVICE_TIME_ZONE = timezone(timedelta(hours=5, minutes=30))
"""The API takes start times in +05:30 only, and refuses a start *date* before today's there."""


DATE_LENGTH = len("YYYY-MM-DD")


class InvalidMessageError(Exception):
    """The body is not a queue message. Its text is one sentence: the field, what was wrong, what is allowed."""


@dataclass(frozen=True, slots=True)
class Message:
    """One SQS message as it was received. `receive_count` counts this delivery too."""

    message_id: str
    receipt_handle: str
    body: str = field(repr=False)
    sent_at: datetime
    receive_count: int


@dataclass(frozen=True, slots=True)
class Call:
    """One call of one message. `written` is the call as the producer wrote it, before any default.

    `start_time` is told as in `service_time`.
    """

    flow_id: str
    client_identifier: str
    message_id: str
    receive_count: int
    written: Mapping[str, Any] = field(repr=False)
    start_time: str
    start_time_is_default: bool
    not_after: datetime | None
    sent_at: datetime

    @property
    def call_id(self) -> str:
        """The key of its outcome record: flow id, slash, client identifier."""
        return f"{self.flow_id}/{self.client_identifier}"

    @property
    def content(self) -> bytes:
        """What the producer wrote, in one canonical spelling: UTF-8 JSON, fields in order, no white space."""
        return msgspec.json.encode(self.written, order="sorted")

    def payload(self, now: str) -> dict[str, Any]:
        """The call as the API takes it, as a JSON object. `now` is told as in `service_time`.

        A default start time whose day is over there becomes `now`: the producer asked for no other day, and
        the API refuses an earlier date.
        """
        is_over = self.start_time_is_default and self.start_time[:DATE_LENGTH] < now[:DATE_LENGTH]
        return {
            "client-identifier": self.client_identifier,
            "start-time": now if is_over else self.start_time,
            "contact-numbers": self.written["contact-numbers"],
            "keys": self.written.get("keys", []),
        }

    def deadline(self, give_up_after: timedelta) -> datetime:
        """From when on it must not be sent: its `not-after`, the end of its start day, or the relay's own limit."""
        deadline = self.sent_at + give_up_after
        if self.not_after is not None:
            deadline = min(deadline, self.not_after)
        if not self.start_time_is_default:
            midnight = datetime.fromisoformat(self.start_time[:DATE_LENGTH]).replace(tzinfo=SERVICE_TIME_ZONE)
            deadline = min(deadline, midnight + timedelta(days=1))
        return deadline


def service_time(moment: datetime) -> str:
    """A time as the API takes it: ISO 8601 in the service's time zone, to the second."""
    return moment.astimezone(SERVICE_TIME_ZONE).isoformat(timespec="seconds")


def service_date(moment: float) -> str:
    """The service's date at a moment in seconds since 1970, as YYYY-MM-DD."""
    return datetime.fromtimestamp(moment, SERVICE_TIME_ZONE).date().isoformat()


def read(message: Message) -> list[Call]:
    """The calls of one message. Raises InvalidMessageError."""
    written = _unwrap(_decode(message.body))
    try:
        checked_message = msgspec.convert(written, WrittenMessage)
    except msgspec.ValidationError as error:
        # msgspec names the field and the rule, never the value: a contact number does not get into the text.
        why = _unknown_field(written) or error
        raise InvalidMessageError(f"The message breaks the contract: {why}.") from error
    calls: dict[str, Call] = {}
    for index, (checked, as_written) in enumerate(zip(checked_message.calls, written["calls"], strict=True)):
        at = f"$.calls[{index}]"
        if not checked.client_identifier.isprintable():
            raise InvalidMessageError(
                f"`{at}.client-identifier` holds a character that cannot be printed; "
                "1 to 128 printable characters are allowed."
            )
        if checked.client_identifier in calls:
            raise InvalidMessageError(
                f"`{at}.client-identifier` names an earlier call of the same message; "
                "within one message every client-identifier must differ."
            )
        start_time = _instant(checked.start_time, f"{at}.start-time")
        calls[checked.client_identifier] = Call(
            flow_id=checked_message.flow_id,
            client_identifier=checked.client_identifier,
            message_id=message.message_id,
            receive_count=message.receive_count,
            written=as_written,
            start_time=service_time(start_time or message.sent_at),
            start_time_is_default=start_time is None,
            not_after=_instant(checked.not_after, f"{at}.not-after"),
            sent_at=message.sent_at,
        )
    return list(calls.values())


def write(calls: Sequence[Call]) -> str:
    """A bare queue message that holds just these calls of one flow, as they were written."""
    written = msgspec.json.encode({"flow-id": calls[0].flow_id, "calls": [call.written for call in calls]}).decode()
    # JSON leaves these two as they are, and SQS refuses a body that holds one.
    return written.replace("\ufffe", r"\ufffe").replace("\uffff", r"\uffff")


def sent_at_of(sent_timestamp: str) -> datetime:
    """SQS's `SentTimestamp`, milliseconds since 1970 in decimal, as a time."""
    return datetime.fromtimestamp(int(sent_timestamp) / 1000, UTC)


def _decode(body: str) -> Any:  # noqa: ANN401 - any JSON value, until it has been checked
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise InvalidMessageError("The body is not JSON; a JSON object in UTF-8 is allowed.") from error


def _unknown_field(written: Any) -> str:  # noqa: ANN401
    """Where there is a field that the contract does not know, and which ones it knows there; "" if there is none.

    msgspec would quote the field's name, and that is whatever the producer made it: a contact number or a customer's
    name, where names and values were mixed up.
    """
    for at, value, kind in _objects(written):
        known = [field.encode_name for field in msgspec.structs.fields(kind)]
        if isinstance(value, dict) and not value.keys() <= set(known):
            return f"`{at}` has an unknown field; `{'`, `'.join(known)}` are allowed"
    return ""


def _objects(written: Any) -> Iterator[tuple[str, Any, type[Struct]]]:  # noqa: ANN401
    """Whatever stands where the contract wants an object: where that is, what stands there, and what is wanted."""
    yield "$", written, WrittenMessage
    for call_at, call in _items(written, "$.calls"):
        yield call_at, call, WrittenCall
        yield from ((key_at, key, FlowVariable) for key_at, key in _items(call, f"{call_at}.keys"))


def _items(value: Any, at: str) -> Iterator[tuple[str, Any]]:  # noqa: ANN401
    items = value.get(at.rpartition(".")[2]) if isinstance(value, dict) else None
    return ((f"{at}[{index}]", item) for index, item in enumerate(items if isinstance(items, list) else ()))


def _instant(text: str | UnsetType, field: str) -> datetime | None:
    """A written time, None where there is none. All of ISO 8601 that Python reads is allowed, not RFC 3339 alone."""
    if text is UNSET:
        return None
    invalid = InvalidMessageError(
        f"`{field}` is not a time with an offset; ISO 8601 is allowed, as in 2026-11-23T10:30:00+05:30."
    )
    try:
        instant = datetime.fromisoformat(text)
        _ = instant.astimezone(SERVICE_TIME_ZONE) + timedelta(days=1)  # the first and last days Python can tell
    except (ValueError, OverflowError) as error:
        raise invalid from error
    if instant.tzinfo is None:
        raise invalid
    return instant


def _unwrap(written: Any) -> Any:  # noqa: ANN401
    """Take the message out of an SNS notification or an EventBridge event; a bare one stays as it is."""
    if not isinstance(written, dict):
        return written
    if written.get("Type") == "Notification" and isinstance(written.get("Message"), str):
        return _decode(written["Message"])
    if "detail-type" in written and "detail" in written:
        return written["detail"]
    return written
