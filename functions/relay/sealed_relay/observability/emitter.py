"""Turns events into log lines and metrics: JSON by Powertools' Logger, EMF by its Metrics."""

import threading
import traceback
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit, single_metric
from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import AmazonCloudWatchEMFProvider
from botocore.exceptions import ClientError

from sealed_relay.aws.parts import in_parts
from sealed_relay.calls.outcome import Reason
from sealed_relay.kairos.codes import Scope
from sealed_relay.observability import metrics
from sealed_relay.observability.events import (
    BatchReceived,
    BudgetUsed,
    CallsSettled,
    CallsWaiting,
    DuplicatesFound,
    MessageFailed,
    MessagesDeferred,
    Observation,
    Paused,
    PauseSeen,
    RequestSent,
    Resumed,
    WorkFailed,
)
from sealed_relay.observability.metrics import Metric

_MAX_VALUES = 100
"""Of one metric in one EMF line."""


class Telemetry:
    """Writes log lines at once, and metrics at the end of an invocation. `observe` may be called from any thread."""

    def __init__(self, logger: Logger, powertools: Metrics) -> None:
        self._logger = logger
        self._powertools = powertools
        self._lock = threading.Lock()
        # The sums of this invocation, by metric and by the value of the metric's own dimension ("" if it has none).
        self._sums: Counter[tuple[Metric, str]] = Counter()
        self._budget_shares: list[float] = []
        self._seconds_to_accepted: defaultdict[str, list[float]] = defaultdict(list)

    def observe(self, observation: Observation) -> None:
        """Log and count one event."""
        with self._lock:
            match observation:
                case BatchReceived(oldest_seconds):
                    self._measure(metrics.OLDEST_MESSAGE_SECONDS, round(oldest_seconds))
                case RequestSent():
                    self._request_sent(observation)
                case MessageFailed():
                    self._message_failed(observation)
                case CallsSettled():
                    self._calls_settled(observation)
                case DuplicatesFound(calls):
                    self._add(metrics.DUPLICATES, calls)
                case CallsWaiting() | MessagesDeferred():
                    self._waiting(observation)
                case PauseSeen() | Paused() | Resumed():
                    self._pause_told(observation)
                case BudgetUsed(share):
                    self._budget_shares.append(share)
                case WorkFailed(error):
                    self._logger.error("work failed", extra=describe(error))

    def flush(self) -> None:
        """Write the metrics of this invocation. Each value of a metric's own dimension needs an EMF line of its own."""
        with self._lock:
            for (metric, value), total in self._sums.items():
                if metric.dimension:
                    self._single(metric, value, total)
                else:
                    self._measure(metric, total)
            if self._budget_shares:
                self._measure(metrics.RATE_BUDGET_PERCENT, round(max(self._budget_shares) * 100))
            for queue, seconds in self._seconds_to_accepted.items():
                for part in in_parts(seconds, _MAX_VALUES):
                    self._distribution(metrics.SECONDS_TO_ACCEPTED, queue, part)
            self._seconds_to_accepted.clear()
            self._sums.clear()
            self._budget_shares.clear()
            if self._powertools.metric_set:
                self._powertools.flush_metrics()

    def _request_sent(self, sent: RequestSent) -> None:
        self._logger.info("request sent", extra=_fields(sent))
        if sent.result != Reason.NOT_SENT:
            self._add(metrics.REQUESTS_RESENT if sent.is_resend else metrics.REQUESTS_SENT, 1)
            self._measure(metrics.CALLS_PER_REQUEST, sent.calls)
            if sent.start_times_moved:
                self._add(metrics.START_TIMES_MOVED, sent.start_times_moved)
        self._measure(metrics.REQUEST_MILLISECONDS, sent.milliseconds)
        self._add(metrics.ANSWERS, 1, metrics.answer_value(sent.code, sent.result))
        if metrics.is_failed_request(sent.result):
            self._add(metrics.REQUESTS_FAILED, 1)

    def _message_failed(self, failed: MessageFailed) -> None:
        self._logger.warning("message failed", extra=_fields(failed))
        self._add(metrics.FAILED_MESSAGES, 1, failed.reason)

    def _calls_settled(self, settled: CallsSettled) -> None:
        self._add(metrics.CALLS, settled.calls, settled.status)
        if settled.status.is_delivered:
            self._seconds_to_accepted[settled.queue] += [round(seconds, 3) for seconds in settled.seconds]

    def _waiting(self, calls: CallsWaiting | MessagesDeferred) -> None:
        line, messages = (
            ("messages deferred", calls.messages) if isinstance(calls, MessagesDeferred) else ("calls waiting", 1)
        )
        metric = metrics.waiting_metric(calls.reason, calls.scope)
        # People must act on a pause, so its line is at INFO. All other waits end by themselves.
        log = self._logger.info if metric in metrics.WAITING_ON.values() else self._logger.debug
        log(line, extra=asdict(calls))
        if metric:
            self._add(metric, messages)

    def _pause_told(self, told: PauseSeen | Paused | Resumed) -> None:
        """Log whether a flow or the account is paused, always with the same fields."""
        state = _state(told)
        match told:
            case PauseSeen():
                self._logger.info("pause seen", extra=state)
            case Paused():
                self._logger.warning("paused", extra=state)
            case Resumed():
                self._logger.info("resumed", extra=state | {"paused_seconds": told.paused_seconds})

    def _add(self, metric: Metric, amount: int, value: str = "") -> None:
        self._sums[metric, str(value)] += amount

    def _measure(self, metric: Metric, value: int) -> None:
        self._powertools.add_metric(metric.name, MetricUnit(metric.unit), value)

    def _single(self, metric: Metric, dimension_value: str, total: int) -> None:
        service = {metrics.SERVICE: str(self._powertools.provider.service)}
        with single_metric(metric.name, MetricUnit(metric.unit), total, default_dimensions=service) as line:
            line.add_dimension(metric.dimension, dimension_value)

    def _distribution(self, metric: Metric, dimension_value: str, values: Sequence[float]) -> None:
        # Not by `add_metric`, which writes all values so far into a debug text each time: 20 microseconds a value.
        AmazonCloudWatchEMFProvider(
            metric_set={metric.name: {"Unit": metric.unit.value, "StorageResolution": 60, "Value": list(values)}},
            default_dimensions={
                metrics.SERVICE: str(self._powertools.provider.service),
                metric.dimension: dimension_value,
            },
        ).flush_metrics()


def _fields(observation: RequestSent | MessageFailed) -> dict[str, object]:
    # One text, not a list: Logs Insights makes one field of each item of a list, and has room for 200 fields. The
    # brackets let a query find a whole client identifier, and not the beginning of a longer one.
    names = "".join(f"[{name}]" for name in observation.client_identifiers)
    return asdict(observation) | {"client_identifiers": names}


def _state(told: PauseSeen | Paused | Resumed) -> dict[str, object]:
    """The fields of a line about a flow or the account: whether it is paused, and why. The latest line holds."""
    is_paused = bool(told.reason) and not isinstance(told, Resumed)
    since_ms = 0 if isinstance(told, Resumed) else told.since_ms
    # In the form in which Logs Insights shows the time of a line.
    since = datetime.fromtimestamp(since_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S") if since_ms else ""
    return {
        "pause_of": told.flow_id or Scope.ACCOUNT,
        "state": "paused" if is_paused else "delivering",
        "reason": told.reason,
        "code": None if isinstance(told, Resumed) else told.code,
        "since": since,
    }


def describe(error: BaseException) -> dict[str, object]:
    """An error as log fields: its type and where it was raised. Never its text, which may quote personal data."""
    frames = traceback.extract_tb(error.__traceback__)
    described: dict[str, object] = {
        "error_type": type(error).__name__,
        "error_at": [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames],
    }
    if isinstance(error, ClientError):
        described["error_code"] = error.response["Error"]["Code"]
        described["operation"] = error.operation_name
    return described
