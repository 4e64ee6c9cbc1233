"""A call: its content, what the API gets, and until when it may be sent."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealed_relay.calls.call import Call
from sealed_relay.calls.invalid_message import InvalidMessageError
from sealed_relay.calls.message import read
from sealed_relay.calls.start_time import SERVICE_TIME_ZONE, parse_calling_hours, soonest_start_time
from tests.support.messages import SENT_AT, body_of_calls, make_call, make_message, written_call

A_DAY = timedelta(days=1)
DAYTIME = parse_calling_hours("09:00-21:00")
START_TIME = "2026-11-23T10:00:00+05:30"


def start_time_sent(call: Call, now: datetime = SENT_AT) -> str:
    return call.start_time_to_send(soonest_start_time(now))


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
        ("2026-11-23 10:30:00+05:30", "2026-11-23T10:30:00+05:30"),
        ("0002-01-01T00:00:00+23:59", "0001-12-31T05:31:00+05:30"),
        ("9998-12-31T23:59:59-23:59", "9999-01-02T05:28:59+05:30"),
    ],
)
def test_start_time_in_any_iso_8601_spelling_is_sent_in_the_service_time_zone(written: str, sent: str) -> None:
    assert make_call(start_time=written).start_time == sent


# Before 1973 some zones had offsets with seconds, which ISO 8601 does not have.
TIMES = st.datetimes(datetime(1973, 1, 1), datetime(9998, 12, 31), timezones=st.timezones())  # noqa: DTZ001


@given(TIMES, TIMES)
def test_call_with_valid_times_can_be_sent_and_has_a_deadline(start_time: datetime, not_after: datetime) -> None:
    written = written_call(start_time=start_time.isoformat(), not_after=not_after.isoformat())
    try:
        [call] = read(make_message(body_of_calls(written)))
    except InvalidMessageError:
        return  # `not-after` is before `start-time`

    asked_for = datetime.fromisoformat(start_time.isoformat())  # in no zone that tells a time twice
    assert datetime.fromisoformat(call.start_time) == asked_for.replace(microsecond=0)
    assert call.deadline(A_DAY) <= not_after


def test_default_start_time_is_when_the_message_was_sent() -> None:
    assert start_time_sent(make_call(), SENT_AT + timedelta(hours=3)) == "2026-11-23T10:00:00+05:30"


def test_default_start_time_becomes_now_after_its_day_in_the_service_time_zone() -> None:
    midnight_there = datetime(2026, 11, 24, tzinfo=SERVICE_TIME_ZONE)

    assert start_time_sent(make_call(), midnight_there - timedelta(seconds=6)) == "2026-11-23T10:00:00+05:30"
    assert start_time_sent(make_call(), midnight_there.astimezone(UTC)) == "2026-11-24T00:00:00+05:30"


@pytest.mark.parametrize(
    "start_time", ["2026-11-23T00:00:00+05:30", "2026-11-23T23:59:59+05:30", "2026-12-31T10:00:00+05:30"]
)
def test_given_start_time_stays_until_its_date_is_about_to_end(start_time: str) -> None:
    call = make_call(start_time=start_time)
    midnight_there = datetime(2026, 11, 24, tzinfo=SERVICE_TIME_ZONE)

    assert start_time_sent(call, midnight_there - timedelta(seconds=6)) == start_time
    assert start_time_sent(call, midnight_there - timedelta(seconds=5)) == max(start_time, "2026-11-24T00:00:00+05:30")


def test_deadline_of_call_without_times_counts_from_when_the_message_was_sent() -> None:
    assert make_call().deadline(timedelta(hours=24)) == SENT_AT + timedelta(hours=24)


def test_deadline_of_call_with_not_after_is_not_after() -> None:
    call = make_call(not_after="2026-11-23T11:00:00+05:30")

    assert call.deadline(A_DAY) == datetime(2026, 11, 23, 5, 30, tzinfo=UTC)


def test_deadline_of_call_with_start_time_is_the_end_of_its_day() -> None:
    call = make_call(start_time="2026-11-23T17:00:00Z")  # 22:30 there

    assert call.deadline(7 * A_DAY) == datetime(2026, 11, 24, tzinfo=SERVICE_TIME_ZONE)


def test_deadline_of_call_with_several_is_the_earliest() -> None:
    call = make_call(start_time="2026-11-23T10:00:00+05:30", not_after="2026-11-23T12:00:00+05:30")

    assert call.deadline(timedelta(hours=1)) == SENT_AT + timedelta(hours=1)
    assert call.deadline(A_DAY) == datetime(2026, 11, 23, 6, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({}, "the relay's own limit after the message was sent, 2026-11-24T10:00:00+05:30"),
        ({"not_after": "2026-11-23T05:30:00Z"}, "`not-after`, 2026-11-23T11:00:00+05:30"),
        ({"start_time": "2026-11-23T10:30:00+05:30"}, "the end of the start date, 2026-11-24T00:00:00+05:30"),
    ],
)
def test_late_call_tells_which_deadline_passed_and_when(fields: dict[str, str], text: str) -> None:
    call = make_call(**fields)

    assert call.why_late(call.deadline(A_DAY) - timedelta(seconds=1), A_DAY) == ""
    assert call.why_late(call.deadline(A_DAY), A_DAY) == f"Its deadline passed: {text}."


@pytest.mark.parametrize(
    ("not_after", "is_late"), [("2026-11-24T08:59:59.9+05:30", True), ("2026-11-24T09:00:00+05:30", False)]
)
def test_call_whose_moved_start_is_behind_its_not_after_is_late(not_after: str, *, is_late: bool) -> None:
    call = make_call(not_after=not_after).within(DAYTIME, SENT_AT.replace(hour=17))

    why = call.why_late(SENT_AT.replace(hour=17), A_DAY)

    assert bool(why) == is_late
    if is_late:
        assert why == (
            "By the calling hours of its flow it may start at 2026-11-24T09:00:00+05:30, and that is after its "
            "`not-after`, 2026-11-24T08:59:59+05:30."
        )


@pytest.mark.parametrize(
    ("start_time", "end_of_date"),
    [
        ("2026-11-23T20:58:59+05:30", "2026-11-24T00:00:00+05:30"),
        ("2026-11-23T20:59:00+05:30", "2026-11-25T00:00:00+05:30"),
        ("2026-11-24T08:00:00+05:30", "2026-11-25T00:00:00+05:30"),
        ("2026-12-31T23:00:00+05:30", "2027-01-02T00:00:00+05:30"),
    ],
)
def test_date_of_a_start_time_outside_the_hours_is_that_of_their_beginning(start_time: str, end_of_date: str) -> None:
    for now in (SENT_AT, SENT_AT + timedelta(hours=10)):  # the deadline does not depend on it
        call = make_call(start_time=start_time).within(DAYTIME, now)

        assert call.deadline(365 * A_DAY) == datetime.fromisoformat(end_of_date)


def test_hours_move_the_start_and_leave_what_the_producer_asked_for() -> None:
    call = make_call(start_time="2026-11-23T22:00:00+05:30")

    moved = call.within(DAYTIME, SENT_AT)

    assert moved.start_time_to_send(soonest_start_time(SENT_AT)) == "2026-11-24T09:00:00+05:30"
    assert (moved.start_time, moved.content) == (call.start_time, call.content)


def test_api_gets_only_its_four_fields() -> None:
    payload = make_call("order-1", not_after="2026-11-24T00:00:00Z").payload(START_TIME)

    assert msgspec.to_builtins(payload) == {
        "client-identifier": "order-1",
        "start-time": START_TIME,
        "contact-numbers": ["919900000001"],
        "keys": [],
    }


def test_api_gets_flow_variables_as_the_producer_wrote_them() -> None:
    keys = [{"name": "$flow.key.Name", "value": "Zoë"}, {"name": "$flow.key.a b.c", "value": ""}]

    assert make_call(keys=keys).payload(START_TIME).keys == keys


@pytest.mark.parametrize(
    ("fields", "other_fields"),
    [
        ({}, {"keys": []}),
        ({"contact_numbers": ["919900000001"]}, {"contact_numbers": ["+919900000001"]}),
        ({"start_time": "2026-11-23T10:00:00+05:30"}, {"start_time": "20261123T043000.0Z"}),
        ({"not_after": "2026-11-23T10:00:00+05:30"}, {"not_after": "2026-11-23 04:30Z"}),
        (
            {"keys": [{"name": "$flow.key.n", "value": "é"}], "not_after": "2026-11-23T10:00:00Z"},
            {"not_after": "2026-11-23T10:00:00Z", "keys": [{"value": "é", "name": "$flow.key.n"}]},
        ),
    ],
    ids=["no keys", "leading plus", "start-time", "not-after", "order of fields"],
)
def test_content_in_other_spelling_is_equal(fields: dict[str, Any], other_fields: dict[str, Any]) -> None:
    assert make_call("a", **fields).content == make_call("a", **other_fields).content


def test_content_in_other_json_spelling_is_equal() -> None:
    written = written_call("a", keys=[{"name": "$flow.key.n", "value": "é"}])
    message = {"flow-id": "FLOWAAAA", "calls": [written]}
    [tight] = read(make_message(json.dumps(message, separators=(",", ":"))))
    [wide] = read(make_message(json.dumps(message, ensure_ascii=False, indent=4)))

    assert tight.content == wide.content


@pytest.mark.parametrize(
    "other",
    [
        {"contact_numbers": ["919900000002"]},
        {"contact_numbers": ["919900000001", "919900000001"]},
        {"keys": [{"name": "$flow.key.n", "value": ""}]},
        {"start_time": "2026-11-23T10:00:00+05:30"},
        {"not_after": "2026-11-23T10:00:00+05:30"},
    ],
    ids=str,
)
def test_content_with_other_field_differs(other: dict[str, Any]) -> None:
    assert make_call("a", **other).content != make_call("a").content


def test_content_of_start_time_differs_from_content_of_same_not_after() -> None:
    time = "2026-11-23T10:00:00+05:30"

    assert make_call("a", start_time=time).content != make_call("a", not_after=time).content


def test_content_does_not_depend_on_the_default_start_time() -> None:
    body = body_of_calls(written_call())
    [early] = read(make_message(body, sent_at=SENT_AT))
    [late] = read(make_message(body, sent_at=datetime(2026, 11, 24, tzinfo=UTC)))

    assert early.start_time != late.start_time
    assert early.content == late.content
