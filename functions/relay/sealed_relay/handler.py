"""The Lambda entry: puts the relay together once, lazily, and translates between SQS events and the relay."""

import gc
import logging
import os
import random
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
from aws_lambda_powertools import Logger, Metrics
from botocore.config import Config

from sealed_relay.admission.control import Admission
from sealed_relay.aws.dynamodb import DynamoDBTable
from sealed_relay.aws.flow_secrets import FlowSecrets
from sealed_relay.aws.sqs import FailureQueue, SourceQueue
from sealed_relay.batch.process_batch import process_batch
from sealed_relay.calls.message import Lane, Message, sent_at_of
from sealed_relay.dependencies import Dependencies, Limits
from sealed_relay.kairos.client import Gateway
from sealed_relay.ledger.call_records import CallRecords
from sealed_relay.ledger.request_log import RequestLog
from sealed_relay.observability.emitter import Telemetry
from sealed_relay.observability.events import BatchReceived, WorkFailed
from sealed_relay.settings import InvalidSettingsError, Settings, read_settings

if TYPE_CHECKING:
    # Types alone: imported for real, Powertools' batch utility and event classes would take 50 ms of every cold start.
    from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
    from aws_lambda_powertools.utilities.typing import LambdaContext

_REQUESTS_AT_ONCE = 16
_AWS = Config(
    connect_timeout=2,
    read_timeout=5,
    max_pool_connections=32,
    retries={"mode": "standard", "total_max_attempts": 4},
    # mypy checks the requests to AWS, and AWS checks them again. botocore's own check of each value would be a third of
    # the CPU of a large batch.
    parameter_validation=False,
    # Without it botocore builds one for each round trip: a quarter of the round trip's CPU beside the payload.
    user_agent="sealed-relay",
)

# At DEBUG these libraries log whole requests and answers, with secrets and contact numbers in them. At INFO they log
# lines that are not JSON. Lambda's log controls can set the level of all loggers, so the level of these is set here.
for _library in ("boto3", "botocore", "urllib3"):
    logging.getLogger(_library).setLevel(logging.WARNING)

logger = Logger()
telemetry = Telemetry(logger, Metrics())


class BatchFailedError(Exception):
    """The batch failed as a whole, and all its messages come back.

    The text is only the type of the error behind it. Lambda logs it, and the error's own text may quote anything.
    """


@logger.inject_lambda_context(clear_state=True, log_event=False)  # POWERTOOLS_LOGGER_LOG_EVENT must not change this
def lambda_handler(event: Mapping[str, Any], context: "LambdaContext") -> "PartialItemFailureResponse":
    """Relay one batch, an SQS event; names the messages that SQS must keep."""
    now = time.time()
    deadline = now + context.get_remaining_time_in_millis() / 1000
    try:
        messages = [_message(record) for record in event["Records"]]
        oldest = min((message.sent_at.timestamp() for message in messages), default=now)
        # Clocks differ, and the events of events/ are dated 2100. An age is never negative.
        telemetry.observe(BatchReceived(max(0.0, now - oldest)))
        open_message_ids = process_batch(_dependencies(), messages, deadline, _lane(event))
    except InvalidSettingsError:
        raise  # its text names a variable, and no variable is a secret
    except Exception as error:  # noqa: BLE001 - raised again, without its text
        telemetry.observe(WorkFailed(error))
        raise BatchFailedError(type(error).__name__) from None
    finally:
        telemetry.flush()
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in open_message_ids]}


def _message(record: Mapping[str, Any]) -> Message:
    return Message(
        message_id=record["messageId"],
        receipt_handle=record["receiptHandle"],
        body=record["body"],
        sent_at=sent_at_of(record["attributes"]["SentTimestamp"]),
        receive_count=int(record["attributes"]["ApproximateReceiveCount"]),
    )


def _lane(event: Mapping[str, Any]) -> Lane:
    """The queue of the event's messages. All come from one queue, as an event source mapping has just one."""
    is_urgent = any(record["eventSourceARN"] == _settings().urgent_queue_arn for record in event["Records"])
    return Lane.URGENT if is_urgent else Lane.INGRESS


def _sleep_up_to(max_seconds: float) -> None:
    time.sleep(random.random() * max_seconds)  # noqa: S311 - it keeps writers apart, and is no secret


@cache
def _settings() -> Settings:
    return read_settings(os.environ)


@cache
def _dependencies() -> Dependencies:
    settings = _settings()
    session = boto3.Session()
    secrets = session.client("secretsmanager", config=_AWS)
    sqs = session.client("sqs", config=_AWS)
    dynamodb = session.client("dynamodb", config=_AWS)
    table = DynamoDBTable(dynamodb, settings.outcomes_table_name)
    hash_key: str = secrets.get_secret_value(SecretId=settings.content_hash_key_secret_id)["SecretString"]
    give_up_after = timedelta(hours=settings.give_up_after_hours)
    keep_outcomes = timedelta(days=settings.outcome_retention_days)
    executor = ThreadPoolExecutor(_REQUESTS_AT_ONCE, thread_name_prefix="relay")
    dependencies = Dependencies(
        call_records=CallRecords(table, time.time, hash_key.encode(), keep_outcomes),
        request_log=RequestLog(
            table, time.time, keep_outcomes=keep_outcomes, keep_envelopes=give_up_after + timedelta(days=1)
        ),
        admission=Admission(
            table,
            time.time,
            _sleep_up_to,
            telemetry.observe,
            settings.requests_per_minute,
            settings.urgent_reserved_requests_per_minute,
        ),
        # These two get a clock that goes on while the function is frozen. A monotonic clock may stand still then.
        flows=FlowSecrets(secrets, settings.flow_secret_prefix, time.time),
        gateway=Gateway(settings.gateway_base_url, time.time),
        failure_queue=FailureQueue(sqs, settings.failure_queue_url),
        source_queues={
            Lane.INGRESS: SourceQueue(sqs, settings.ingress_queue_url, executor),
            Lane.URGENT: SourceQueue(sqs, settings.urgent_queue_url, executor),
        },
        limits=Limits(settings.max_calls_per_request, settings.max_body_bytes, give_up_after),
        clock=time.time,
        random_bytes=os.urandom,
        draw=random.random,
        make_id=lambda: os.urandom(16).hex(),
        executor=executor,
        observe=telemetry.observe,
    )
    # Nearly all objects made so far last. To look through them at each collection would take a tenth of a batch's CPU.
    gc.freeze()
    return dependencies
