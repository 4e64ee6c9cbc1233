"""The function as Powertools' documentation has it: a batch processor with an idempotent record handler, in sequence.

It is less safe than the relay: if an answer is lost, Powertools deletes its record, and the message is sent a second
time as a new request.
"""

from typing import Any

import urllib3
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.idempotency import idempotent_function
from aws_lambda_powertools.utilities.typing import LambdaContext

from tests.bench.peers.resources import AT_ONCE, GATEWAY_BASE_URL, flows, idempotency, store
from tests.bench.peers.sealed_message import HEADERS, TIMEOUT_SECONDS, Message, Outcome, outcome_of, seal

logger = Logger()
processor = BatchProcessor(EventType.SQS)
http = urllib3.PoolManager(maxsize=AT_ONCE, retries=False, timeout=TIMEOUT_SECONDS)


@idempotent_function(data_keyword_argument="message", config=idempotency, persistence_store=store)  # type: ignore[untyped-decorator] # it is Any
def deliver(*, message: Message) -> Outcome:
    """Send one message; Powertools writes its record before and its outcome after."""
    flow = flows.get(message["flow-id"])
    url = f"{GATEWAY_BASE_URL}/enc/{flow.endpoint}/create"
    return outcome_of(http.request("POST", url, body=seal(flow, message), headers=HEADERS).data)


def handle_record(record: SQSRecord) -> None:
    """Deliver the message of one record; a raised error returns it to the queue."""
    deliver(message=record.json_body)


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Handle a batch; names the messages that SQS must keep."""
    idempotency.register_lambda_context(context)
    return process_partial_response(event, handle_record, processor, context)
