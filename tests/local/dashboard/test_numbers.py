"""From log lines to statistics."""

import json

import pytest

from local.dashboard.emf import duration_milliseconds_in, points_in
from local.dashboard.store import MetricId, Store, statistic_of

CALLS = MetricId("SealedRelay", "Calls", frozenset({("service", "relay"), ("Status", "ACCEPTED")}))


def emf(value: object) -> str:
    block = {"Namespace": "SealedRelay", "Dimensions": [["service", "Status"]], "Metrics": [{"Name": "Calls"}]}
    envelope = {"Timestamp": 60_500, "CloudWatchMetrics": [block]}
    return json.dumps({"_aws": envelope, "service": "relay", "Status": "ACCEPTED", "Calls": value})


@pytest.mark.parametrize(("value", "points"), [(3, [(60.5, 3.0)]), ([1.0, 2.0], [(60.5, 1.0), (60.5, 2.0)])])
def test_metrics_line_gives_its_values_at_its_time(value: object, points: list[tuple[float, float]]) -> None:
    assert list(points_in(emf(value))) == [(CALLS, points)]


@pytest.mark.parametrize("line", ["START RequestId: x", '{"message": "request sent"}', "{half a line", ""])
def test_other_lines_give_no_points(line: str) -> None:
    assert list(points_in(line)) == []


def test_report_line_gives_the_duration() -> None:
    assert duration_milliseconds_in("REPORT RequestId: abc-1\tDuration: 90.5 ms\tBilled Duration: 91 ms") == 90.5
    assert duration_milliseconds_in("END RequestId: abc-1") is None


def test_statistic_covers_one_period_of_one_metric() -> None:
    store = Store()
    store.add(CALLS, [(59.9, 1), (60, 2), (119.9, 4), (120, 8)])
    assert store.statistic(CALLS, "Sum", 60, 60) == 6
    assert store.statistic(CALLS, "Sum", 180, 60) is None
    assert store.statistic(MetricId("SealedRelay", "Calls", frozenset()), "Sum", 60, 60) is None


@pytest.mark.parametrize(
    ("stat", "value"),
    [("Sum", 10), ("Average", 2.5), ("Minimum", 1), ("Maximum", 4), ("SampleCount", 4), ("p50", 2), ("p99", 4)],
)
def test_statistics_are_those_of_cloudwatch(stat: str, value: float) -> None:
    assert statistic_of([4, 1, 3, 2], stat) == value


def test_unknown_statistic_is_refused() -> None:
    with pytest.raises(ValueError, match="TM99"):
        statistic_of([1], "TM99")
