import json

import pytest

from local.dashboard.body import AlarmWidget, Box, LogWidget, MetricWidget, TextWidget, parse_body
from local.dashboard.log_query import parse_query
from local.dashboard.store import MetricId


def widget(kind: str, **properties: object) -> str:
    place = {"x": 1, "y": 2, "width": 3, "height": 4}
    return json.dumps({"widgets": [{"type": kind, **place, "properties": properties}]})


def metrics(*lines: list[object]) -> list[MetricId]:
    [parsed] = parse_body(widget("metric", title="t", view="timeSeries", stat="Sum", period=60, metrics=list(lines)))
    assert isinstance(parsed, MetricWidget)
    return [series.metric for series in parsed.series]


def test_text_and_alarm_widgets_are_read_with_their_place() -> None:
    box = Box(1, 2, 3, 4)
    assert parse_body(widget("text", markdown="# Title")) == [TextWidget(box, "# Title")]
    arns = ["arn:aws:cloudwatch:ap-south-1:123456789012:alarm:stack-account"]
    assert parse_body(widget("alarm", title="Alarms", alarms=arns)) == [AlarmWidget(box, "Alarms", ("stack-account",))]


def test_log_widget_is_read_with_its_query() -> None:
    text = "SOURCE '/log' | filter ispresent(paused) | stats latest(reason) as why by paused | sort why desc"
    assert parse_body(widget("log", title="Paused", query=text)) == [
        LogWidget(Box(1, 2, 3, 4), "Paused", parse_query(text))
    ]


def test_shorthand_repeats_the_parts_of_the_line_above() -> None:
    label: object = {"label": "x"}
    assert metrics(
        ["Space", "Calls", "service", "relay", "Status", "ACCEPTED", label],
        ["...", "REJECTED", label],
        ["...", label],
        [".", "Sent", ".", ".", label],
    ) == [
        MetricId("Space", "Calls", frozenset({("service", "relay"), ("Status", "ACCEPTED")})),
        MetricId("Space", "Calls", frozenset({("service", "relay"), ("Status", "REJECTED")})),
        MetricId("Space", "Calls", frozenset({("service", "relay"), ("Status", "REJECTED")})),
        MetricId("Space", "Sent", frozenset({("service", "relay")})),
    ]


def test_series_has_its_own_statistic_or_the_widgets() -> None:
    lines = [["S", "M", {"label": "all"}], ["...", {"label": "worst", "stat": "Maximum", "color": "#d62728"}]]
    [parsed] = parse_body(widget("metric", title="t", view="timeSeries", stat="p50", period=60, metrics=lines))
    assert isinstance(parsed, MetricWidget)
    assert [(series.stat, series.color) for series in parsed.series] == [("p50", ""), ("Maximum", "#d62728")]


def test_widget_of_unknown_type_is_refused() -> None:
    with pytest.raises(ValueError, match="explorer"):
        parse_body(widget("explorer"))
