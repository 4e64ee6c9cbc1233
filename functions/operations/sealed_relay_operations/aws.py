"""The adapters on AWS: the failure queue and the ingress queue in SQS, the outcome records in DynamoDB."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Executor
from itertools import chain
from typing import TYPE_CHECKING, Any

from sealed_relay_operations.entry import REDRIVEN, Entry, calls_in
from sealed_relay_operations.ports import MAX_BATCH_ENTRIES

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

_LONG_POLL_SECONDS = 1
"""A receive that waits asks all servers of SQS. A receive that does not wait asks a few, and may miss entries."""
_MAX_KEYS = 100
"""How many keys BatchGetItem takes: its quota."""
_MAX_DELETES = 4
_MAX_READS = 6
_FIRST_BACKOFF_SECONDS = 0.05


class RecordsError(Exception):
    """DynamoDB did not read some of the records. Without its records no entry may be moved."""


class SqsFailureQueue:
    """The failure queue with this URL; see `ports.FailureQueue`."""

    def __init__(self, client: "SQSClient", queue_url: str, sleep: Callable[[float], None] = time.sleep) -> None:
        self._client = client
        self._queue_url = queue_url
        self._sleep = sleep

    def receive(self, max_entries: int, visibility_timeout_seconds: int) -> list[Entry]:
        """Receive entries with one long poll."""
        response = self._client.receive_message(
            QueueUrl=self._queue_url,
            MaxNumberOfMessages=max_entries,
            VisibilityTimeout=visibility_timeout_seconds,
            WaitTimeSeconds=_LONG_POLL_SECONDS,
            MessageAttributeNames=["reason", "code"],
            # AWSTraceHeader is left out on purpose: see SqsIngressQueue.
            MessageSystemAttributeNames=["SentTimestamp", "DeadLetterQueueSourceArn"],
        )
        return [_entry(message) for message in response.get("Messages", [])]

    def delete(self, receipt_handles: Collection[str]) -> None:
        """Delete entries. Entries that SQS refuses to delete are tried again, four times in all."""
        remaining = dict(enumerate(receipt_handles))
        for attempt in range(_MAX_DELETES):
            if not remaining:
                return
            if attempt:
                self._sleep(_FIRST_BACKOFF_SECONDS * 2**attempt)
            response = self._client.delete_message_batch(
                QueueUrl=self._queue_url,
                Entries=[{"Id": str(index), "ReceiptHandle": handle} for index, handle in remaining.items()],
            )
            refused = [int(failure["Id"]) for failure in response.get("Failed", [])]
            remaining = {index: remaining[index] for index in refused}

    def release(self, receipt_handles: Collection[str]) -> None:
        """Set the visibility timeouts of entries to zero. An entry that SQS refuses keeps its timeout."""
        handles = list(receipt_handles)
        for start in range(0, len(handles), MAX_BATCH_ENTRIES):
            self._client.change_message_visibility_batch(
                QueueUrl=self._queue_url,
                Entries=[
                    {"Id": str(index), "ReceiptHandle": handle, "VisibilityTimeout": 0}
                    for index, handle in enumerate(handles[start : start + MAX_BATCH_ENTRIES])
                ],
            )


class SqsIngressQueue:
    """The ingress queue with this URL; see `ports.IngressQueue`.

    It sends the bodies unchanged, byte for byte, and no attribute. The entry's AWSTraceHeader must not be sent: it
    counts how many functions have passed the message on. At about 16 Lambda takes the message for part of an endless
    loop and drops it. The SDK adds the trace of this invocation instead. A person began this invocation and no queue
    did, so the count starts again with each replay.
    https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
    """

    def __init__(self, client: "SQSClient", queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def send(self, bodies: Mapping[str, str]) -> set[str]:
        """Send a batch. Bodies that SQS refuses are not sent again: another run will find their entries."""
        message_ids = list(bodies)
        response = self._client.send_message_batch(
            QueueUrl=self._queue_url,
            Entries=[{"Id": str(index), "MessageBody": bodies[id_]} for index, id_ in enumerate(message_ids)],
        )
        return {message_ids[int(taken["Id"])] for taken in response.get("Successful", [])}


class DynamoDBRecords:
    """The records in the table of this name; see `ports.Records`. `executor` runs several reads at once."""

    def __init__(
        self, client: "DynamoDBClient", table_name: str, executor: Executor, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._client = client
        self._table_name = table_name
        self._executor = executor
        self._sleep = sleep

    def statuses(self, call_ids: Sequence[str]) -> dict[str, str]:
        """Read statuses with consistent reads. Raises RecordsError."""
        unique = list(dict.fromkeys(call_ids))  # DynamoDB refuses a batch of reads that names a key twice
        batches = [unique[start : start + _MAX_KEYS] for start in range(0, len(unique), _MAX_KEYS)]
        return dict(chain.from_iterable(self._executor.map(self._read, batches)))

    def _read(self, call_ids: Sequence[str]) -> list[tuple[str, str]]:
        found = []
        unread: Any = {
            self._table_name: {
                "Keys": [{"call_id": {"S": call_id}} for call_id in call_ids],
                "ProjectionExpression": "call_id, #status",
                "ExpressionAttributeNames": {"#status": "status"},
                "ConsistentRead": True,
            }
        }
        for attempt in range(_MAX_READS):
            if attempt:
                self._sleep(_FIRST_BACKOFF_SECONDS * 2**attempt)
            response = self._client.batch_get_item(RequestItems=unread)
            items = response["Responses"].get(self._table_name, [])
            found += [(item["call_id"]["S"], item["status"]["S"]) for item in items]
            unread = response.get("UnprocessedKeys")
            if not unread:
                return found
        raise RecordsError(f"DynamoDB left some records unread in each of {_MAX_READS} attempts.")


def _entry(message: "MessageTypeDef") -> Entry:
    system = message["Attributes"]
    attributes = message.get("MessageAttributes", {})
    reason = attributes["reason"].get("StringValue", "") if "reason" in attributes else ""
    code = attributes["code"].get("StringValue", "") if "code" in attributes else ""
    # A message that SQS redrove has the producer's attributes, so its `reason` is not the relay's. An entry of the
    # relay has no reason if its body left no space for attributes. The records tell how the calls of both ended.
    is_redriven = "DeadLetterQueueSourceArn" in system or not reason
    return Entry(
        message_id=message["MessageId"],
        receipt_handle=message["ReceiptHandle"],
        body=message["Body"],
        reason=REDRIVEN if is_redriven else reason,
        code=int(code) if code and not is_redriven else None,
        sent_at=int(system["SentTimestamp"]) / 1000,
        calls=calls_in(message["Body"]),
    )
