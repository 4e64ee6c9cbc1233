"""How long a message stays out of sight."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealed_relay.delivery.backoff import min_deferral_seconds, retry_in_seconds


@pytest.mark.parametrize(
    ("receive_count", "max_jitter_seconds"), [(1, 2), (2, 4), (5, 32), (9, 512), (10, 600), (11, 600), (10**6, 600)]
)
def test_jitter_doubles_with_each_receive_up_to_ten_minutes(receive_count: int, max_jitter_seconds: float) -> None:
    assert (
        retry_in_seconds(receive_count, lambda: 1.0) - retry_in_seconds(receive_count, lambda: 0.0)
        == max_jitter_seconds
    )


@pytest.mark.parametrize(
    ("receive_count", "seconds"), [(1, 2), (22, 44), (23, 45), (150, 45), (151, 302), (225, 450), (10**6, 450)]
)
def test_shortest_deferral_stays_below_a_minute_for_150_receives(receive_count: int, seconds: float) -> None:
    assert min_deferral_seconds(receive_count) == seconds


@given(st.integers(1, 1000), st.floats(0, 1), st.floats(0, 3600))
def test_backoff_is_at_least_what_is_asked_for_and_the_shortest_deferral(
    receive_count: int, drawn: float, at_least_seconds: float
) -> None:
    seconds = retry_in_seconds(receive_count, lambda: drawn, at_least_seconds)

    shortest = max(min_deferral_seconds(receive_count), at_least_seconds)
    assert shortest <= seconds <= shortest + 600.0


def test_messages_that_failed_together_come_back_at_different_times() -> None:
    draws = iter([0.0, 0.5, 1.0])

    assert [retry_in_seconds(4, lambda: next(draws), 60.0) for _ in range(3)] == [60.0, 68.0, 76.0]
