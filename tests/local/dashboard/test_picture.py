"""What the page is given to draw."""

from collections.abc import Sequence
from typing import Any

from local.dashboard.alarms import Alarm
from local.dashboard.body import AlarmWidget, Box, LogWidget, MetricWidget, Series, TextWidget, Threshold, Widget
from local.dashboard.log_query import LogLine, parse_query
from local.dashboard.picture import draw
from local.dashboard.store import MetricId, Store

BOX = Box(8, 2, 8, 6)
SENT = MetricId("SealedRelay", "RequestsSent", frozenset({("service", "relay")}))
ABSENT = MetricId("AWS/Lambda", "Errors", frozenset({("FunctionName", "relay")}))
NOW = 6_030.0


def drawn(widget: Widget, *alarms: Alarm, lines: Sequence[LogLine] = ()) -> dict[str, Any]:
    store = Store()
    store.add(SENT, [(5_880, 1), (5_881, 2), (6_020, 4)])
    by_name = {alarm.name: alarm for alarm in alarms}
    picture = draw([widget], by_name, store, lambda metric: metric != ABSENT, lines=lines, now=NOW, minutes=4)
    [only] = picture["widgets"]
    assert (only["x"], only["y"], only["width"], only["height"]) == (8, 2, 8, 6)
    return dict(only)


def graph(*metrics: MetricId, view: str = "timeSeries", covers_time_shown: bool = False) -> MetricWidget:
    series = tuple(Series(metric, "Sum", metric.name, "") for metric in metrics)
    line = Threshold("alarm", 10.0, "#d62728")
    return MetricWidget(BOX, "Requests", view, is_stacked=False, period_seconds=60, unit="requests",
                        series=series, thresholds=(line,), covers_time_shown=covers_time_shown)  # fmt: skip


def alarm(name: str, metric: MetricId) -> Alarm:
    return Alarm(name, "It is bad.", metric, "Sum", 60, 1, 1, "GreaterThanOrEqualToThreshold", 3.0)


def test_graph_has_a_point_for_each_period_or_none_without_data() -> None:
    widget = drawn(graph(SENT))
    assert (widget["title"], widget["unit"], widget["type"]) == ("Requests", "requests", "timeSeries")
    assert widget["series"][0]["points"] == [
        (5_820_000, None),
        (5_880_000, 3),
        (5_940_000, None),
        (6_000_000, 4),
    ]
    assert widget["thresholds"] == [{"label": "alarm", "value": 10.0, "color": "#d62728"}]


def test_metric_that_is_not_available_is_named_and_not_drawn() -> None:
    had, absent = drawn(graph(SENT, ABSENT))["series"]
    assert "missing" not in had
    assert absent["missing"] == "Errors"
    assert "points" not in absent


def test_series_have_different_colours() -> None:
    had, absent = drawn(graph(SENT, ABSENT))["series"]
    assert had["color"] != absent["color"]


def test_single_value_is_of_the_latest_period_or_of_the_whole_time_shown() -> None:
    [latest] = drawn(graph(SENT, view="singleValue"))["series"]
    [whole] = drawn(graph(SENT, view="singleValue", covers_time_shown=True))["series"]
    assert (latest["value"], whole["value"]) == (4, 7)


def test_sum_is_a_count_and_drawn_as_bars() -> None:
    [series] = drawn(graph(SENT))["series"]
    assert series["is_count"] is True


def test_red_alarms_come_first_without_the_name_of_the_stack() -> None:
    names = ("sealed-relay-local-quiet", "sealed-relay-local-loud")
    quiet = alarm(names[0], MetricId("SealedRelay", "None", frozenset()))
    tiles = drawn(AlarmWidget(BOX, "Alarms", names), quiet, alarm(names[1], SENT))["alarms"]
    assert [(tile["name"], tile["state"]) for tile in tiles] == [("loud", "ALARM"), ("quiet", "OK")]


def test_alarm_has_a_state_or_the_reason_for_none() -> None:
    widget = drawn(
        AlarmWidget(BOX, "Alarms", ("here", "blind", "elsewhere")), alarm("here", SENT), alarm("blind", ABSENT)
    )
    assert [(tile["name"], tile["state"]) for tile in widget["alarms"]] == [
        ("here", "ALARM"),
        ("blind", "not evaluated locally"),
        ("elsewhere", "not on the local AWS"),
    ]
    assert widget["alarms"][0]["description"] == "It is bad."


def test_table_holds_only_lines_of_the_last_three_hours() -> None:
    query = parse_query("stats latest(reason) as why by paused")
    lines = [
        (NOW - 10_801, {"paused": "FLOWAAAA", "reason": "old"}),
        (NOW, {"paused": "account", "reason": "NOT_SENT"}),
    ]
    widget = drawn(LogWidget(BOX, "Paused", query), lines=lines)
    assert (widget["type"], widget["title"], widget["columns"]) == ("log", "Paused", ("paused", "why"))
    assert widget["rows"] == [["account", "NOT_SENT"]]


def test_text_is_markdown_and_its_html_is_escaped() -> None:
    assert drawn(TextWidget(BOX, "## Is it <b>well</b>?"))["html"] == "<h2>Is it &lt;b&gt;well&lt;/b&gt;?</h2>\n"
