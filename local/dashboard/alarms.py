"""An alarm's state, worked out from the numbers that are here, as CloudWatch would from its own. Pure."""

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
_STEP_SECONDS = 60
"""How often CloudWatch evaluates an alarm, each time over the periods that end then."""


class State(StrEnum):
    """CloudWatch's three states, and two for what this page cannot know."""

    OK = "OK"
    ALARM = "ALARM"
    INSUFFICIENT_DATA = "INSUFFICIENT_DATA"
    NOT_EVALUATED = "not evaluated locally"
    NOT_DEPLOYED = "not on the local AWS"


@dataclass(frozen=True, slots=True)
class Alarm:
    """A deployed alarm on one metric."""

    name: str
    description: str
    metric: MetricId
    stat: str
    period_seconds: int
    evaluation_periods: int
    datapoints_to_alarm: int
    comparison: str
    threshold: float
    missing_data: str


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
        described["Statistic"],
        described["Period"],
        described["EvaluationPeriods"],
        described.get("DatapointsToAlarm") or described["EvaluationPeriods"],
        described["ComparisonOperator"],
        described["Threshold"],
        described["TreatMissingData"],
    )


def state_of(alarm: Alarm, store: Store, now: float) -> State:
    """The state at that moment, in seconds since 1970."""
    values = _values(alarm, store, now)
    if alarm.missing_data == "ignore":
        # The state of the last evaluation that had data: found again from the numbers, so nothing need be remembered.
        while all(value is None for value in values) and now > store.since():
            now -= _STEP_SECONDS
            values = _values(alarm, store, now)
    if all(value is None for value in values) and alarm.missing_data in {"missing", "ignore"}:
        return State.INSUFFICIENT_DATA
    is_breach = _BREACHES[alarm.comparison]
    breaching = [
        is_breach(value, alarm.threshold) if value is not None else alarm.missing_data == "breaching"
        for value in values
    ]
    return State.ALARM if sum(breaching) >= alarm.datapoints_to_alarm else State.OK


def _values(alarm: Alarm, store: Store, now: float) -> list[float | None]:
    return [
        store.statistic(alarm.metric, alarm.stat, now - back * alarm.period_seconds, alarm.period_seconds)
        for back in range(1, alarm.evaluation_periods + 1)
    ]
