"""Turns widgets and numbers into the data that the page draws. Pure."""

from collections.abc import Callable, Mapping, Sequence
from itertools import cycle
from typing import Any

from markdown_it import MarkdownIt

from local.dashboard.alarms import Alarm, State, state_of
from local.dashboard.body import AlarmWidget, LogWidget, MetricWidget, Series, TextWidget, Widget
from local.dashboard.log_query import LogLine, rows
from local.dashboard.store import MetricId, Store

_MARKDOWN = MarkdownIt("commonmark", {"html": False})
# For series without a colour of their own, in this order.
_PALETTE = (
    "#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2", "#7f7f7f", "#bcbd22", "#17becf",
    "#aec7e8", "#ffbb78", "#98df8a", "#ff9896", "#c5b0d5", "#c49c94", "#f7b6d2", "#c7c7c7", "#dbdb8d", "#9edae5",
)  # fmt: skip

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

    `is_had` says if a metric is available locally. A series without one is marked as missing. Log widgets search
    `lines`.
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
                return place | {"type": "alarm", "title": widget.title, "alarms": tiles}
            case LogWidget():
                names = [widget.query.by, *(column.name for column in widget.query.columns)]
                shown = [line for line in self._lines if line[0] >= self._now - self._minutes * 60]
                found = rows(widget.query, shown)
                return place | {"type": "log", "title": widget.title, "columns": names, "rows": found}
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
            return {"name": name, "state": State.NOT_DEPLOYED, "description": "MiniStack has no alarms of this kind."}
        state = state_of(alarm, self._store, self._now) if self._is_had(alarm.metric) else State.NOT_EVALUATED
        return {"name": name, "state": state, "description": alarm.description}

    def _series(self, widget: MetricWidget, series: Series, color: str) -> Drawn:
        drawn = {"label": series.label, "color": color}
        if not self._is_had(series.metric):
            return drawn | {"missing": series.metric.name}
        if widget.view == "singleValue":
            seconds = self._minutes * 60
            return drawn | {
                "value": self._store.statistic(series.metric, series.stat, self._now - seconds, seconds + 1)
            }
        return drawn | {"points": self._points(widget, series)}

    def _points(self, widget: MetricWidget, series: Series) -> list[tuple[float, float | None]]:
        # Whole periods by the clock, including the current one, as CloudWatch shows them.
        period = widget.period_seconds
        last = self._now // period * period
        count = self._minutes * 60 // period
        starts = [last - back * period for back in reversed(range(count))]
        values = [self._store.statistic(series.metric, series.stat, start, period) for start in starts]
        return [(start * 1000, value) for start, value in zip(starts, values, strict=True)]
