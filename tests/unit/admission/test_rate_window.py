"""The rate limit: held in any minute, whoever takes the turns and whenever, and no turn wasted."""

from hypothesis import given
from hypothesis import strategies as st

from sealed_relay.admission.rate_window import USE_WITHIN_SECONDS, Pace, pace_attributes, pace_of

NOW_MS = 1_795_408_200_000
MINUTE_MS = 60_000
STEPS = st.lists(st.tuples(st.integers(0, 20_000), st.integers(1, 12)), min_size=1, max_size=60)


def taking(pace: Pace, wanted: int, now_ms: int, per_minute: int) -> tuple[Pace, int]:
    taken = max(0, min(wanted, per_minute - pace.used(now_ms)))
    return (pace.take(taken, now_ms) if taken else pace), taken


@given(STEPS, st.integers(1, 10), st.lists(st.integers(0, int(USE_WITHIN_SECONDS * 1000)), min_size=60, max_size=60))
def test_no_minute_sees_more_requests_than_the_limit_even_if_each_leaves_as_late_as_it_may(
    steps: list[tuple[int, int]], per_minute: int, late_ms: list[int]
) -> None:
    pace, now_ms = Pace(), NOW_MS
    left_at: list[int] = []
    for (passed_ms, wanted), late in zip(steps, late_ms, strict=False):
        now_ms += passed_ms
        pace, taken = taking(pace, wanted, now_ms, per_minute)
        left_at += [now_ms + late] * taken

    for start in left_at:
        assert sum(start <= at < start + MINUTE_MS for at in left_at) <= per_minute


@given(STEPS, st.integers(1, 10))
def test_a_lagging_clock_takes_no_turn_twice(steps: list[tuple[int, int]], per_minute: int) -> None:
    pace, total = Pace(), 0
    for lag_ms, wanted in steps:
        pace, taken = taking(pace, wanted, NOW_MS - lag_ms % 500, per_minute)
        total += taken

    assert total <= per_minute
    assert pace.used(NOW_MS) == total


def test_a_burst_may_use_the_whole_minute_at_once_and_the_next_one_62_seconds_later() -> None:
    pace = Pace().take(500, NOW_MS)

    assert pace.used(NOW_MS) == 500
    assert pace.used(NOW_MS + 61_000) == 500
    assert pace.used(NOW_MS + 62_250) == 0


def test_a_steady_stream_gets_all_but_3_in_100_of_the_limit() -> None:
    pace, taken = Pace(), 0
    for second in range(600):
        pace, more = taking(pace, 50, NOW_MS + second * 1000, 500)
        taken += more

    assert taken >= 500 * 10 * 0.96


def test_each_request_that_is_put_off_gets_a_time_of_its_own_a_little_faster_than_turns_come() -> None:
    full = Pace().take(60, NOW_MS)

    once, first = full.put_off(3, NOW_MS + 1000, 60)
    _, more = once.put_off(2, NOW_MS + 2000, 60)

    assert [time_ms - first[0] for time_ms in [*first, *more]] == [0, 1000, 2000, 3000, 4000]
    assert NOW_MS + 60_000 <= first[0] <= NOW_MS + 62_250


def test_a_backlog_of_more_than_a_quarter_of_an_hour_stands_behind_its_first_half_however_it_comes() -> None:
    full = Pace().take(60, NOW_MS)

    booked_up, times_ms = full.put_off(900, NOW_MS, 60)
    _, more_ms = booked_up.put_off(900, NOW_MS, 60)

    assert times_ms[-1] < times_ms[0] + 900_000
    assert min(times_ms[880:] + more_ms) >= times_ms[0] + 450_000
    assert max(more_ms) < times_ms[0] + 900_000


def test_with_room_left_a_request_is_put_off_to_right_now() -> None:
    _, times_ms = Pace().take(1, NOW_MS).put_off(1, NOW_MS, 2)

    assert times_ms == [NOW_MS]


def test_the_first_time_promised_is_when_enough_turns_have_left_the_log() -> None:
    pace = Pace().take(5, NOW_MS).take(5, NOW_MS + 10_000)

    _, [first_ms] = pace.put_off(1, NOW_MS + 20_000, 5)  # the limit was lowered meanwhile: the later five must go too

    assert pace.used(first_ms) < 5
    assert pace.used(first_ms - 1) >= 5


def test_turns_are_kept_for_those_they_were_promised_to_while_these_come() -> None:
    pace, times_ms = Pace().take(60, NOW_MS).put_off(300, NOW_MS, 60)

    too_early = 0
    for time_ms in times_ms[:200]:
        assert pace.spare(time_ms + 2000, 60) == 0
        pace, taken = taking(pace, 1, time_ms + 2000, 60)
        too_early += not taken
    assert too_early <= 200 / 25


def test_promised_turns_that_nobody_comes_for_are_spare_40_seconds_later() -> None:
    pace, times_ms = Pace().take(60, NOW_MS).put_off(300, NOW_MS, 60)

    assert pace.spare(times_ms[0] + 40_000, 60) == 0
    assert pace.spare(times_ms[10] + 40_500, 60) == 11
    assert pace.take(11, times_ms[10] + 40_500).spare(times_ms[10] + 40_600, 60) == 0
    assert pace.spare(times_ms[100], 60) == 60 - 38


def test_whoever_comes_while_nobody_takes_what_is_promised_is_promised_the_next_turns() -> None:
    pace, times_ms = Pace().take(60, NOW_MS).put_off(300, NOW_MS, 60)
    now_ms = times_ms[30]

    _, [next_ms] = pace.put_off(1, now_ms, 60)
    _, [behind_ms] = pace.take(30, now_ms).put_off(1, now_ms, 60)

    assert next_ms == now_ms
    assert behind_ms > times_ms[-1]


@given(st.lists(st.integers(0, 300), min_size=1, max_size=20), st.floats(0, 1))
def test_those_who_come_for_their_turns_after_others_had_them_get_the_next(new: list[int], share: float) -> None:
    """However many newcomers there are: when nobody came for a while, then a share, and then all."""
    pace, times_ms = Pace().take(60, NOW_MS).put_off(800, NOW_MS, 60)
    refused: list[int] = []
    for index, time_ms in enumerate(times_ms):
        if index < 300 and index % 100 >= share * 100:
            continue
        comers = min(pace.spare(time_ms + 1000, 60), new[index % len(new)])
        pace = pace.take(comers, time_ms + 1000) if comers else pace
        pace, taken = taking(pace, 1, time_ms + 1500, 60)
        if not taken:
            refused.append(index)
            pace, _ = pace.put_off(1, time_ms + 1500, 60)

    assert sum(300 <= index < 420 for index in refused) <= 60
    assert sum(index >= 420 for index in refused) <= 380 / 25


def test_a_line_that_is_over_keeps_nothing_from_anybody() -> None:
    pace, times_ms = Pace().take(60, NOW_MS).put_off(3, NOW_MS, 60)

    assert pace.spare(times_ms[0] + 3100, 60) == 60


@given(STEPS)
def test_a_pace_comes_back_from_its_item_which_takes_one_write_unit(steps: list[tuple[int, int]]) -> None:
    pace, now_ms = Pace(), NOW_MS
    for passed_ms, count in steps:
        now_ms += passed_ms
        pace = pace.take(count, now_ms)

    attributes = pace_attributes(pace)

    assert pace_of(attributes) == pace
    assert isinstance(attributes["turns"], bytes)
    assert len(attributes["turns"]) < 600


def test_an_item_that_is_not_there_is_an_empty_log() -> None:
    assert pace_of({}) == Pace()
