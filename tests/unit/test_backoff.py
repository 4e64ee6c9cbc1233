"""How long a message stays out of sight."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealed_relay.backoff import retry_in_seconds


@pytest.mark.parametrize(
    ("receive_count", "longest"), [(1, 3), (2, 5), (5, 33), (9, 513), (10, 901), (11, 901), (10**6, 901)]
)
def test_it_grows_twofold_up_to_a_quarter_of_an_hour(receive_count: int, longest: float) -> None:
    assert retry_in_seconds(receive_count, lambda: 1.0) == longest


@given(st.integers(1, 1000), st.floats(0, 1), st.floats(0, 3600))
def test_it_is_never_shorter_than_asked_for_nor_than_a_second(
    receive_count: int, drawn: float, at_least_seconds: float
) -> None:
    seconds = retry_in_seconds(receive_count, lambda: drawn, at_least_seconds)

    assert max(1.0, at_least_seconds) <= seconds <= max(1.0, at_least_seconds) + 900.0


def test_messages_that_failed_together_do_not_come_back_together() -> None:
    draws = iter([0.0, 0.5, 1.0])

    assert [retry_in_seconds(4, lambda: next(draws), 60.0) for _ in range(3)] == [60.0, 68.0, 76.0]
