"""What telemetry writes, read back."""

from collections.abc import Callable
from typing import Any

Lines = list[dict[str, Any]]
Observe = Callable[..., tuple[Lines, Lines]]
SERVICE = ("service", "relay")


def metrics_in(lines: Lines) -> list[tuple[str, str, tuple[tuple[str, str], ...], object]]:
    """Name, unit, dimensions and value of each metric."""
    found = []
    for line in lines:
        for block in line["_aws"]["CloudWatchMetrics"]:
            assert block["Namespace"] == "SealedRelay"
            [dimension_names] = block["Dimensions"]
            dimensions = tuple(sorted((name, line[name]) for name in dimension_names))
            found += [(metric["Name"], metric["Unit"], dimensions, line[metric["Name"]]) for metric in block["Metrics"]]
    return sorted(found)
