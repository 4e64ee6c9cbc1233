"""Stores numbers by metric, and computes CloudWatch's statistics of them. Pure."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

Point = tuple[float, float]
"""Seconds since 1970, and a value."""


@dataclass(frozen=True, slots=True)
class MetricId:
    """The identity of a metric. Each combination of dimensions is a metric of its own, as in CloudWatch."""

    namespace: str
    name: str
    dimensions: frozenset[tuple[str, str]]


class Store:
    """All values since the stack came up."""

    def __init__(self) -> None:
        self._points: defaultdict[MetricId, list[Point]] = defaultdict(list)

    def add(self, metric: MetricId, points: Iterable[Point]) -> None:
        """Add values to a metric."""
        self._points[metric].extend(points)

    def statistic(self, metric: MetricId, stat: str, start: float, seconds: float) -> float | None:
        """The statistic of the values from `start` (included) on, for so many seconds. None if there is no value."""
        values = [value for at, value in self._points.get(metric, ()) if start <= at < start + seconds]
        return statistic_of(values, stat) if values else None


def statistic_of(values: Sequence[float], stat: str) -> float:
    """CloudWatch's statistic of one value or more: `Sum`, `Average`, `p50` and so on. Raises ValueError for others."""
    if stat in _STATISTICS:
        return _STATISTICS[stat](values)
    if not stat.startswith("p"):
        raise ValueError(f"the statistic {stat}")
    rank = math.ceil(float(stat[1:]) / 100 * len(values))
    return sorted(values)[max(rank, 1) - 1]


def _average(values: Sequence[float]) -> float:
    return sum(values) / len(values)


_STATISTICS: Mapping[str, Callable[[Sequence[float]], float]] = {
    "Sum": sum,
    "Average": _average,
    "Maximum": max,
    "Minimum": min,
    "SampleCount": len,
}
