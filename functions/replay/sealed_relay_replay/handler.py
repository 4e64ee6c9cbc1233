"""The Lambda entry: puts the replay together once, lazily, and tells the operator what came of the run.

It is for an operator to invoke, directly: no queue triggers it and it never invokes itself.
"""

import logging
import os
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING, Any, cast

import msgspec
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.session import Session

from sealed_relay_replay.answer import empty_answer
from sealed_relay_replay.entry import Entry
from sealed_relay_replay.event import read_event
from sealed_relay_replay.ports import Dependencies
from sealed_relay_replay.queues import SqsFailureQueue, SqsIngressQueue
from sealed_relay_replay.records import DynamoDBRecords
from sealed_relay_replay.replay import replay
from sealed_relay_replay.settings import read_settings

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sqs import SQSClient

_READS_AT_ONCE = 8
_AWS = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3})

# At DEBUG these quote whole requests and answers, and contact numbers in them; a level for all loggers can be set from
# outside, by Lambda's own log controls.
for _library in ("botocore", "urllib3"):
    logging.getLogger(_library).setLevel(logging.WARNING)

logger = Logger()
metrics = Metrics()


class ReplayFailedError(Exception):
    """Something the run relies on failed, and it ended; its text says how far it had come.

    Of the error behind it, it names no more than type and code: Lambda logs this text, and that error's may quote
    anything.
    """


@logger.inject_lambda_context(clear_state=True, log_event=False)  # whatever POWERTOOLS_LOGGER_LOG_EVENT says
def lambda_handler(event: object, context: LambdaContext) -> dict[str, Any]:
    """Do one run; the counts of what was seen and moved. Raises InvalidEventError and ReplayFailedError."""
    deadline = time.time() + context.get_remaining_time_in_millis() / 1000
    asked = read_event(event)
    dependencies = _dependencies()
    answer = empty_answer(asked)
    try:
        replay(dependencies, asked, answer, deadline)
    except Exception as error:  # noqa: BLE001 - raised again, without its text
        what = _describe(error)
        logger.error("replay failed", extra={"error": what, "replay": msgspec.to_builtins(answer)})  # noqa: TRY400
        total = answer.total
        raise ReplayFailedError(f"{what}; {total.moved} of {total.chosen} chosen entries had been moved.") from None
    finally:
        if metrics.metric_set:
            metrics.flush_metrics()
    told: dict[str, Any] = msgspec.to_builtins(answer)
    logger.info("replay ended", extra={"replay": told})
    return told


def _describe(error: Exception) -> str:
    if isinstance(error, ClientError):
        return f"{type(error).__name__}: {error.response['Error']['Code']} at {error.operation_name}"
    return type(error).__name__


def _count(moved: Sequence[Entry]) -> None:
    metrics.add_metric("ReplayedMessages", MetricUnit.Count, len(moved))
    metrics.add_metric("ReplayedCalls", MetricUnit.Count, sum(len(entry.calls.call_ids) for entry in moved))


@cache
def _dependencies() -> Dependencies:
    settings = read_settings(os.environ)
    aws = Session()
    sqs = cast("SQSClient", aws.create_client("sqs", config=_AWS))
    dynamodb = cast("DynamoDBClient", aws.create_client("dynamodb", config=_AWS))
    executor = ThreadPoolExecutor(_READS_AT_ONCE, thread_name_prefix="records")
    return Dependencies(
        failure_queue=SqsFailureQueue(sqs, settings.failure_queue_url),
        ingress_queue=SqsIngressQueue(sqs, settings.ingress_queue_url),
        records=DynamoDBRecords(dynamodb, settings.outcomes_table_name, executor),
        clock=time.time,
        sleep=time.sleep,
        moved=_count,
    )
