"""The dashboard shows what the relay emits, by the names of the code table and the metrics module."""

from itertools import combinations

import pytest

from local.dashboard.body import AlarmWidget, Box, LogWidget, MetricWidget
from local.dashboard.log_query import parse_query
from local.dashboard.store import MetricId
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
    assert set(values_shown("Calls by outcome, per minute")) == set(CALLS.values)
    assert values_shown("Calls by outcome, in the time shown") == values_shown("Calls by outcome, per minute")


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
        ("AWS/SQS", ("QueueName", "FailureQueue.QueueName")),
        ("AWS/Lambda", ("FunctionName", "RelayFunction")),
    }


def test_dashboard_shows_every_alarm_at_the_top() -> None:
    alarm_widget = next(widget for widget in WIDGETS if isinstance(widget, AlarmWidget))
    deployed = {name for name, resource in RESOURCES.items() if resource["Type"] == "AWS::CloudWatch::Alarm"}
    # The local AWS does not make this alarm, so the dashboard refers to it by name.
    by_name = {"RedrivenAlarm": "AWS::StackName-redriven"}
    assert set(alarm_widget.alarm_names) == {by_name.get(name, name) for name in deployed}
    assert alarm_widget.box.y < min(widget.box.y for widget in METRIC_WIDGETS)


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
        "Failure queue": "FailureQueueAlarmMessages",
        "Invocations at the same time": "MaximumConcurrency",
    }.items():
        [line] = metric_widget(title, **{parameter: "77"}).thresholds
        assert line.value == 77


def test_table_of_pauses_uses_the_saved_query() -> None:
    [widget] = [widget for widget in WIDGETS if isinstance(widget, LogWidget)]
    saved = RESOURCES["PausedQuery"]["Properties"]["QueryString"]
    lines = [line for line in saved.splitlines() if not line.startswith("#")]
    assert widget.query == parse_query(" ".join(["SOURCE 'log' |", *lines]))


def test_table_of_pauses_shows_only_lines_about_pauses() -> None:
    lines = [line for line in log_lines() if "paused" in line]
    assert {line["message"] for line in lines} == {"paused", "messages deferred", "resumed"}
    assert {line["paused"] for line in lines} == {"account", "FLOWAAAA"}
    assert {line["since"] for line in lines if "since" in line} == {"2026-11-23T04:30:00+00:00"}
    assert all(line["reason"] for line in lines)


def test_widgets_are_on_the_grid_and_do_not_overlap() -> None:
    def overlap(a: Box, b: Box) -> bool:
        return a.x < b.x + b.width and b.x < a.x + a.width and a.y < b.y + b.height and b.y < a.y + a.height

    boxes = [widget.box for widget in WIDGETS]
    assert all(box.x >= 0 and box.x + box.width <= 24 for box in boxes)
    assert not [pair for pair in combinations(boxes, 2) if overlap(*pair)]


def test_graph_has_a_unit_and_a_title_of_its_own() -> None:
    assert all(widget.unit for widget in METRIC_WIDGETS if widget.view == "timeSeries")
    assert len({widget.title for widget in METRIC_WIDGETS}) == len(METRIC_WIDGETS)
