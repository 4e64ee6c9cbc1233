"""One call of a queue message. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from sealed_relay.calls.start_time import DATE_LENGTH, CallingHours, end_of_date, service_time


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
        with a start time of its own is sent on that date only: its deadline sees to it.
        """
        start_time = self.moved_start_time or self.start_time
        return soonest if start_time[:DATE_LENGTH] < soonest[:DATE_LENGTH] else start_time

    def payload(self, start_time: str) -> dict[str, Any]:
        """The call as the API takes it, as a JSON object. `start_time` is told as in `service_time`."""
        return {
            "client-identifier": self.client_identifier,
            "start-time": start_time,
            "contact-numbers": self.raw["contact-numbers"],
            "keys": self.raw.get("keys", []),
        }

    def deadline(self, give_up_after: timedelta) -> datetime:
        """The call must not be sent from this time on: the earliest of `_deadlines`."""
        return min(self._deadlines(give_up_after))[0]

    def why_late(self, now: datetime, give_up_after: timedelta) -> str:
        """Why the call must not be sent, as a sentence for a person; "" if it may be sent."""
        deadline, name = min(self._deadlines(give_up_after))
        if deadline <= now:
            return f"Its deadline passed: {name}, {service_time(deadline)}."
        if self.moved_start_time and self.not_after and service_time(self.not_after) < self.moved_start_time:
            return (
                f"By the calling hours of its flow it may start at {self.moved_start_time}, "
                f"and that is after its `not-after`, {service_time(self.not_after)}."
            )
        return ""

    def _deadlines(self, give_up_after: timedelta) -> list[tuple[datetime, str]]:
        deadlines = [(self.sent_at + give_up_after, "the relay's own limit after the message was sent")]
        if self.not_after is not None:
            deadlines.append((self.not_after, "`not-after`"))
        if not self.start_time_is_default:
            start_time = self.start_time
            if self.calling_hours:  # outside them it means their next beginning, which may be on the next date
                start_time = service_time(self.calling_hours.next_start(datetime.fromisoformat(start_time)))
            deadlines.append((end_of_date(start_time), "the end of the start date"))
        return deadlines
