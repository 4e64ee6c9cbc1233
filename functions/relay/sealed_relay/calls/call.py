"""One call of a queue message, and the times that it is told in. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgspec

SERVICE_TIME_ZONE = timezone(timedelta(hours=5, minutes=30))
"""The API takes start times in +05:30 only, and refuses a start *date* before today's there."""


DATE_LENGTH = len("YYYY-MM-DD")


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

    def payload(self, now: str) -> dict[str, Any]:
        """The call as the API takes it, as a JSON object. `now` is told as in `service_time`.

        A default start time whose day is over there becomes `now`: the producer asked for no other day, and
        the API refuses an earlier date.
        """
        is_over = self.start_time_is_default and self.start_time[:DATE_LENGTH] < now[:DATE_LENGTH]
        return {
            "client-identifier": self.client_identifier,
            "start-time": now if is_over else self.start_time,
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
            midnight = datetime.fromisoformat(self.start_time[:DATE_LENGTH]).replace(tzinfo=SERVICE_TIME_ZONE)
            deadlines.append((midnight + timedelta(days=1), "the end of the start date"))
        return deadlines


def service_time(moment: datetime) -> str:
    """A time as the API takes it: ISO 8601 in the service's time zone, to the second."""
    return moment.astimezone(SERVICE_TIME_ZONE).isoformat(timespec="seconds")


def service_date(moment: float) -> str:
    """The service's date at a moment in seconds since 1970, as YYYY-MM-DD."""
    return datetime.fromtimestamp(moment, SERVICE_TIME_ZONE).date().isoformat()
