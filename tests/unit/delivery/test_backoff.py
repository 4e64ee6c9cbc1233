"""How long a message stays out of sight."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealed_relay.delivery.backoff import retry_in_seconds, shortest_seconds


@pytest.mark.parametrize(
    ("receive_count", "longest"), [(1, 2), (2, 4), (5, 32), (9, 512), (10, 600), (11, 600), (10**6, 600)]
)
def test_its_jitter_grows_twofold_up_to_ten_minutes(receive_count: int, longest: float) -> None:
    assert retry_in_seconds(receive_count, lambda: 1.0) - retry_in_seconds(receive_count, lambda: 0.0) == longest


@given(st.integers(1, 1000), st.floats(0, 1), st.floats(0, 3600))
def test_it_is_never_shorter_than_asked_for_nor_than_what_bounds_the_receives(
    receive_count: int, drawn: float, at_least_seconds: float
) -> None:
    seconds = retry_in_seconds(receive_count, lambda: drawn, at_least_seconds)

    shortest = max(shortest_seconds(receive_count), at_least_seconds)
    assert shortest <= seconds <= shortest + 600.0


def test_messages_that_failed_together_do_not_come_back_together() -> None:
    draws = iter([0.0, 0.5, 1.0])

    assert [retry_in_seconds(4, lambda: next(draws), 60.0) for _ in range(3)] == [60.0, 68.0, 76.0]
