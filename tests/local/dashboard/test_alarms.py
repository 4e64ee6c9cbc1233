"""An alarm's state as CloudWatch finds it: its periods, how many of them must breach, and missing data."""

from local.dashboard.alarms import Alarm, State, state_of
from local.dashboard.store import MetricId, Point, Store

METRIC = MetricId("SealedRelay", "MessagesWaitingOnAccount", frozenset({("service", "relay")}))
NOW = 6_000.0


def state(*points: Point, periods: int = 1, to_alarm: int = 1) -> State:
    store = Store()
    store.add(METRIC, points)
    compare = "GreaterThanOrEqualToThreshold"
    return state_of(Alarm("a", "", METRIC, "Sum", 300, periods, to_alarm, compare, 2.0), store, NOW)


def test_alarm_compares_the_statistic_of_the_last_period() -> None:
    assert state((NOW - 10, 1), (NOW - 20, 1)) is State.ALARM
    assert state((NOW - 10, 1), (NOW - 301, 1)) is State.OK


def test_alarm_with_several_periods_needs_enough_of_them_to_breach() -> None:
    worst = [(NOW - 10, 9), (NOW - 310, 0), (NOW - 610, 9)]
    assert state(*worst, periods=3, to_alarm=2) is State.ALARM
    assert state(*worst, periods=3, to_alarm=3) is State.OK


def test_period_without_data_does_not_breach() -> None:
    assert state((NOW - 5_000, 9)) is State.OK
    assert state((NOW - 10, 9), (NOW - 5_000, 9), periods=2, to_alarm=2) is State.OK
