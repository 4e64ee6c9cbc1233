"""The outcomes table in DynamoDB: the records of calls, and the pauses."""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from itertools import chain
from typing import TYPE_CHECKING, Any

from sealed_relay_operations.pauses import LISTED_AS, PAUSE, Item

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

PAUSES_INDEX = "pauses"
_KEY = "call_id"
_MAX_KEYS = 100
"""How many keys BatchGetItem takes: its quota."""
_MAX_READS = 6
_FIRST_BACKOFF_SECONDS = 0.05


class RecordsError(Exception):
    """DynamoDB did not read some of the items. Without its records no entry may be moved."""


class DynamoDBRecords:
    """The records in the table of this name; see `ports.Records`. `executor` runs several reads at once."""

    def __init__(
        self, client: "DynamoDBClient", table_name: str, executor: Executor, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._reader = _Reader(client, table_name, sleep)
        self._executor = executor

    def statuses(self, call_ids: Sequence[str]) -> dict[str, str]:
        """Read statuses with consistent reads. Raises RecordsError."""
        parts = self._executor.map(self._reader.read, _batches(call_ids))
        return {str(item[_KEY]): str(item["status"]) for item in chain.from_iterable(parts)}


class DynamoDBPauses:
    """The pauses in the table of this name; see `ports.Pauses`."""

    def __init__(self, client: "DynamoDBClient", table_name: str, sleep: Callable[[float], None] = time.sleep) -> None:
        self._client = client
        self._table_name = table_name
        self._reader = _Reader(client, table_name, sleep)

    def put(self, key: str, item: Item) -> Item:
        """Write a pause without a condition. The relay's own write, which has one, then fails and reads it."""
        written = {name: _attribute(value) for name, value in {**item, _KEY: key}.items()}
        response = self._client.put_item(TableName=self._table_name, Item=written, ReturnValues="ALL_OLD")
        return _item(response.get("Attributes", {}))

    def delete(self, key: str) -> Item:
        """Delete a pause without a condition."""
        response = self._client.delete_item(TableName=self._table_name, Key={_KEY: {"S": key}}, ReturnValues="ALL_OLD")
        return _item(response.get("Attributes", {}))

    def list_keys(self) -> list[str]:
        """Look the keys up in the index, which has nothing but pauses."""
        keys: list[str] = []
        start: dict[str, Any] = {}
        while True:
            response = self._client.query(
                TableName=self._table_name,
                IndexName=PAUSES_INDEX,
                KeyConditionExpression="#listed_as = :pause",
                ExpressionAttributeNames={"#listed_as": LISTED_AS},
                ExpressionAttributeValues={":pause": {"S": PAUSE}},
                **start,
            )
            keys += [item[_KEY]["S"] for item in response["Items"]]
            if "LastEvaluatedKey" not in response:
                return keys
            start = {"ExclusiveStartKey": response["LastEvaluatedKey"]}

    def read(self, keys: Sequence[str]) -> dict[str, Item]:
        """Read items with consistent reads. Raises RecordsError."""
        items = chain.from_iterable(map(self._reader.read, _batches(keys)))
        return {str(item[_KEY]): item for item in items}


class _Reader:
    """Reads items of a table with consistent reads, and reads again what DynamoDB left out."""

    def __init__(self, client: "DynamoDBClient", table_name: str, sleep: Callable[[float], None]) -> None:
        self._client = client
        self._table_name = table_name
        self._sleep = sleep

    def read(self, keys: Sequence[str]) -> list[Item]:
        found: list[Item] = []
        unread: Any = {
            self._table_name: {
                "Keys": [{_KEY: {"S": key}} for key in keys],
                "ProjectionExpression": ", ".join(f"#{name}" for name in _READ),
                "ExpressionAttributeNames": {f"#{name}": name for name in _READ},
                "ConsistentRead": True,
            }
        }
        for attempt in range(_MAX_READS):
            if attempt:
                self._sleep(_FIRST_BACKOFF_SECONDS * 2**attempt)
            response = self._client.batch_get_item(RequestItems=unread)
            found += map(_item, response["Responses"].get(self._table_name, []))
            unread = response.get("UnprocessedKeys")
            if not unread:
                return found
        raise RecordsError(f"DynamoDB left some records unread in each of {_MAX_READS} attempts.")


_READ = (_KEY, "status", "reason", "code", "since_ms", "next_probe_at_ms")
"""The attributes that are read: the status of a call, and what a pause says. No other attribute is needed."""


def _batches(keys: Sequence[str]) -> list[list[str]]:
    unique = list(dict.fromkeys(keys))  # DynamoDB refuses a batch of reads that names a key twice
    return [unique[start : start + _MAX_KEYS] for start in range(0, len(unique), _MAX_KEYS)]


def _attribute(value: str | int) -> "AttributeValueTypeDef":
    return {"S": value} if isinstance(value, str) else {"N": str(value)}


def _item(attributes: Mapping[str, Any]) -> dict[str, str | int]:
    """The texts and whole numbers among the attributes."""
    item: dict[str, str | int] = {}
    for name, attribute in attributes.items():
        match attribute:
            case {"S": str(text)}:
                item[name] = text
            case {"N": str(number)} if number.lstrip("-").isdecimal():
                item[name] = int(number)
    return item
