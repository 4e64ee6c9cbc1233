"""Observations into log lines and metrics: JSON by Powertools' Logger, EMF by its Metrics."""

import threading
import traceback
from collections import Counter
from dataclasses import asdict
from pathlib import Path

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit, single_metric
from botocore.exceptions import ClientError

from sealed_relay.codes import code_of
from sealed_relay.observing import (
    CallsSettled,
    CallsWaiting,
    DuplicatesFound,
    MessageFailed,
    Observation,
    RequestSent,
    WorkFailed,
)
from sealed_relay.outcome import Reason


class Telemetry:
    """Writes a log line as things happen, and metrics when an invocation ends. Observes from any thread."""

    def __init__(self, logger: Logger, metrics: Metrics) -> None:
        self._logger = logger
        self._metrics = metrics
        self._lock = threading.Lock()
        self._calls_by_status: Counter[str] = Counter()
        self._answers_by_code: Counter[str] = Counter()

    def observe(self, observation: Observation) -> None:
        """Log and count one observation."""
        with self._lock:
            match observation:
                case RequestSent():
                    self._request_sent(observation)
                case MessageFailed():
                    self._logger.warning("message failed", extra=asdict(observation))
                    if observation.reason == Reason.INVALID_MESSAGE:
                        self._count("InvalidMessages", 1)
                case CallsSettled(status, calls):
                    self._calls_by_status[status.value] += calls
                case DuplicatesFound(calls):
                    self._count("Duplicates", calls)
                case CallsWaiting():
                    self._logger.debug("calls waiting", extra=asdict(observation))
                case WorkFailed(error):
                    self._logger.error("work failed", extra=describe(error))

    def flush(self) -> None:
        """Write the invocation's metrics, one EMF line each for those with a dimension of their own."""
        with self._lock:
            for status, calls in self._calls_by_status.items():
                self._single("Calls", calls, "Status", status)
            for code, answers in self._answers_by_code.items():
                self._single("Answers", answers, "Code", code)
            self._calls_by_status.clear()
            self._answers_by_code.clear()
            if self._metrics.metric_set:
                self._metrics.flush_metrics()

    def _request_sent(self, sent: RequestSent) -> None:
        self._logger.info("request sent", extra=asdict(sent))
        if sent.result != Reason.NOT_SENT:
            self._count("RequestsResent" if sent.is_resend else "RequestsSent", 1)
            self._count("CallsPerRequest", sent.calls)
        self._metrics.add_metric("RequestMilliseconds", MetricUnit.Milliseconds, sent.milliseconds)
        if sent.code is not None:
            self._answers_by_code[f"{sent.code} {code_of(sent.code).name}"] += 1
        else:
            self._answers_by_code[sent.result] += 1

    def _count(self, name: str, value: int) -> None:
        self._metrics.add_metric(name, MetricUnit.Count, value)

    def _single(self, name: str, value: int, dimension: str, dimension_value: str) -> None:
        service = {"service": str(self._metrics.provider.service)}
        with single_metric(name, MetricUnit.Count, value, default_dimensions=service) as metric:
            metric.add_dimension(dimension, dimension_value)


def describe(error: BaseException) -> dict[str, object]:
    """What may be logged of an error: its type and where it was raised, but not its text, which may quote anything."""
    frames = traceback.extract_tb(error.__traceback__)
    described: dict[str, object] = {
        "error_type": type(error).__name__,
        "error_at": [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames],
    }
    if isinstance(error, ClientError):
        described["error_code"] = error.response["Error"]["Code"]
        described["operation"] = error.operation_name
    return described
