"""One call of a queue message. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from sealed_relay.calls.start_time import DATE_LENGTH, end_of_date, service_time


@dataclass(frozen=True, slots=True)
class Call:
    """One call of one message. `raw` is the call as the producer wrote it, before any default.

    `start_time` is told as in `service_time`. `call_id` is the key of its outcome record: flow id, slash, client
    identifier.
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

    def start_time_to_send(self, soonest: str) -> str:
        """The start time that the API is told. It is never one whose date is over.

        `soonest` is the `soonest_start_time` of now. A call without a start time of its own may wait past midnight. One
        with a start time of its own is sent on that date only: its deadline sees to it.
        """
        return soonest if self.start_time[:DATE_LENGTH] < soonest[:DATE_LENGTH] else self.start_time

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

    def deadline_text(self, give_up_after: timedelta) -> str:
        """Which deadline that is, and when, for a person: "`not-after`, 2026-11-23T11:00:00+05:30"."""
        deadline, name = min(self._deadlines(give_up_after))
        return f"{name}, {service_time(deadline)}"

    def _deadlines(self, give_up_after: timedelta) -> list[tuple[datetime, str]]:
        deadlines = [(self.sent_at + give_up_after, "the relay's own limit after the message was sent")]
        if self.not_after is not None:
            deadlines.append((self.not_after, "`not-after`"))
        if not self.start_time_is_default:
            deadlines.append((end_of_date(self.start_time), "the end of the start date"))
        return deadlines
