"""Turns widgets and numbers into the data that the page draws. Pure."""

from collections.abc import Callable, Mapping, Sequence
from itertools import cycle
from typing import Any

from markdown_it import MarkdownIt

from local.dashboard.alarms import Alarm, State, state_of
from local.dashboard.body import AlarmWidget, LogWidget, MetricWidget, Series, TextWidget, Widget
from local.dashboard.log_query import LogLine, table
from local.dashboard.store import MetricId, Store
from local.stack.deploy import STACK_NAME

_MARKDOWN = MarkdownIt("commonmark", {"html": False})
# For series without a colour of their own, in this order.
_PALETTE = (
    "#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2", "#7f7f7f", "#bcbd22", "#17becf",
    "#aec7e8", "#ffbb78", "#98df8a", "#ff9896", "#c5b0d5", "#c49c94", "#f7b6d2", "#c7c7c7", "#dbdb8d", "#9edae5",
)  # fmt: skip

_TABLE_SECONDS = 3 * 3600
"""Tables cover what the dashboard shows when it opens on CloudWatch: some of them are about the last hour."""

Drawn = dict[str, Any]


def draw(
    widgets: Sequence[Widget],
    alarms: Mapping[str, Alarm],
    store: Store,
    is_had: Callable[[MetricId], bool],
    *,
    lines: Sequence[LogLine] = (),
    now: float,
    minutes: int,
) -> Drawn:
    """Draw every widget over the last minutes before `now`, in seconds since 1970.

    `is_had` says if a metric is available locally. A series without one is marked as missing. Log widgets search the
    `lines` of the last three hours.
    """
    return {
        "start_ms": (now - minutes * 60) * 1000,
        "end_ms": now * 1000,
        "widgets": [_Painter(alarms, store, is_had, lines, now, minutes).paint(widget) for widget in widgets],
    }


class _Painter:
    def __init__(
        self,
        alarms: Mapping[str, Alarm],
        store: Store,
        is_had: Callable[[MetricId], bool],
        lines: Sequence[LogLine],
        now: float,
        minutes: int,
    ) -> None:
        self._alarms = alarms
        self._store = store
        self._is_had = is_had
        self._lines = lines
        self._now = now
        self._minutes = minutes

    def paint(self, widget: Widget) -> Drawn:
        box = widget.box
        place = {"x": box.x, "y": box.y, "width": box.width, "height": box.height}
        match widget:
            case TextWidget():
                return place | {"type": "text", "html": _MARKDOWN.render(widget.markdown)}
            case AlarmWidget():
                tiles = [self._tile(name) for name in widget.alarm_names]
                tiles.sort(key=lambda tile: tile["state"] != State.ALARM)  # red ones first, otherwise in their order
                return place | {"type": "alarm", "title": widget.title, "alarms": tiles}
            case LogWidget():
                shown = [line for line in self._lines if line[0] >= self._now - _TABLE_SECONDS]
                rows = table(widget.query, shown, self._now)
                return place | {"type": "log", "title": widget.title, "columns": widget.query.columns, "rows": rows}
            case MetricWidget():
                taken = {line.color for line in widget.series}
                free = cycle([color for color in _PALETTE if color not in taken])
                series = [self._series(widget, line, line.color or next(free)) for line in widget.series]
                thresholds = [
                    {"label": line.label, "value": line.value, "color": line.color} for line in widget.thresholds
                ]
                return place | {
                    "type": widget.view,
                    "title": widget.title,
                    "unit": widget.unit,
                    "is_stacked": widget.is_stacked,
                    "series": series,
                    "thresholds": thresholds,
                }

    def _tile(self, name: str) -> Drawn:
        alarm = self._alarms.get(name)
        if alarm is None:
            description = "MiniStack has no alarms of this kind."
            return {"name": _short(name), "state": State.NOT_DEPLOYED, "description": description}
        state = state_of(alarm, self._store, self._now) if self._is_had(alarm.metric) else State.NOT_EVALUATED
        return {"name": _short(name), "state": state, "description": alarm.description}

    def _series(self, widget: MetricWidget, series: Series, color: str) -> Drawn:
        drawn = {"label": series.label, "color": color}
        if not self._is_had(series.metric):
            return drawn | {"missing": series.metric.name}
        points = self._points(widget, series)
        if widget.view != "singleValue":
            return drawn | {"points": points, "is_count": series.stat == "Sum"}
        if widget.covers_time_shown:
            seconds = self._minutes * 60
            value = self._store.statistic(series.metric, series.stat, self._now - seconds, seconds + 1)
        else:
            value = next((value for _, value in reversed(points) if value is not None), None)
        return drawn | {"value": value}

    def _points(self, widget: MetricWidget, series: Series) -> list[tuple[float, float | None]]:
        # Whole periods by the clock, including the current one, as CloudWatch shows them.
        period = widget.period_seconds
        last = self._now // period * period
        count = self._minutes * 60 // period
        starts = [last - back * period for back in reversed(range(count))]
        values = [self._store.statistic(series.metric, series.stat, start, period) for start in starts]
        return [(start * 1000, value) for start, value in zip(starts, values, strict=True)]


def _short(alarm_name: str) -> str:
    return alarm_name.removeprefix(f"{STACK_NAME}-")
