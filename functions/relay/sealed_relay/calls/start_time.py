"""When calls may start, in the API's time zone. Pure."""

from datetime import datetime, timedelta, timezone

SERVICE_TIME_ZONE = timezone(timedelta(hours=5, minutes=30))
"""The API takes start times in +05:30 only, and refuses a start *date* before today's there."""

MIDNIGHT_MARGIN_SECONDS = 5.0
"""How long before midnight a date counts as over.

The API's clock may be `CLOCKS_DIFFER_SECONDS` ahead, and a request takes a moment from its sealing until the API reads
it. A request that takes longer is refused. The API then answers after its midnight, so the relay knows why.
"""

DATE_LENGTH = len("YYYY-MM-DD")


def service_time(moment: datetime) -> str:
    """A time as the API takes it: ISO 8601 in the service's time zone, to the second. Such texts sort by time."""
    return moment.astimezone(SERVICE_TIME_ZONE).isoformat(timespec="seconds")


def soonest_start_time(now: datetime) -> str:
    """The start time of a call that is to start at once, as in `service_time`.

    In the last seconds of a day that is midnight. The API takes it on both days: before its midnight as a time to come,
    after it as a time of the same day. So no call waits or is refused, and a call starts a few seconds late at most.
    """
    midnight = end_of_date(service_time(now))
    is_about_to_end = midnight - now <= timedelta(seconds=MIDNIGHT_MARGIN_SECONDS)
    return service_time(midnight if is_about_to_end else now)


def is_date_over(start_time: str, now: datetime) -> bool:
    """Whether the API may refuse the date of a start time, as in `service_time`, if it reads it now."""
    return start_time[:DATE_LENGTH] < soonest_start_time(now)[:DATE_LENGTH]


def end_of_date(start_time: str) -> datetime:
    """The midnight that ends the date of a start time, as in `service_time`."""
    midnight = datetime.fromisoformat(start_time[:DATE_LENGTH]).replace(tzinfo=SERVICE_TIME_ZONE)
    return midnight + timedelta(days=1)
