"""Start times in the API's time zone, around its midnight."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealed_relay.admission.rate_limiter import CLOCKS_DIFFER_SECONDS
from sealed_relay.calls.start_time import MIDNIGHT_MARGIN_SECONDS, is_date_over, service_time, soonest_start_time

MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - as hypothesis wants it
CLOCK_DIFFERENCES = st.floats(-CLOCKS_DIFFER_SECONDS, CLOCKS_DIFFER_SECONDS)


@pytest.mark.parametrize(
    ("now", "soonest"),
    [
        ("2026-11-23T23:59:54.999+05:30", "2026-11-23T23:59:54+05:30"),
        ("2026-11-23T23:59:55+05:30", "2026-11-24T00:00:00+05:30"),
        ("2026-11-23T23:59:59.999+05:30", "2026-11-24T00:00:00+05:30"),
        ("2026-11-24T00:00:00+05:30", "2026-11-24T00:00:00+05:30"),
        ("2026-11-24T00:00:01+05:30", "2026-11-24T00:00:01+05:30"),
        ("2026-12-31T18:29:57Z", "2027-01-01T00:00:00+05:30"),
    ],
)
def test_soonest_start_time_is_now_or_the_midnight_that_is_near(now: str, soonest: str) -> None:
    assert soonest_start_time(datetime.fromisoformat(now)) == soonest


@given(MOMENTS, CLOCK_DIFFERENCES, st.floats(0, MIDNIGHT_MARGIN_SECONDS - CLOCKS_DIFFER_SECONDS))
def test_soonest_start_time_is_of_no_past_date_when_the_api_reads_it(
    now: datetime, clock_ahead_seconds: float, seconds_on_the_way: float
) -> None:
    read_at = now + timedelta(seconds=clock_ahead_seconds + seconds_on_the_way)

    assert soonest_start_time(now)[:10] >= service_time(read_at)[:10]


@given(MOMENTS, MOMENTS, CLOCK_DIFFERENCES)
def test_date_that_is_over_at_the_api_is_over_for_the_relay(
    start: datetime, now: datetime, clock_ahead_seconds: float
) -> None:
    api_date = service_time(now + timedelta(seconds=clock_ahead_seconds))[:10]

    if service_time(start)[:10] < api_date:
        assert is_date_over(service_time(start), now)
