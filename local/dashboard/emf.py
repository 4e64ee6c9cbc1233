"""Reads numbers from log lines: lines in the embedded metric format (EMF), and Lambda's own reports. Pure.

CloudWatch makes metrics of EMF lines; MiniStack 1.5.33 does not.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from local.dashboard.store import MetricId, Point

_DURATION = re.compile(r"^REPORT RequestId: \S+\tDuration: ([0-9.]+) ms")


def points_in(line: str) -> Iterator[tuple[MetricId, list[Point]]]:
    """The points of each metric in an EMF line. Other lines give nothing."""
    if not line.startswith("{") or '"_aws"' not in line:
        return
    document: dict[str, Any] = json.loads(line)
    at = document["_aws"]["Timestamp"] / 1000
    for block in document["_aws"]["CloudWatchMetrics"]:
        for names in block["Dimensions"]:
            dimensions = frozenset((name, document[name]) for name in names)
            for metric in block["Metrics"]:
                values = document[metric["Name"]]
                points = [(at, float(value)) for value in (values if isinstance(values, list) else [values])]
                yield MetricId(block["Namespace"], metric["Name"], dimensions), points


def duration_milliseconds_in(line: str) -> float | None:
    """The duration of an invocation, if the line is its report; otherwise None."""
    found = _DURATION.match(line)
    return float(found[1]) if found else None
