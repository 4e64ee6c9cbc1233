"""The relay's table in DynamoDB."""

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from sealed_relay.aws.parts import in_parts
from sealed_relay.ports import KEY, Change, Item, Value

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import (
        AttributeValueTypeDef,
        BatchStatementRequestTypeDef,
        BatchStatementResponseTypeDef,
    )

_MAX_STATEMENTS = 25
"""The most that BatchExecuteStatement takes. Each is a conditional write of its own, at the price of a plain write."""
_MAX_KEYS = 100
"""The most that BatchGetItem takes."""
_WHOLE_NUMBER = re.compile(r"-?\d{1,38}")
_ROUND_TRIPS_AT_ONCE = 8
_WRITE = "BatchExecuteStatement"
_READ = "BatchGetItem"
_TRIES = 6
_FIRST_BACKOFF_SECONDS = 0.05
_CONDITION_FAILED = frozenset({"ConditionalCheckFailed", "DuplicateItem"})
_TRANSIENT = frozenset(
    {
        "InternalServerError",
        "ProvisionedThroughputExceeded",
        "RequestLimitExceeded",
        "ThrottlingError",
        "TransactionConflict",
    }
)


class TableError(ClientError):
    """DynamoDB did not do some of the writes or reads. It may have done the others.

    A ClientError, because DynamoDB also refuses statements one by one inside an answer of HTTP 200, for which botocore
    raises nothing. The log then names the error code and the operation in the same fields.
    """

    def __init__(self, error_code: str, operation: str, text: str) -> None:
        super().__init__({"Error": {"Code": error_code, "Message": text}}, operation)


def refuse_keys_named_twice(keys: Sequence[str]) -> None:
    """Raise what DynamoDB answers to a round trip that names a key twice.

    DynamoDB refuses only if both writes are in the same round trip. This refuses every call with a key twice.
    """
    if len(set(keys)) < len(keys):
        raise TableError("ValidationException", _WRITE, "Provided list of item keys contains duplicates")


class DynamoDBTable:
    """One DynamoDB table with the string key `call_id`.

    Writes are PartiQL: only BatchExecuteStatement does many conditional writes in one round trip, each on its own.
    """

    def __init__(self, client: "DynamoDBClient", name: str, sleep: Callable[[float], None] = time.sleep) -> None:
        self._client = client
        self._name = name
        self._sleep = sleep
        self._executor = ThreadPoolExecutor(_ROUND_TRIPS_AT_ONCE, thread_name_prefix="table")

    def insert(self, items: Sequence[Item]) -> list[bool]:
        """Write items that are not there yet; see `ports.Table`."""
        refuse_keys_named_twice([str(item[KEY]) for item in items])
        return self._write([self._insert_statement(item) for item in items])

    def update(self, changes: Sequence[Change]) -> list[bool]:
        """Change items whose expectations hold; see `ports.Table`."""
        refuse_keys_named_twice([change.key for change in changes])
        return self._write([self._update_statement(change) for change in changes])

    def read(self, keys: Sequence[str]) -> dict[str, Item]:
        """Read items consistently; see `ports.Table`."""
        different = list(dict.fromkeys(keys))  # DynamoDB refuses a batch of reads that names a key twice
        return dict(chain.from_iterable(self._executor.map(self._read_some, in_parts(different, _MAX_KEYS))))

    def _write(self, statements: Sequence["BatchStatementRequestTypeDef"]) -> list[bool]:
        """Round trips side by side, the last of them on the caller's own thread."""
        if not statements:
            return []
        *parts, last = in_parts(statements, _MAX_STATEMENTS)
        under_way = [self._executor.submit(self._write_some, part) for part in parts]
        try:
            answers_of_last = self._write_some(last)
            return [*chain.from_iterable(part.result() for part in under_way), *answers_of_last]
        except BaseException:
            for part in under_way:  # otherwise later writes would wait for the rest of a failed one
                part.cancel()
            raise

    def _write_some(self, statements: Sequence["BatchStatementRequestTypeDef"]) -> list[bool]:
        """One round trip, and more for statements with a transient error."""
        done: dict[int, bool] = {}
        left = list(range(len(statements)))
        codes: dict[int, str] = {}
        for backoff_seconds in self._backoffs_seconds():
            answers = self._round_trip([statements[index] for index in left])
            codes = dict(zip(left, map(_error_code, answers), strict=True))
            done |= {index: _is_done(code) for index, code in codes.items() if code not in _TRANSIENT}
            left = [index for index in left if index not in done]
            if not left:
                return [done[index] for index in range(len(statements))]
            self._sleep(backoff_seconds)
        text = f"DynamoDB refused {len(left)} of {len(statements)} writes {_TRIES} times."
        raise TableError(codes[left[0]], _WRITE, text)

    def _round_trip(
        self, statements: Sequence["BatchStatementRequestTypeDef"]
    ) -> list["BatchStatementResponseTypeDef"]:
        return self._client.batch_execute_statement(Statements=statements)["Responses"]

    def _read_some(self, keys: Sequence[str]) -> list[tuple[str, Item]]:
        found: list[tuple[str, Item]] = []
        wanted = {self._name: {"Keys": [{KEY: {"S": key}} for key in keys], "ConsistentRead": True}}
        for backoff_seconds in self._backoffs_seconds():
            response = self._client.batch_get_item(RequestItems=wanted)  # type: ignore[arg-type]
            for attributes in response["Responses"].get(self._name, []):
                # People write pauses by hand. An attribute of a type that the relay never writes is left out.
                values = ((name, _value(attribute)) for name, attribute in attributes.items())
                item = {name: value for name, value in values if value is not None}
                found.append((str(item[KEY]), item))
            wanted = response.get("UnprocessedKeys", {})  # type: ignore[assignment]
            if not wanted:
                return found
            self._sleep(backoff_seconds)
        raise TableError("UnprocessedKeys", _READ, f"DynamoDB left out some of {len(keys)} keys {_TRIES} times.")

    def _backoffs_seconds(self) -> Iterator[float]:
        return (_FIRST_BACKOFF_SECONDS * 2**attempt for attempt in range(_TRIES))

    def _insert_statement(self, item: Item) -> "BatchStatementRequestTypeDef":
        places = ", ".join(f"'{name}': ?" for name in item)
        return _statement(f'INSERT INTO "{self._name}" VALUE {{{places}}}', list(item.values()))

    def _update_statement(self, change: Change) -> "BatchStatementRequestTypeDef":
        kept = {name: value for name, value in change.attributes.items() if value is not None}
        sets = "".join(f' SET "{name}" = ?' for name in kept)
        removes = "".join(f' REMOVE "{name}"' for name in change.attributes if name not in kept)
        condition = "".join(f' AND "{name}" = ?' for name in change.expected)
        values: list[Value] = [*kept.values(), change.key, *change.expected.values()]
        return _statement(f'UPDATE "{self._name}"{sets}{removes} WHERE "{KEY}" = ?{condition}', values)


def _statement(text: str, values: Sequence[Value]) -> "BatchStatementRequestTypeDef":
    return {"Statement": text, "Parameters": [_attribute(value) for value in values]}


def _error_code(answer: "BatchStatementResponseTypeDef") -> str:
    return str(answer.get("Error", {}).get("Code", ""))


def _is_done(error_code: str) -> bool:
    if error_code and error_code not in _CONDITION_FAILED:
        raise TableError(error_code, _WRITE, "DynamoDB refused a write.")
    return not error_code


def _attribute(value: Value) -> "AttributeValueTypeDef":
    match value:
        case bool():
            return {"BOOL": value}
        case int():
            return {"N": str(value)}
        case bytes():
            return {"B": value}
        case str():
            return {"S": value}


def _value(attribute: Mapping[str, object]) -> Value | None:
    match attribute:
        case {"N": str(number)} if _WHOLE_NUMBER.fullmatch(number):
            return int(number)
        case {"S": str(value)} | {"BOOL": bool(value)} | {"B": bytes(value)}:
            return value
    return None
