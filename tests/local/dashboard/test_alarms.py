"""An alarm's state as CloudWatch would find it: periods, how many of them, and what missing data means."""

import pytest

from local.dashboard.alarms import Alarm, State, state_of
from local.dashboard.store import MetricId, Point, Store

METRIC = MetricId("SealedRelay", "MessagesWaitingOnAccount", frozenset({("service", "relay")}))
NOW = 6_000.0


def state(*points: Point, missing: str = "notBreaching", periods: int = 1, to_alarm: int = 1, at: float = NOW) -> State:
    store = Store()
    store.add(METRIC, points)
    compare = "GreaterThanOrEqualToThreshold"
    return state_of(Alarm("a", "", METRIC, "Sum", 300, periods, to_alarm, compare, 2.0, missing), store, at)


def test_it_is_the_statistic_of_the_last_period_that_counts() -> None:
    assert state((NOW - 10, 1), (NOW - 20, 1)) is State.ALARM
    assert state((NOW - 10, 1), (NOW - 301, 1)) is State.OK


def test_so_many_of_the_last_periods_must_breach() -> None:
    worst = [(NOW - 10, 9), (NOW - 310, 0), (NOW - 610, 9)]
    assert state(*worst, periods=3, to_alarm=2) is State.ALARM
    assert state(*worst, periods=3, to_alarm=3) is State.OK


@pytest.mark.parametrize(
    ("missing", "expected"),
    [("notBreaching", State.OK), ("breaching", State.ALARM), ("missing", State.INSUFFICIENT_DATA)],
)
def test_without_data_the_treatment_of_missing_data_decides(missing: str, expected: State) -> None:
    assert state((NOW - 5_000, 9), missing=missing) is expected


def test_an_alarm_that_ignores_missing_data_keeps_its_state_until_data_says_otherwise() -> None:
    hours_later = NOW + 10_000
    assert state((NOW, 9), missing="ignore", at=hours_later) is State.ALARM
    assert state((NOW, 9), (NOW + 600, 0), missing="ignore", at=hours_later) is State.OK
    assert state(missing="ignore") is State.INSUFFICIENT_DATA
