"""The Lambda entry: makes the dependencies once, does one run, and tells the operator what the run did.

An operator invokes this function directly. No queue triggers it, and it never invokes itself.
"""

import logging
import os
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any

import boto3
import msgspec
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from botocore.config import Config
from botocore.exceptions import ClientError
from msgspec import Meta, Struct

from sealed_relay_operations.aws import DynamoDBRecords, SqsFailureQueue, SqsIngressQueue
from sealed_relay_operations.event import read_event
from sealed_relay_operations.ports import Dependencies
from sealed_relay_operations.replay import Run

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

_MAX_READS_AT_ONCE = 8
_AWS = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3})

# At DEBUG these libraries log whole requests and answers, with contact numbers in them. Lambda's log controls can set
# the level of all loggers from outside, so the level of these is set here.
for _library in ("boto3", "botocore", "urllib3"):
    logging.getLogger(_library).setLevel(logging.WARNING)

logger = Logger()
metrics = Metrics()


class InvalidSettingsError(Exception):
    """An environment variable is missing or empty. The text names it."""


class ReplayFailedError(Exception):
    """A service that the run needs failed, and the run ended. The text says how many entries had been moved.

    The text has only the type and the code of the error behind it: Lambda logs this text, and the text of that error
    may quote anything.
    """


class Settings(Struct, frozen=True, rename=str.upper):
    """Each field is the environment variable of that name in capitals."""

    ingress_queue_url: Annotated[str, Meta(min_length=1)]
    failure_queue_url: Annotated[str, Meta(min_length=1)]
    outcomes_table_name: Annotated[str, Meta(min_length=1)]


def read_settings(environment: Mapping[str, str]) -> Settings:
    """The settings in a mapping such as `os.environ`. Raises InvalidSettingsError."""
    try:
        return msgspec.convert(dict(environment), Settings)
    except msgspec.ValidationError as error:
        raise InvalidSettingsError(f"The function's environment is not as the template sets it: {error}.") from error


@cache
def make_dependencies() -> Dependencies:
    """What a run needs, on AWS. Made once for each execution environment. Raises InvalidSettingsError."""
    settings = read_settings(os.environ)
    session = boto3.Session()
    sqs = session.client("sqs", config=_AWS)
    dynamodb = session.client("dynamodb", config=_AWS)
    executor = ThreadPoolExecutor(_MAX_READS_AT_ONCE, thread_name_prefix="records")
    return Dependencies(
        failure_queue=SqsFailureQueue(sqs, settings.failure_queue_url),
        ingress_queue=SqsIngressQueue(sqs, settings.ingress_queue_url),
        records=DynamoDBRecords(dynamodb, settings.outcomes_table_name, executor),
        clock=time.time,
        sleep=time.sleep,
    )


@logger.inject_lambda_context(clear_state=True, log_event=False)  # POWERTOOLS_LOGGER_LOG_EVENT must not change this
def lambda_handler(event: object, context: "LambdaContext") -> dict[str, Any]:
    """Do one run and return its counts. Raises InvalidEventError, InvalidSettingsError and ReplayFailedError."""
    deadline = time.time() + context.get_remaining_time_in_millis() / 1000
    asked = read_event(event)
    run = Run(make_dependencies(), asked, deadline)
    try:
        answer: dict[str, Any] = msgspec.to_builtins(run.execute())
    except Exception as error:  # noqa: BLE001 - it is raised again, without its text
        description = _describe(error)
        details = {"error": description, "replay": msgspec.to_builtins(run.answer)}
        logger.error("replay failed", extra=details)  # noqa: TRY400 - a traceback may quote personal data
        total = run.answer.total
        raise ReplayFailedError(f"{description}; {total.moved} of {total.chosen} chosen entries were moved.") from None
    finally:
        _count_moved(run.answer.total.moved, run.answer.moved_calls)
    logger.info("replay ended", extra={"replay": answer})
    return answer


def _describe(error: Exception) -> str:
    if isinstance(error, ClientError):
        return f"{type(error).__name__}: {error.response['Error']['Code']} at {error.operation_name}"
    return type(error).__name__


def _count_moved(messages: int, calls: int) -> None:
    if messages:
        metrics.add_metric("ReplayedMessages", MetricUnit.Count, messages)
        metrics.add_metric("ReplayedCalls", MetricUnit.Count, calls)
        metrics.flush_metrics()
