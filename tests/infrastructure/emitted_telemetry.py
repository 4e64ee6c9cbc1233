"""All metrics and log lines that the function writes: each event is given to the real emitter."""

import contextlib
import io
import json
from functools import cache
from typing import Any
from unittest.mock import patch
from uuid import uuid4

from aws_lambda_powertools import Logger, Metrics

from local.dashboard.emf import points_in
from local.dashboard.store import MetricId
from sealed_relay.calls.message import Lane
from sealed_relay.calls.outcome import Reason, Status
from sealed_relay.kairos.codes import CODES, Scope
from sealed_relay.observability.emitter import Telemetry
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
from sealed_relay.observability.metrics import FAILED_MESSAGES
from tests.infrastructure.expansion import deployed_with

STAGE = "dev"
_UNDOCUMENTED = 999


def sent(result: str, code: int | None) -> RequestSent:
    """A request of two calls with this result. It is a resend if the API does not document the code."""
    names, moved_to = ["call-1", "call-2"], "2026-11-24T09:00:00+05:30"
    return RequestSent(
        "request", "FLOWAAAA", 2, code == _UNDOCUMENTED, result, code, "", 9, names, "api-request", 2, moved_to
    )


def deferred(scope: Scope, reason: str = "MAINTENANCE") -> MessagesDeferred:
    """One message with two calls that was deferred."""
    return MessagesDeferred(reason, None, scope, "FLOWAAAA", 1, 2, 300.0)


def _everything() -> list[Observation]:
    answers = [sent(code.name, code.number) for code in CODES.values()]
    no_answers = [sent(reason, None) for reason in (Reason.NOT_SENT, Reason.NO_ANSWER, Reason.WRONG_ADDRESS)]
    failures = [MessageFailed("message", reason, None, 1, "request", ["call-1"]) for reason in FAILED_MESSAGES.values]
    return [
        BatchReceived(3.0),
        *answers,
        sent("UNKNOWN_CODE", _UNDOCUMENTED),
        *no_answers,
        *failures,
        *(CallsSettled(status, 1, Lane.INGRESS, [0.5]) for status in Status if status.is_final),
        *(CallsSettled(Status.ACCEPTED, 1, lane, [0.5]) for lane in Lane),
        DuplicatesFound(1),
        CallsWaiting("message", "INSUFFICIENT_BALANCE", 1, 1.0),
        *(deferred(scope) for scope in (Scope.ACCOUNT, Scope.FLOW)),
        deferred(Scope.REQUEST, Reason.RATE_LIMITED),
        PauseSeen("", "INSUFFICIENT_BALANCE", 212, 1_795_408_200_000),
        Paused("FLOWAAAA", "INVALID_GATEWAY_ID", 204, 1_795_408_200_000),
        Resumed("FLOWAAAA", "INVALID_GATEWAY_ID", 60),
        BudgetUsed(0.5),
        WorkFailed(ValueError()),
    ]


def _write(observations: list[Observation]) -> tuple[list[str], list[str]]:
    variables = deployed_with(Stage=STAGE)["Resources"]["RelayFunction"]["Properties"]["Environment"]["Variables"]
    service, namespace = variables["POWERTOOLS_SERVICE_NAME"], variables["POWERTOOLS_METRICS_NAMESPACE"]
    log, output = io.StringIO(), io.StringIO()
    # Loggers with the same name are one object. This one has a new name, so it writes to `log`.
    logger = Logger(str(uuid4()), level="INFO", stream=log)
    # A metric with its own dimension takes the namespace from the environment, as in Lambda.
    with contextlib.redirect_stdout(output), patch.dict("os.environ", {"POWERTOOLS_METRICS_NAMESPACE": namespace}):
        telemetry = Telemetry(logger, Metrics(service=service, namespace=namespace))
        for observation in observations:
            telemetry.observe(observation)
        telemetry.flush()
    return output.getvalue().splitlines(), log.getvalue().splitlines()


def emitted(*observations: Observation) -> dict[MetricId, list[float]]:
    """The values of each metric that these observations make."""
    lines, _ = _write(list(observations))
    return {metric: [value for _, value in points] for line in lines for metric, points in points_in(line)}


@cache
def emitted_metrics() -> frozenset[MetricId]:
    """Every metric that the function of stage `dev` can emit."""
    return frozenset(emitted(*_everything()))


@cache
def log_lines() -> tuple[dict[str, Any], ...]:
    """One line of each kind, at least."""
    _, lines = _write(_everything())
    return tuple(json.loads(line) for line in lines)
