"""When calls may start, in the API's time zone. Pure.

Calling hours 09:00-21:00:

    00:00         09:00                                20:59          21:00         24:00
    |-- outside --|-- inside --------------------------|-- about to end --|-- outside --|
     starts 09:00   starts as asked                      starts 09:00 on the next day

The API schedules a call by its start time. So nothing waits in the queue for the hours: a call that would start outside
them is handed over at once, with their next beginning as its start time.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

SERVICE_TIME_ZONE = timezone(timedelta(hours=5, minutes=30))
"""The API takes start times in +05:30 only, and refuses a start *date* before today's there."""

MIDNIGHT_MARGIN_SECONDS = 5.0
"""How long before midnight a date counts as over.

The API's clock may be `CLOCKS_DIFFER_SECONDS` ahead, and a request takes a moment from its sealing until the API reads
it. A request that takes longer is refused. The API then answers after its midnight, so the relay knows why.
"""

DATE_LENGTH = len("YYYY-MM-DD")

_WRITTEN = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-3]):([0-5][0-9])")
_DAY = timedelta(days=1)
_MIDNIGHT_MARGIN = timedelta(seconds=MIDNIGHT_MARGIN_SECONDS)
_MIN_LENGTH = timedelta(minutes=2)
_END_MARGIN = timedelta(minutes=1)
"""A request that leaves now is read up to half a minute later, by a clock that differs. Then the phone rings."""


def service_time(moment: datetime) -> str:
    """A time as the API takes it: ISO 8601 in the service's time zone, to the second. Such texts sort by time."""
    return moment.astimezone(SERVICE_TIME_ZONE).isoformat(timespec="seconds")


def soonest_start_time(now: datetime) -> str:
    """The start time of a call that is to start at once, as in `service_time`.

    In the last seconds of a day that is midnight. The API takes it on both days: before its midnight as a time to come,
    after it as a time of the same day. So no call waits or is refused, and a call starts a few seconds late at most.
    """
    here = now.astimezone(SERVICE_TIME_ZONE)
    soon = here + _MIDNIGHT_MARGIN
    return service_time(here if soon.date() == here.date() else soon.replace(hour=0, minute=0, second=0, microsecond=0))


def is_date_over(start_time: str, now: datetime) -> bool:
    """Whether the API may refuse the date of a start time, as in `service_time`, if it reads it now."""
    return start_time[:DATE_LENGTH] < soonest_start_time(now)[:DATE_LENGTH]


def end_of_date(start_time: str) -> datetime:
    """The midnight that ends the date of a start time, as in `service_time`."""
    midnight = datetime.fromisoformat(start_time[:DATE_LENGTH]).replace(tzinfo=SERVICE_TIME_ZONE)
    return midnight + timedelta(days=1)


class InvalidCallingHoursError(ValueError):
    """The text breaks the rule. The error's own text says how, as the end of a sentence, and never quotes the value."""


@dataclass(frozen=True, slots=True)
class CallingHours:
    """Calling hours, the same every day. `begin` is counted from midnight. The hours may last over midnight."""

    begin: timedelta
    length: timedelta

    def is_inside(self, moment: datetime) -> bool:
        """The hours have begun, and have not ended."""
        return self._since_beginning(moment) < self.length

    def is_about_to_end(self, moment: datetime) -> bool:
        """The hours end within a minute."""
        return self.length - _END_MARGIN <= self._since_beginning(moment) < self.length

    def may_start(self, moment: datetime) -> bool:
        """Whether a call may start then."""
        return self.is_inside(moment) and not self.is_about_to_end(moment)

    def next_start(self, moment: datetime) -> datetime:
        """The moment itself if a call may start then, else the next beginning of the hours."""
        return moment if self.may_start(moment) else moment + (_DAY - self._since_beginning(moment))

    def moved_start_time(self, start_time: str, now: datetime) -> str:
        """Where the hours move a start time, if its request leaves now; "" if they leave it as it is.

        Both are told as in `service_time`. The API starts a call at once if its start time has passed.
        """
        start = max(datetime.fromisoformat(start_time), now)
        return "" if self.may_start(start) else service_time(self.next_start(start))

    def _since_beginning(self, moment: datetime) -> timedelta:
        there = moment.astimezone(SERVICE_TIME_ZONE)
        midnight = there.replace(hour=0, minute=0, second=0, microsecond=0)
        return (there - midnight - self.begin) % _DAY


def parse_calling_hours(text: str) -> CallingHours:
    """The calling hours in a text such as "09:00-21:00". Raises InvalidCallingHoursError."""
    written = _WRITTEN.fullmatch(text)
    if not written:
        raise InvalidCallingHoursError("is not written HH:MM-HH:MM, from 00:00 to 23:59, as in 09:00-21:00")
    begin_hour, begin_minute, end_hour, end_minute = map(int, written.groups())
    begin = timedelta(hours=begin_hour, minutes=begin_minute)
    length = (timedelta(hours=end_hour, minutes=end_minute) - begin) % _DAY
    if length < _MIN_LENGTH:
        raise InvalidCallingHoursError("has less than two minutes between its beginning and its end")
    return CallingHours(begin, length)
