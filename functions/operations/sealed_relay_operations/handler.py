"""The Lambda entry: makes the dependencies once, does what an operator asks for, and tells what was done.

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

from sealed_relay_operations.aws.dynamodb import DynamoDBPauses, DynamoDBRecords
from sealed_relay_operations.aws.sqs import SqsCounts, SqsFailureQueue, SqsSourceQueue
from sealed_relay_operations.pauses import PauseChange
from sealed_relay_operations.ports import Dependencies
from sealed_relay_operations.replay.run import Run
from sealed_relay_operations.request import InvalidRequestError, Pause, Replay, Resume, Status, read_request
from sealed_relay_operations.status import StatusAnswer, pause, resume, status

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

_MAX_READS_AT_ONCE = 8
_MAX_NAME_CHARACTERS = 100
_AWS = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3})

# At DEBUG these libraries log whole requests and answers, with contact numbers in them. Lambda's log controls can set
# the level of all loggers from outside, so the level of these is set here.
for _library in ("boto3", "botocore", "urllib3"):
    logging.getLogger(_library).setLevel(logging.WARNING)

logger = Logger()
metrics = Metrics()


class InvalidSettingsError(Exception):
    """An environment variable is missing or empty. The text names it."""


class ActionFailedError(Exception):
    """A service that the action needs failed. The text of a failed replay says how many entries had been moved.

    The text has only the type and the code of the error behind it: Lambda logs this text, and the text of that error
    may quote anything.
    """


class Settings(Struct, frozen=True, rename=str.upper):
    """Each field is the environment variable of that name in capitals."""

    ingress_queue_url: Annotated[str, Meta(min_length=1)]
    urgent_queue_url: Annotated[str, Meta(min_length=1)]
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
    """What the actions need, on AWS. Made once for each execution environment. Raises InvalidSettingsError."""
    settings = read_settings(os.environ)
    session = boto3.Session()
    sqs = session.client("sqs", config=_AWS)
    dynamodb = session.client("dynamodb", config=_AWS)
    executor = ThreadPoolExecutor(_MAX_READS_AT_ONCE, thread_name_prefix="records")
    source_queue_urls = {"ingress": settings.ingress_queue_url, "urgent": settings.urgent_queue_url}
    return Dependencies(
        failure_queue=SqsFailureQueue(sqs, settings.failure_queue_url),
        source_queues={name: SqsSourceQueue(sqs, url) for name, url in source_queue_urls.items()},
        records=DynamoDBRecords(dynamodb, settings.outcomes_table_name, executor),
        pauses=DynamoDBPauses(dynamodb, settings.outcomes_table_name),
        count_messages=SqsCounts(sqs, source_queue_urls | {"failure": settings.failure_queue_url}).count,
        clock=time.time,
        sleep=time.sleep,
    )


@logger.inject_lambda_context(clear_state=True, log_event=False)  # POWERTOOLS_LOGGER_LOG_EVENT must not change this
def lambda_handler(event: object, context: "LambdaContext") -> dict[str, Any]:
    """Do what the request asks for, and answer with what was done, or with `error`: what is wrong with the request.

    Raises InvalidSettingsError and ActionFailedError.
    """
    deadline = time.time() + context.get_remaining_time_in_millis() / 1000
    asked_by = _asked_by(context)
    try:
        request = read_request(event)
    except InvalidRequestError as error:
        logger.warning("request refused", extra={"asked_by": asked_by})  # the sentence names fields that others wrote
        return {"error": str(error)}
    audit: dict[str, object] = {"action": type(request).__name__.lower(), "asked_by": asked_by}
    dependencies = make_dependencies()
    if isinstance(request, Replay):
        return _replay(dependencies, request, deadline, audit)
    try:
        done = _do(dependencies, request)
    except Exception as error:  # noqa: BLE001 - it is raised again, without its text
        description = _describe(error)
        logger.error("operation failed", extra=audit | {"error": description})  # noqa: TRY400 - as in _replay
        raise ActionFailedError(f"{description}.") from None
    if isinstance(done, PauseChange):
        state = done.now or done.before
        # The fields are those of the relay's own lines about pauses.
        told = {"paused": done.paused, "reason": state.reason if state else "", "since": state.since if state else ""}
        logger.info("paused" if done.now else "resumed", extra=audit | told)
    else:
        logger.info("status told", extra=audit)
    answer: dict[str, Any] = msgspec.to_builtins(done)
    return answer


def _do(dependencies: Dependencies, request: Pause | Resume | Status) -> PauseChange | StatusAnswer:
    match request:
        case Pause():
            return pause(dependencies, request)
        case Resume():
            return resume(dependencies, request)
        case Status():
            return status(dependencies)


def _replay(
    dependencies: Dependencies, request: Replay, deadline: float, audit: Mapping[str, object]
) -> dict[str, Any]:
    run = Run(dependencies, request, deadline)
    try:
        answer: dict[str, Any] = msgspec.to_builtins(run.execute())
    except Exception as error:  # noqa: BLE001 - it is raised again, without its text
        description = _describe(error)
        details = {**audit, "error": description, "replay": msgspec.to_builtins(run.answer)}
        logger.error("replay failed", extra=details)  # noqa: TRY400 - a traceback may quote personal data
        total = run.answer.total
        raise ActionFailedError(f"{description}; {total.moved} of {total.chosen} chosen entries were moved.") from None
    finally:
        _count_moved(run.answer.total.moved, run.answer.moved_calls)
    logger.info("replay ended", extra={**audit, "replay": answer})
    return answer


def _asked_by(context: "LambdaContext") -> str:
    """Who asked, as far as the context tells: the caller's own word `asked_by`, or an identity of Cognito.

    Lambda does not tell a function which principal invoked it. CloudTrail's data events do, by the same request id.
    """
    client = getattr(context, "client_context", None)
    custom = getattr(client, "custom", None) or {}
    said = custom.get("asked_by") if isinstance(custom, Mapping) else None
    identity = getattr(getattr(context, "identity", None), "cognito_identity_id", None)
    text = said or identity
    if not isinstance(text, str):
        return "not told"
    return "".join(character for character in text if character.isprintable())[:_MAX_NAME_CHARACTERS]


def _describe(error: Exception) -> str:
    if isinstance(error, ClientError):
        return f"{type(error).__name__}: {error.response['Error']['Code']} at {error.operation_name}"
    return type(error).__name__


def _count_moved(messages: int, calls: int) -> None:
    if messages:
        metrics.add_metric("ReplayedMessages", MetricUnit.Count, messages)
        metrics.add_metric("ReplayedCalls", MetricUnit.Count, calls)
        metrics.flush_metrics()
