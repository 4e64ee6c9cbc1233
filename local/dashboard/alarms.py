"""The state of an alarm, computed from the local numbers as CloudWatch does it. Pure."""

import operator
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from local.dashboard.store import MetricId, Store

_BREACHES = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}


class State(StrEnum):
    """CloudWatch's states that the template's alarms can have, and two for alarms that this page cannot evaluate."""

    OK = "OK"
    ALARM = "ALARM"
    NOT_EVALUATED = "not evaluated locally"
    NOT_DEPLOYED = "not on the local AWS"


@dataclass(frozen=True, slots=True)
class Alarm:
    """A deployed alarm on one metric. Missing data never breaches, as in each alarm of the template."""

    name: str
    description: str
    metric: MetricId
    stat: str
    period_seconds: int
    evaluation_periods: int
    datapoints_to_alarm: int
    comparison: str
    threshold: float


def alarm_from(described: Mapping[str, Any]) -> Alarm:
    """An alarm from an item of DescribeAlarms."""
    return Alarm(
        described["AlarmName"],
        described["AlarmDescription"],
        MetricId(
            described["Namespace"],
            described["MetricName"],
            frozenset((dimension["Name"], dimension["Value"]) for dimension in described["Dimensions"]),
        ),
        described.get("Statistic") or described["ExtendedStatistic"],
        described["Period"],
        described["EvaluationPeriods"],
        described.get("DatapointsToAlarm") or described["EvaluationPeriods"],
        described["ComparisonOperator"],
        described["Threshold"],
    )


def state_of(alarm: Alarm, store: Store, now: float) -> State:
    """The state at `now`, in seconds since 1970."""
    is_breach = _BREACHES[alarm.comparison]
    values = [
        store.statistic(alarm.metric, alarm.stat, now - back * alarm.period_seconds, alarm.period_seconds)
        for back in range(1, alarm.evaluation_periods + 1)
    ]
    breaching = [value for value in values if value is not None and is_breach(value, alarm.threshold)]
    return State.ALARM if len(breaching) >= alarm.datapoints_to_alarm else State.OK
