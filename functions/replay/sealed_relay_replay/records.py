"""The outcome records in DynamoDB."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from itertools import chain
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_MAX_KEYS = 100
"""What BatchGetItem takes."""
_TRIES = 6
_FIRST_BACKOFF_SECONDS = 0.05


class RecordsError(Exception):
    """DynamoDB did not read some of the records; nothing may be moved without them."""


class DynamoDBRecords:
    """The records in the table of this name; see `ports.Records`. `executor` runs the round trips side by side."""

    def __init__(
        self, client: "DynamoDBClient", table_name: str, executor: Executor, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._client = client
        self._table_name = table_name
        self._executor = executor
        self._sleep = sleep

    def statuses(self, call_ids: Sequence[str]) -> dict[str, str]:
        """Read statuses, consistently. Raises RecordsError."""
        different = list(dict.fromkeys(call_ids))  # DynamoDB refuses a batch of reads that names a key twice
        parts = [different[start : start + _MAX_KEYS] for start in range(0, len(different), _MAX_KEYS)]
        return dict(chain.from_iterable(self._executor.map(self._read, parts)))

    def _read(self, call_ids: Sequence[str]) -> list[tuple[str, str]]:
        found = []
        wanted: Any = {
            self._table_name: {
                "Keys": [{"call_id": {"S": call_id}} for call_id in call_ids],
                "ProjectionExpression": "call_id, #status",
                "ExpressionAttributeNames": {"#status": "status"},
                "ConsistentRead": True,
            }
        }
        for attempt in range(_TRIES):
            if attempt:
                self._sleep(_FIRST_BACKOFF_SECONDS * 2**attempt)
            response = self._client.batch_get_item(RequestItems=wanted)
            items = response["Responses"].get(self._table_name, [])
            found += [(item["call_id"]["S"], item["status"]["S"]) for item in items]
            wanted = response.get("UnprocessedKeys")
            if not wanted:
                return found
        raise RecordsError("DynamoDB kept refusing reads for now.")
