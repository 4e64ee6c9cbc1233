"""The template's dashboard as CloudWatch gets it, except for names that exist only after a deployment."""

import re

from local.dashboard.body import MetricWidget, Widget, parse_body
from tests.infrastructure.emitted_telemetry import STAGE
from tests.infrastructure.expansion import deployed_with


def widgets(**parameters: str) -> list[Widget]:
    """The widgets. Names and ARNs of resources are replaced by the resources' logical ids."""
    dashboard = deployed_with(**{"Stage": STAGE, **parameters})["Resources"]["Dashboard"]["Properties"]
    body = dashboard["DashboardBody"]["Fn::Sub"]
    # The ARN of an alarm ends in its name.
    body = re.sub(r"\$\{(\w+Alarm)\.Arn\}", r"arn:aws:cloudwatch:::alarm:\1", body)
    return parse_body(re.sub(r"\$\{([^}]+)\}", r"\1", body))


def metric_widget(title: str, **parameters: str) -> MetricWidget:
    """The one metric widget whose title begins so."""
    [widget] = [w for w in widgets(**parameters) if isinstance(w, MetricWidget) and w.title.startswith(title)]
    return widget
