"""Where numbers and lines come from: the functions' logs and the two queues."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from botocore.config import Config

from local.dashboard.alarms import Alarm, alarm_from
from local.dashboard.body import Widget, parse_body
from local.dashboard.emf import duration_milliseconds_in, points_in
from local.dashboard.log_query import LogLine, fields_in
from local.dashboard.store import MetricId, Store
from local.stack.deploy import STACK_NAME
from local.stack.stack_files import Stack

# The page asks again anyway, and says meanwhile that what it shows is old.
_AWS = Config(connect_timeout=2, read_timeout=10, retries={"total_max_attempts": 1})
_LOG_GROUP = f"/sealed-relay/{STACK_NAME}"
_OPERATIONS_LOG_GROUP = f"{_LOG_GROUP}/operations"
_MAX_EVENTS = 10_000
_SETTLING_MS = 1000
"""Lines younger than this are left for the next look, so that none is written behind it."""
_QUEUE_ATTRIBUTES = {
    "ApproximateNumberOfMessagesVisible": "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible": "ApproximateNumberOfMessagesNotVisible",
}
_HAD = {"AWS/SQS": {*_QUEUE_ATTRIBUTES}, "AWS/Lambda": {"Duration"}}


def is_had(metric: MetricId) -> bool:
    """Whether this metric can be had from a local stack; all that the functions themselves emit can."""
    return metric.namespace not in _HAD or metric.name in _HAD[metric.namespace]


class Sources:
    """Reads a running local stack. Blocking, and not for several threads at once; close it."""

    def __init__(self, stack: Stack) -> None:
        self.store = Store()
        self._outputs = stack.outputs
        self._next_ms = dict.fromkeys((_LOG_GROUP, _OPERATIONS_LOG_GROUP), 0)
        self._lines: list[LogLine] = []
        self._lambda_dimensions = frozenset({("FunctionName", stack.outputs["RelayFunctionName"])})
        session = stack.aws().session()
        self._logs = session.client("logs", endpoint_url=stack.endpoint_url, config=_AWS)
        self._sqs = session.client("sqs", endpoint_url=stack.endpoint_url, config=_AWS)
        # boto3-stubs knows the services that the project names in pyproject.toml; this page is no reason for another.
        self._cloudwatch: Any = session.client("cloudwatch", endpoint_url=stack.endpoint_url, config=_AWS)

    def close(self) -> None:
        """Close the connections."""
        for client in (self._logs, self._sqs, self._cloudwatch):
            client.close()

    @property
    def lines(self) -> Sequence[LogLine]:
        """The relay's log lines since the stack came up."""
        return self._lines

    def widgets(self) -> list[Widget]:
        """The deployed dashboard."""
        body: str = self._cloudwatch.get_dashboard(DashboardName=self._outputs["DashboardName"])["DashboardBody"]
        return parse_body(body)

    def alarms(self) -> Mapping[str, Alarm]:
        """The deployed alarms, by name."""
        pages = self._cloudwatch.get_paginator("describe_alarms").paginate(AlarmNamePrefix=STACK_NAME)
        alarms = [alarm_from(described) for page in pages for described in page["MetricAlarms"]]
        return {alarm.name: alarm for alarm in alarms}

    def collect(self) -> None:
        """Take what is new into the store."""
        for log_group in self._next_ms:
            self._read_log(log_group)
        self._measure_queue(self._outputs["IngressQueueUrl"])
        self._measure_queue(self._outputs["UrgentQueueUrl"])
        self._measure_queue(self._outputs["FailureQueueUrl"])

    def _read_log(self, log_group: str) -> None:
        until_ms = int(time.time() * 1000) - _SETTLING_MS
        while self._next_ms[log_group] <= until_ms:
            events = self._logs.filter_log_events(
                logGroupName=log_group, startTime=self._next_ms[log_group], endTime=until_ms, limit=_MAX_EVENTS
            )["events"]
            next_ms = until_ms + 1
            if len(events) == _MAX_EVENTS:
                # There may be more of the last moment, and later: MiniStack gives no token to go on with.
                next_ms = events[-1]["timestamp"]
            self._next_ms[log_group] = next_ms
            for event in events:
                if event["timestamp"] < next_ms:
                    self._read_line(log_group, event["message"], event["timestamp"] / 1000)

    def _read_line(self, log_group: str, line: str, at: float) -> None:
        for metric, points in points_in(line):
            self.store.add(metric, points)
        if log_group != _LOG_GROUP:
            return
        fields = fields_in(line)
        if fields:
            self._lines.append((at, fields))
        milliseconds = duration_milliseconds_in(line)
        if milliseconds is not None:
            self.store.add(MetricId("AWS/Lambda", "Duration", self._lambda_dimensions), [(at, milliseconds)])

    def _measure_queue(self, url: str) -> None:
        attributes = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        numbers = {str(name): text for name, text in attributes.items()}
        dimensions = frozenset({("QueueName", url.rsplit("/", 1)[1])})
        for name, attribute in _QUEUE_ATTRIBUTES.items():
            self.store.add(MetricId("AWS/SQS", name, dimensions), [(time.time(), float(numbers[attribute]))])
