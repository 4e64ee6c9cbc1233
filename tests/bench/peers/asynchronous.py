"""Powertools' asynchronous batch processor with an asynchronous HTTP client.

Powertools' `idempotent_function` takes no coroutine, as boto3 has none. So the same persistence layer is asked in
threads, in the same order, and no thread waits while the API thinks.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, TypeVar

import aiohttp
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import AsyncBatchProcessor, EventType, async_process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.idempotency.exceptions import (
    IdempotencyAlreadyInProgressError,
    IdempotencyItemAlreadyExistsError,
)
from aws_lambda_powertools.utilities.typing import LambdaContext

from tests.bench.peers.resources import AT_ONCE, GATEWAY_BASE_URL, flows, idempotency, store
from tests.bench.peers.sealed_message import HEADERS, TIMEOUT_SECONDS, Message, Outcome, outcome_of, seal

_Result = TypeVar("_Result")

logger = Logger()
processor = AsyncBatchProcessor(EventType.SQS)
executor = ThreadPoolExecutor(AT_ONCE)
store.configure(idempotency, "deliver")


@cache
def http() -> aiohttp.ClientSession:
    """The client, made where its event loop runs: on Lambda, Powertools uses one loop for all invocations."""
    return aiohttp.ClientSession(headers=HEADERS, timeout=aiohttp.ClientTimeout(TIMEOUT_SECONDS))


async def handle_record(record: SQSRecord, lambda_context: LambdaContext) -> None:
    """Do for a coroutine what `idempotent_function` does for a function."""
    message: Message = record.json_body
    try:
        await _in_thread(store.save_inprogress, message, lambda_context.get_remaining_time_in_millis())
    except IdempotencyItemAlreadyExistsError as error:
        if error.old_data_record and error.old_data_record.status == "COMPLETED":
            return
        raise IdempotencyAlreadyInProgressError from error
    try:
        outcome = await deliver(message)
    except Exception as error:
        await _in_thread(store.delete_record, message, error)
        raise
    await _in_thread(store.save_success, message, outcome)


async def deliver(message: Message) -> Outcome:
    """Send one message."""
    flow = flows.get(message["flow-id"])  # from its cache but for once in five minutes: not worth a thread
    url = f"{GATEWAY_BASE_URL}/enc/{flow.endpoint}/create"
    async with http().post(url, data=seal(flow, message)) as response:
        return outcome_of(await response.read())


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Handle a batch; names the messages that SQS must keep."""
    return async_process_partial_response(event, handle_record, processor, context)


async def _in_thread(function: Callable[..., _Result], *arguments: object) -> _Result:
    return await asyncio.get_running_loop().run_in_executor(executor, function, *arguments)
