"""The canonical function with a thread pool: Powertools' processor handles its records side by side."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.typing import LambdaContext

from tests.bench.peers.canonical import handle_record, logger
from tests.bench.peers.resources import AT_ONCE, idempotency

executor = ThreadPoolExecutor(AT_ONCE)


class ThreadedBatchProcessor(BatchProcessor):
    """Its records' outcomes are kept in lists, and threads may append to a list."""

    def process(self) -> list[tuple[Any, ...]]:
        """Handle each record; answers in their order."""
        return list(executor.map(self._process_record, self.records))


processor = ThreadedBatchProcessor(EventType.SQS)


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Handle a batch; names the messages that SQS must keep."""
    idempotency.register_lambda_context(context)
    return process_partial_response(event, handle_record, processor, context)
