"""Calling hours: when a call may start, and where a start outside them is moved."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealed_relay.calls.start_time import InvalidCallingHoursError, parse_calling_hours, service_time

DAYTIME = parse_calling_hours("09:00-21:00")
OVER_MIDNIGHT = parse_calling_hours("22:00-02:00")
MINUTES = st.integers(0, 24 * 60 - 1)
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - as hypothesis wants it


def at(time_of_day: str, date: str = "2026-11-23") -> datetime:
    return datetime.fromisoformat(f"{date}T{time_of_day}+05:30").astimezone(UTC)


@pytest.mark.parametrize(
    ("time_of_day", "moved_to"),
    [
        ("00:00:00", "2026-11-23T09:00:00+05:30"),
        ("08:59:59.999", "2026-11-23T09:00:00+05:30"),
        ("09:00:00", ""),
        ("20:58:59.999", ""),
        ("20:59:00", "2026-11-24T09:00:00+05:30"),
        ("20:59:59.999", "2026-11-24T09:00:00+05:30"),
        ("21:00:00", "2026-11-24T09:00:00+05:30"),
        ("23:59:59.999", "2026-11-24T09:00:00+05:30"),
    ],
)
def test_start_now_is_moved_unless_it_is_inside_the_hours(time_of_day: str, moved_to: str) -> None:
    assert DAYTIME.moved_start_time("2026-11-23T00:00:00+05:30", at(time_of_day)) == moved_to


@pytest.mark.parametrize(
    ("time_of_day", "moved_to"),
    [
        ("21:59:59", "2026-11-23T22:00:00+05:30"),
        ("22:00:00", ""),
        ("23:59:59", ""),
        ("00:00:00", ""),
        ("01:58:59", ""),
        ("01:59:00", "2026-11-23T22:00:00+05:30"),
        ("12:00:00", "2026-11-23T22:00:00+05:30"),
    ],
)
def test_hours_over_midnight_begin_on_the_evening_before(time_of_day: str, moved_to: str) -> None:
    assert OVER_MIDNIGHT.moved_start_time("2026-11-22T00:00:00+05:30", at(time_of_day)) == moved_to


@pytest.mark.parametrize(
    ("start_time", "moved_to"),
    [
        ("2026-11-24T09:00:00+05:30", ""),
        ("2026-11-24T20:58:59+05:30", ""),
        ("2026-11-24T20:59:00+05:30", "2026-11-25T09:00:00+05:30"),
        ("2026-11-24T08:59:59+05:30", "2026-11-24T09:00:00+05:30"),
        ("2026-12-31T23:00:00+05:30", "2027-01-01T09:00:00+05:30"),
    ],
)
@pytest.mark.parametrize("now", ["03:00:00", "12:00:00", "20:59:30", "23:59:59"])
def test_start_time_to_come_is_judged_by_itself(now: str, start_time: str, moved_to: str) -> None:
    assert DAYTIME.moved_start_time(start_time, at(now)) == moved_to


@pytest.mark.parametrize(("now", "moved_to"), [("20:00:00", ""), ("22:00:00", "2026-11-24T09:00:00+05:30")])
def test_start_time_that_has_passed_is_judged_by_now(now: str, moved_to: str) -> None:
    for start_time in ("2026-11-23T03:00:00+05:30", "2026-11-23T12:00:00+05:30"):
        assert DAYTIME.moved_start_time(start_time, at(now)) == moved_to


@given(MINUTES, MINUTES, MOMENTS, MOMENTS)
def test_start_after_the_move_is_inside_the_hours_and_no_earlier(
    begin: int, end: int, start: datetime, now: datetime
) -> None:
    try:
        hours = parse_calling_hours(f"{begin // 60:02}:{begin % 60:02}-{end // 60:02}:{end % 60:02}")
    except InvalidCallingHoursError:
        assert (end - begin) % (24 * 60) < 2
        return
    start_time = service_time(start)

    moved_to = hours.moved_start_time(start_time, now)

    starts = max(datetime.fromisoformat(moved_to or start_time), now)
    time_of_day = starts - datetime.fromisoformat(service_time(starts)[:10] + "T00:00:00+05:30")
    since_beginning = (time_of_day - timedelta(minutes=begin)) % timedelta(days=1)
    assert since_beginning < timedelta(minutes=(end - begin) % (24 * 60) - 1)
    assert timedelta(0) <= starts - max(datetime.fromisoformat(start_time), now) < timedelta(days=1)
    assert hours.moved_start_time(moved_to or start_time, now) == ""
