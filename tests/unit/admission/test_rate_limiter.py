"""The rate limit: it holds in any minute, and permits do not stay unused."""

from hypothesis import given
from hypothesis import strategies as st

from sealed_relay.admission.rate_limiter import (
    USE_WITHIN_SECONDS,
    RateWindow,
    window_attributes,
    window_of,
)
from sealed_relay.ports import Value

VALUES = st.booleans() | st.integers() | st.text() | st.binary()
NOW_MS = 1_795_408_200_000
MINUTE_MS = 60_000
STEPS = st.lists(st.tuples(st.integers(0, 20_000), st.integers(1, 12)), min_size=1, max_size=60)


def taking(window: RateWindow, wanted: int, now_ms: int, per_minute: int) -> tuple[RateWindow, int]:
    taken = max(0, min(wanted, per_minute - window.taken(now_ms)))
    return (window.take(taken, now_ms) if taken else window), taken


@given(STEPS, st.integers(1, 10), st.lists(st.integers(0, int(USE_WITHIN_SECONDS * 1000)), min_size=60, max_size=60))
def test_no_minute_has_more_requests_than_the_limit_if_each_leaves_late(
    steps: list[tuple[int, int]], per_minute: int, late_ms: list[int]
) -> None:
    window, now_ms = RateWindow(), NOW_MS
    left_at: list[int] = []
    for (passed_ms, wanted), late in zip(steps, late_ms, strict=False):
        now_ms += passed_ms
        window, taken = taking(window, wanted, now_ms, per_minute)
        left_at += [now_ms + late] * taken

    for start in left_at:
        assert sum(start <= at < start + MINUTE_MS for at in left_at) <= per_minute


@given(STEPS, st.integers(1, 10))
def test_lagging_clock_takes_no_permit_twice(steps: list[tuple[int, int]], per_minute: int) -> None:
    window, total = RateWindow(), 0
    for lag_ms, wanted in steps:
        window, taken = taking(window, wanted, NOW_MS - lag_ms % 500, per_minute)
        total += taken

    assert total <= per_minute
    assert window.taken(NOW_MS) == total


def test_burst_takes_the_whole_limit_and_the_next_burst_63_seconds_later() -> None:
    window = RateWindow().take(500, NOW_MS)

    assert window.taken(NOW_MS) == 500
    assert window.taken(NOW_MS + 63_000) == 500
    assert window.taken(NOW_MS + 63_250) == 0


def test_next_free_permit_is_free_when_it_is_said_to_be() -> None:
    window = RateWindow().take(5, NOW_MS).take(5, NOW_MS + 10_000)

    next_free_ms = window.next_free_ms(NOW_MS + 20_000, 5)  # the limit was lowered: the later five must leave too

    assert window.taken(next_free_ms) < 5
    assert window.taken(next_free_ms - 1) >= 5


def test_each_request_ahead_of_another_needs_a_permit_of_its_own() -> None:
    window = RateWindow().take(2, NOW_MS).take(1, NOW_MS + 10_000)

    free_ms = [window.next_free_ms(NOW_MS + 20_000, 4, ahead) - NOW_MS for ahead in range(6)]

    # One permit is free now, and two, then one become free. The next two come a round later.
    assert free_ms == [20_000, 63_250, 63_250, 73_250, 20_000 + 63_250, 2 * 63_250]


def test_next_permit_is_free_now_if_the_limit_is_not_used_up() -> None:
    assert RateWindow().take(1, NOW_MS).next_free_ms(NOW_MS, 2) == NOW_MS


def test_steady_stream_gets_all_but_6_percent_of_the_limit() -> None:
    window, taken = RateWindow(), 0
    for second in range(600):
        window, more = taking(window, 50, NOW_MS + second * 1000, 500)
        taken += more

    assert taken >= 500 * 10 * 0.94


@given(STEPS)
def test_window_comes_back_from_its_item_of_one_write_unit(steps: list[tuple[int, int]]) -> None:
    window, now_ms = RateWindow(), NOW_MS
    for passed_ms, count in steps:
        now_ms += passed_ms
        window = window.take(count, now_ms)

    attributes = window_attributes(window)

    assert window_of(attributes) == window
    assert isinstance(attributes["counts"], bytes)
    assert len(attributes["counts"]) < 600


def test_missing_item_is_an_empty_window() -> None:
    assert window_of({}) == RateWindow()


@given(st.dictionaries(st.sampled_from(["first_tick", "counts"]), VALUES))
def test_item_that_a_person_wrote_wrongly_is_an_empty_window(item: dict[str, Value]) -> None:
    window = window_of(item)

    assert window.taken(NOW_MS) == 0 or window.next_free_ms(NOW_MS, 1) <= NOW_MS + 10 * MINUTE_MS


def test_late_burst_and_a_clock_two_seconds_ahead_are_a_minute_apart() -> None:
    window = RateWindow().take(20, NOW_MS)
    left_ms = NOW_MS + int(USE_WITHIN_SECONDS * 1000)

    free_ms = next(now_ms for now_ms in range(NOW_MS, NOW_MS + 2 * MINUTE_MS) if window.taken(now_ms + 2000) < 20)

    assert free_ms - left_ms >= MINUTE_MS
