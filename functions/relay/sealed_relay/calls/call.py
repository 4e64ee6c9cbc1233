"""One call of a queue message. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from msgspec import Struct

from sealed_relay.calls.start_time import DATE_LENGTH, CallingHours, end_of_date, service_time


class CallPayload(Struct, rename="kebab", gc=False):
    """A call as the API takes it: msgspec writes it as a JSON object. Without `gc`, as 500 of them would start one."""

    client_identifier: str
    start_time: str
    contact_numbers: Sequence[str]
    keys: Sequence[Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Call:
    """One call of one message. `raw` is the call as the producer wrote it, before any default.

    `start_time` is what the producer asked for, as in `service_time`. `call_id` is the key of its outcome record: flow
    id, slash, client identifier. `calling_hours` are those of its flow, once `within` has set them;
    `moved_start_time` is where they moved the start, as in `service_time`, or "".
    """

    flow_id: str
    client_identifier: str
    message_id: str
    receive_count: int
    raw: Mapping[str, Any] = field(repr=False)
    start_time: str
    start_time_is_default: bool
    not_after: datetime | None
    sent_at: datetime
    calling_hours: CallingHours | None = None
    moved_start_time: str = ""
    call_id: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "call_id", f"{self.flow_id}/{self.client_identifier}")

    @property
    def content(self) -> bytes:
        """What the producer asked for, in one canonical spelling: UTF-8 JSON.

        Two calls with the same identity are duplicates if this is equal. No `keys` is an empty list; a leading `+`, the
        order of the fields and the spelling of a time make no difference. A default start time is no part of it.
        """
        not_after = self.not_after and self.not_after.astimezone(UTC)
        return msgspec.json.encode(
            [
                None if self.start_time_is_default else self.start_time,
                not_after and not_after.isoformat(),
                [number.removeprefix("+") for number in self.raw["contact-numbers"]],
                [[variable["name"], variable["value"]] for variable in self.raw.get("keys", [])],
            ]
        )

    def within(self, hours: CallingHours, now: datetime) -> "Call":
        """The call of a flow with these calling hours, to be sent now."""
        return replace(self, calling_hours=hours, moved_start_time=hours.moved_start_time(self.start_time, now))

    def start_time_to_send(self, soonest: str) -> str:
        """The start time that the API is told. It is never one whose date is over.

        `soonest` is the `soonest_start_time` of now. A call without a start time of its own may wait past midnight. One
        with a start time of its own is sent on that date only, because its deadline is the end of the date.
        """
        start_time = self.moved_start_time or self.start_time
        return soonest if start_time < soonest[:DATE_LENGTH] else start_time

    def payload(self, start_time: str) -> CallPayload:
        """The call as the API takes it. `start_time` is told as in `service_time`."""
        return CallPayload(self.client_identifier, start_time, self.raw["contact-numbers"], self.raw.get("keys", []))

    def deadline(self, give_up_after: timedelta) -> datetime:
        """The earliest time from which the call must not be sent."""
        deadline = self.sent_at + give_up_after
        if self.not_after is not None:
            deadline = min(deadline, self.not_after)
        if not self.start_time_is_default:
            deadline = min(deadline, self._end_of_start_date())
        return deadline

    def why_late(self, now: datetime, give_up_after: timedelta) -> str:
        """Why the call must not be sent, as a sentence for a person; "" if it may be sent."""
        deadline = self.deadline(give_up_after)
        if deadline <= now:
            return f"Its deadline passed: {self._name_of(deadline)}, {service_time(deadline)}."
        if self.moved_start_time and self.not_after and service_time(self.not_after) < self.moved_start_time:
            return (
                f"By the calling hours of its flow it may start at {self.moved_start_time}, "
                f"and that is after its `not-after`, {service_time(self.not_after)}."
            )
        return ""

    def _end_of_start_date(self) -> datetime:
        """The end of the date on which the producer wants the call to start."""
        if not self.calling_hours:
            return end_of_date(self.start_time)
        # A start time outside the hours means their next beginning, which may be on the next date.
        return end_of_date(service_time(self.calling_hours.next_start(datetime.fromisoformat(self.start_time))))

    def _name_of(self, deadline: datetime) -> str:
        if deadline == self.not_after:
            return "`not-after`"
        if not self.start_time_is_default and deadline == self._end_of_start_date():
            return "the end of the start date"
        return "the relay's own limit after the message was sent"
