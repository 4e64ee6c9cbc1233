"""Reads a DashboardBody of CloudWatch, as far as the template uses it. Pure.

Source: "Dashboard body structure and syntax" in the CloudWatch API reference.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local.dashboard.log_query import LogQuery, parse_query
from local.dashboard.store import MetricId


@dataclass(frozen=True, slots=True)
class Box:
    """The place of a widget on the grid of 24 columns, and its size, in columns and rows."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Series:
    """One metric of a widget. If `color` is empty, CloudWatch chooses."""

    metric: MetricId
    stat: str
    label: str
    color: str


@dataclass(frozen=True, slots=True)
class Threshold:
    """A horizontal line with a name."""

    label: str
    value: float
    color: str


@dataclass(frozen=True, slots=True)
class TextWidget:
    """Markdown."""

    box: Box
    markdown: str


@dataclass(frozen=True, slots=True)
class AlarmWidget:
    """The states of these alarms."""

    box: Box
    title: str
    alarm_names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MetricWidget:
    """A graph (`timeSeries`), or one number for each series (`singleValue`).

    The number is of the latest period with data, or of the whole time shown if `covers_time_shown`.
    """

    box: Box
    title: str
    view: str
    is_stacked: bool
    period_seconds: int
    unit: str
    series: tuple[Series, ...]
    thresholds: tuple[Threshold, ...]
    covers_time_shown: bool = False


@dataclass(frozen=True, slots=True)
class LogWidget:
    """A table of the lines that a query finds in the log."""

    box: Box
    title: str
    query: LogQuery


Widget = TextWidget | AlarmWidget | MetricWidget | LogWidget


def parse_body(body: str) -> list[Widget]:
    """Read a DashboardBody. Raises KeyError or ValueError for what the template's dashboard does not use."""
    return [_widget(widget) for widget in json.loads(body)["widgets"]]


def _widget(widget: Mapping[str, Any]) -> Widget:
    box = Box(widget["x"], widget["y"], widget["width"], widget["height"])
    properties = widget["properties"]
    match widget["type"]:
        case "text":
            return TextWidget(box, properties["markdown"])
        case "alarm":
            names = tuple(arn.split(":alarm:")[1] for arn in properties["alarms"])
            return AlarmWidget(box, properties["title"], names)
        case "log":
            return LogWidget(box, properties["title"], parse_query(properties["query"]))
        case "metric":
            return MetricWidget(
                box,
                properties["title"],
                properties["view"],
                properties.get("stacked", False),
                properties["period"],
                properties.get("yAxis", {}).get("left", {}).get("label", ""),
                tuple(_series(properties["metrics"], properties["stat"])),
                tuple(
                    Threshold(line["label"], line["value"], line["color"])
                    for line in properties.get("annotations", {}).get("horizontal", [])
                ),
                properties.get("setPeriodToTimeRange", False),
            )
    raise ValueError(f"a widget of type {widget['type']}")


def _series(metrics: Sequence[Sequence[Any]], stat: str) -> list[Series]:
    series: list[Series] = []
    above: list[str] = []
    for metric in metrics:
        options: Mapping[str, Any] = metric[-1] if isinstance(metric[-1], dict) else {}
        above = _written_out([part for part in metric if isinstance(part, str)], above)
        namespace, name, *dimensions = above
        metric_id = MetricId(namespace, name, frozenset(zip(dimensions[::2], dimensions[1::2], strict=True)))
        series.append(Series(metric_id, options.get("stat", stat), options["label"], options.get("color", "")))
    return series


def _written_out(parts: list[str], above: list[str]) -> list[str]:
    """Replace the shorthands. "." is the same part of the line above.

    "..." is all parts of the line above, except the last ones, which follow here.
    """
    if parts[0] == "...":
        return above[: len(above) - len(parts) + 1] + parts[1:]
    return [above[position] if part == "." else part for position, part in enumerate(parts)]
