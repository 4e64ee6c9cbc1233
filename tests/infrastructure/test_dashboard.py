"""The dashboard shows what the relay emits, by the names of the code table and the metrics module."""

from itertools import combinations
from typing import Any

import pytest

from local.dashboard.body import AlarmWidget, Box, LogWidget, MetricWidget
from local.dashboard.log_query import parse_query, table
from local.dashboard.store import MetricId
from sealed_relay.calls.outcome import Status
from sealed_relay.kairos.codes import CODES, Scope
from sealed_relay.observability.metrics import (
    ANSWERS,
    CALLS,
    FAILED_MESSAGES,
    METRICS,
    NAMESPACE,
    REPLAY_METRICS,
    SERVICE,
    Metric,
)
from tests.infrastructure.dashboards import metric_widget, widgets
from tests.infrastructure.emitted_telemetry import STAGE, emitted_metrics, log_lines
from tests.infrastructure.expansion import deployed_with

WIDGETS = widgets()
METRIC_WIDGETS = [widget for widget in WIDGETS if isinstance(widget, MetricWidget)]
LOG_WIDGETS = [widget for widget in WIDGETS if isinstance(widget, LogWidget)]
NOW = 1_795_478_400.0  # 2026-11-24 00:00:00
FIRST_SCREEN_ROWS = 15  # of 50 pixels
SHOWN = {series.metric for widget in METRIC_WIDGETS for series in widget.series}
RESOURCES = deployed_with(Stage=STAGE)["Resources"]


def ids(metric: Metric) -> set[MetricId]:
    service = (SERVICE, f"sealed-relay-{STAGE}")
    owns = [frozenset({service, (metric.dimension, str(value))}) for value in metric.values] or [frozenset({service})]
    return {MetricId(NAMESPACE, metric.name, dimensions) for dimensions in owns}


def values_shown(title: str) -> list[str]:
    """The values of each series' own dimension. The legend must show the same values."""
    series = metric_widget(title).series
    shown = [next(value for name, value in line.metric.dimensions if name != SERVICE) for line in series]
    assert shown == [line.label for line in series]
    return shown


def test_relay_emits_exactly_the_metrics_of_the_metrics_module() -> None:
    assert emitted_metrics() == set().union(*map(ids, METRICS))


def test_dashboard_shows_only_metrics_that_the_functions_emit() -> None:
    replayed = set().union(*map(ids, REPLAY_METRICS))
    assert {metric for metric in SHOWN if metric.namespace == NAMESPACE} <= emitted_metrics() | replayed
    assert replayed <= SHOWN


def test_each_emitted_metric_is_on_the_dashboard_or_has_an_alarm() -> None:
    alarmed = {a["Properties"].get("MetricName") for a in RESOURCES.values() if a["Type"] == "AWS::CloudWatch::Alarm"}
    assert {metric.name for metric in emitted_metrics() - SHOWN} <= alarmed


def test_dashboard_shows_calls_by_every_status() -> None:
    assert set(values_shown("Calls by outcome, in the time shown")) == set(CALLS.values)


def test_failed_calls_have_a_graph_of_their_own() -> None:
    failed = {status for status in CALLS.values if Status(status).is_failure}
    assert set(values_shown("Calls that failed")) == failed
    assert set(values_shown("Calls delivered")) == set(CALLS.values) - failed


def test_first_screen_says_in_words_how_it_stands() -> None:
    [paused] = [widget for widget in LOG_WIDGETS if widget.title.startswith("Paused")]
    first = {widget.title: widget for widget in WIDGETS if widget.box.y <= paused.box.y and hasattr(widget, "title")}
    assert list(first) == [
        "Delivering now?",
        "Last acceptance",
        "Waiting now: messages",
        "Failure queue now",
        "Alarms, red ones first",
        "Paused: what, why, since when, at the relay's last look",
        "Failed in the last hour, by reason",
    ]
    assert paused.box.y + paused.box.height <= FIRST_SCREEN_ROWS


def table_of(title: str) -> list[list[Any]]:
    """The table as it would show the lines of `log_lines`, all written now."""
    [widget] = [widget for widget in LOG_WIDGETS if widget.title.startswith(title)]
    return table(widget.query, [(NOW, line) for line in log_lines()], NOW)


def test_table_of_failures_counts_every_reason_and_unreadable_messages() -> None:
    counted = {reason: messages for reason, messages, *_ in table_of("Failed in the last hour")}
    assert counted == dict.fromkeys(FAILED_MESSAGES.values, 1)


def test_first_table_tells_whether_the_account_is_delivering() -> None:
    [[account, why, since, _]] = table_of("Delivering now?")
    assert (account, why, since) == ("paused", "INSUFFICIENT_BALANCE", "2026-11-23 04:30:00")


def test_last_acceptance_is_the_last_success_of_a_request() -> None:
    [[accepted_at, flow]] = table_of("Last acceptance")
    assert (accepted_at, flow) == ("2026-11-24 00:00:00", "FLOWAAAA")


@pytest.mark.parametrize(("title", "query"), [("Paused", "PausedQuery"), ("Calls presumed accepted", "PresumedQuery")])
def test_table_uses_the_saved_query_of_its_name(title: str, query: str) -> None:
    [widget] = [widget for widget in LOG_WIDGETS if widget.title.startswith(title)]
    saved = RESOURCES[query]["Properties"]["QueryString"]
    assert widget.query == parse_query(" ".join(line for line in saved.splitlines() if not line.startswith("#")))


def test_table_of_pauses_leaves_out_what_is_resumed() -> None:
    # The lines about the flow end with `resumed`.
    assert [row[:4] for row in table_of("Paused")] == [
        ["account", "paused", "INSUFFICIENT_BALANCE", "2026-11-23 04:30:00"]
    ]


@pytest.mark.parametrize(
    ("title", "scopes"),
    [
        ("Answers about a flow or the account", {Scope.FLOW, Scope.ACCOUNT}),
        ("Answers about single calls", {Scope.CALL}),
    ],
)
def test_dashboard_groups_codes_by_their_scope(title: str, scopes: set[Scope]) -> None:
    assert set(values_shown(title)) == {f"{c.number} {c.name}" for c in CODES.values() if c.scope in scopes}


def test_dashboard_shows_every_code_and_every_missing_answer() -> None:
    shown = {value for m in SHOWN if m.name == ANSWERS.name for name, value in m.dimensions if name == "Code"}
    assert shown == set(ANSWERS.values)


def test_dashboard_shows_failed_messages_by_every_reason() -> None:
    assert set(values_shown("Failed messages by reason")) == set(FAILED_MESSAGES.values)


def test_other_metrics_belong_to_a_queue_or_the_function() -> None:
    others = {(m.namespace, *sorted(m.dimensions)) for m in SHOWN if m.namespace != NAMESPACE}
    assert others == {
        ("AWS/SQS", ("QueueName", "IngressQueue.QueueName")),
        ("AWS/SQS", ("QueueName", "UrgentQueue.QueueName")),
        ("AWS/SQS", ("QueueName", "FailureQueue.QueueName")),
        ("AWS/Lambda", ("FunctionName", "RelayFunction")),
    }


def test_dashboard_shows_every_alarm_in_the_first_screen() -> None:
    alarm_widget = next(widget for widget in WIDGETS if isinstance(widget, AlarmWidget))
    deployed = {name for name, resource in RESOURCES.items() if resource["Type"] == "AWS::CloudWatch::Alarm"}
    # The local AWS does not make this alarm, so the dashboard refers to it by name.
    by_name = {"RedrivenAlarm": "AWS::StackName-redriven"}
    assert set(alarm_widget.alarm_names) == {by_name.get(name, name) for name in deployed}
    assert alarm_widget.box.y + alarm_widget.box.height <= FIRST_SCREEN_ROWS


def test_dashboard_name_differs_in_each_region_of_the_account() -> None:
    name = RESOURCES["Dashboard"]["Properties"]["DashboardName"]
    assert name == {"Fn::Sub": "${AWS::StackName}-${AWS::Region}"}


def test_dashboard_lines_are_at_the_limits_and_alarm_thresholds() -> None:
    timeout_ms = RESOURCES["RelayFunction"]["Properties"]["Timeout"] * 1000
    alarm_ms = RESOURCES["FunctionDurationAlarm"]["Properties"]["Threshold"]
    duration = metric_widget("Duration")
    assert {line.label: line.value for line in duration.thresholds} == {"timeout": timeout_ms, "alarm": alarm_ms}
    for title, parameter in {
        "Age of the oldest message": "OldestMessageAlarmSeconds",
        "Failure queue: messages": "FailureQueueAlarmMessages",
        "Invocations at the same time": "MaximumConcurrency",
        "Seconds from sent to accepted": "UrgentAlarmSeconds",
    }.items():
        [line] = metric_widget(title, **{parameter: "77"}).thresholds
        assert line.value == 77


def test_widgets_are_on_the_grid_and_do_not_overlap() -> None:
    def overlap(a: Box, b: Box) -> bool:
        return a.x < b.x + b.width and b.x < a.x + a.width and a.y < b.y + b.height and b.y < a.y + a.height

    boxes = [widget.box for widget in WIDGETS]
    assert all(box.x >= 0 and box.x + box.width <= 24 for box in boxes)
    assert not [pair for pair in combinations(boxes, 2) if overlap(*pair)]


def test_graph_has_a_unit_and_a_title_of_its_own() -> None:
    assert all(widget.unit for widget in METRIC_WIDGETS if widget.view == "timeSeries")
    assert len({widget.title for widget in METRIC_WIDGETS}) == len(METRIC_WIDGETS)
