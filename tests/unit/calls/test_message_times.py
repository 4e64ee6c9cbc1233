"""Times in messages: how they are written, what the API is told, and until when a call may be sent."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealed_relay.calls.message import SERVICE_TIME_ZONE, Call, InvalidMessageError, read, service_time
from tests.support.making import SENT_AT, body_of_calls, make_call, make_message, written_call

A_DAY = timedelta(days=1)


def start_time_sent(call: Call, now: datetime = SENT_AT) -> str:
    return str(call.payload(service_time(now))["start-time"])


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("2026-11-23T10:30:00+05:30", "2026-11-23T10:30:00+05:30"),
        ("2026-11-23T10:30:00Z", "2026-11-23T16:00:00+05:30"),
        ("2026-11-23T10:30:00.999999999Z", "2026-11-23T16:00:00+05:30"),
        ("2026-11-23T10:30:00-00:00", "2026-11-23T16:00:00+05:30"),
        ("2026-11-23T20:00:00-11:30", "2026-11-24T13:00:00+05:30"),
        ("2026-11-23T00:00:00+14:00", "2026-11-22T15:30:00+05:30"),
        ("2026-11-23T10:30+05:30", "2026-11-23T10:30:00+05:30"),
        ("20261123T103000+0530", "2026-11-23T10:30:00+05:30"),
        ("2026-W48-1T10:30:00+05:30", "2026-11-23T10:30:00+05:30"),
        ("2026-11-23 10:30:00+05:30", "2026-11-23T10:30:00+05:30"),
        ("0001-01-01T00:00:00Z", "0001-01-01T05:30:00+05:30"),
        ("9999-12-30T00:00:00Z", "9999-12-30T05:30:00+05:30"),
    ],
)
def test_every_spelling_of_iso_8601_reaches_the_api_in_its_own_time_zone(written: str, sent: str) -> None:
    assert start_time_sent(make_call(start_time=written)) == sent


@pytest.mark.parametrize("field", ["start-time", "not-after"])
@pytest.mark.parametrize(
    "written",
    [
        "",
        "tomorrow",
        "2026-11-23",
        "2026-11-23T10:30:00",
        "2026-11-23T10:30:00 Europe/Oslo",
        "2026-11-23T25:00:00Z",
        "2026-02-30T10:30:00Z",
        "2026-11-23T10:30:00+24:00",
        "2026-11-23T10:30:00Z\n",
        "1795408200",
        "919900000001",
        "0000-01-01T00:00:00Z",
        "10000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59Z",
        "٢٠٢٦-11-23T10:30:00Z",
    ],
)
def test_a_time_that_is_none_or_has_no_offset_is_refused_by_its_field(field: str, written: str) -> None:
    with pytest.raises(InvalidMessageError) as caught:
        read(make_message(body_of_calls(written_call(**{field: written}))))

    assert f"`$.calls[0].{field}` is not a time with an offset" in str(caught.value)
    assert "919900000001" not in str(caught.value)


@given(st.datetimes(timezones=st.timezones()), st.datetimes(timezones=st.timezones()))
def test_any_time_that_is_taken_can_be_sent_and_has_a_deadline(start_time: datetime, not_after: datetime) -> None:
    written = written_call(start_time=start_time.isoformat(), not_after=not_after.isoformat())
    try:
        [call] = read(make_message(body_of_calls(written)))
    except InvalidMessageError:
        return  # too near to the first or the last day of the calendar

    asked_for = datetime.fromisoformat(start_time.isoformat())  # in no zone that tells a time twice
    assert datetime.fromisoformat(start_time_sent(call)) == asked_for.replace(microsecond=0)
    assert call.deadline(A_DAY) <= not_after


def test_a_default_start_time_is_when_the_message_was_sent() -> None:
    assert start_time_sent(make_call(), SENT_AT + timedelta(hours=3)) == "2026-11-23T10:00:00+05:30"


def test_a_default_start_time_moves_to_the_present_once_its_day_is_over_there() -> None:
    midnight_there = datetime(2026, 11, 24, tzinfo=SERVICE_TIME_ZONE)

    assert start_time_sent(make_call(), midnight_there - timedelta(seconds=1)) == "2026-11-23T10:00:00+05:30"
    assert start_time_sent(make_call(), midnight_there.astimezone(UTC)) == "2026-11-24T00:00:00+05:30"


def test_a_written_start_time_is_never_moved() -> None:
    call = make_call(start_time="2026-11-23T10:00:00+05:30")

    assert start_time_sent(call, SENT_AT + 7 * A_DAY) == "2026-11-23T10:00:00+05:30"


def test_a_call_is_given_up_so_long_after_its_message_was_sent() -> None:
    assert make_call().deadline(timedelta(hours=24)) == SENT_AT + timedelta(hours=24)


def test_a_call_is_never_sent_after_its_not_after() -> None:
    call = make_call(not_after="2026-11-23T11:00:00+05:30")

    assert call.deadline(A_DAY) == datetime(2026, 11, 23, 5, 30, tzinfo=UTC)


def test_a_call_is_not_sent_after_the_day_it_was_to_start_on_there() -> None:
    call = make_call(start_time="2026-11-23T17:00:00Z")  # 22:30 there

    assert call.deadline(7 * A_DAY) == datetime(2026, 11, 24, tzinfo=SERVICE_TIME_ZONE)


def test_of_several_deadlines_the_earliest_holds() -> None:
    call = make_call(start_time="2026-11-23T10:00:00+05:30", not_after="2026-11-23T12:00:00+05:30")

    assert call.deadline(timedelta(hours=1)) == SENT_AT + timedelta(hours=1)
    assert call.deadline(A_DAY) == datetime(2026, 11, 23, 6, 30, tzinfo=UTC)
