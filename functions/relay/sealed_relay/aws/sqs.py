"""The failure queue and the source queues in SQS."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from sealed_relay.aws.parts import in_parts
from sealed_relay.ports import Failure

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import (
        MessageAttributeValueTypeDef,
        MessageAttributeValueUnionTypeDef,
        SendMessageBatchRequestEntryTypeDef,
    )

_MAX_ENTRIES = 10
_MAX_MESSAGE_BYTES = 1_048_576
"""For one message with its attributes, and for all messages of one batch: SQS's quotas since 2025."""
_MAX_VISIBILITY_SECONDS = 43_200 - 900
"""SQS allows 12 hours from the receipt. An invocation has used at most 15 minutes of them."""
_TRIES = 4
_FIRST_BACKOFF_SECONDS = 0.05


class FailureQueueError(ClientError):
    """The failure queue did not take every message. The calls in the others are not settled, and come back.

    A ClientError, because SQS also refuses entries one by one inside an answer of HTTP 200. The log then names the
    error code and the operation in the same fields.
    """

    def __init__(self, error_code: str, text: str) -> None:
        super().__init__({"Error": {"Code": error_code, "Message": text}}, "SendMessageBatch")


class FailureQueue:
    """Publishes failures to the queue with this URL."""

    def __init__(self, client: "SQSClient", queue_url: str, sleep: Callable[[float], None] = time.sleep) -> None:
        self._client = client
        self._queue_url = queue_url
        self._sleep = sleep

    def publish(self, failures: Sequence[Failure]) -> None:
        """Return once the queue holds all of them. Raises FailureQueueError, or botocore's errors."""
        for entries in _batches([_entry(str(index), failure) for index, failure in enumerate(failures)]):
            left = entries
            for attempt in range(_TRIES):
                response = self._client.send_message_batch(QueueUrl=self._queue_url, Entries=left)
                codes = {failed["Id"]: failed["Code"] for failed in response.get("Failed", [])}
                left = [entry for entry in left if entry["Id"] in codes]
                if not left:
                    break
                self._sleep(_FIRST_BACKOFF_SECONDS * 2**attempt)
            else:
                text = f"The failure queue refused {len(left)} of {len(failures)} messages."
                raise FailureQueueError(codes[left[0]["Id"]], text)


class SourceQueue:
    """Defers messages of the queue with this URL. `executor` runs the round trips side by side."""

    def __init__(self, client: "SQSClient", queue_url: str, executor: Executor) -> None:
        self._client = client
        self._queue_url = queue_url
        self._executor = executor

    def defer(self, delays_seconds: Mapping[str, float]) -> None:
        """Change visibility timeouts; see `ports.SourceQueue`. Messages that SQS refuses keep their timeout."""
        for _ in self._executor.map(self._defer, in_parts(list(delays_seconds.items()), _MAX_ENTRIES)):
            pass

    def _defer(self, delays_seconds: Sequence[tuple[str, float]]) -> None:
        self._client.change_message_visibility_batch(
            QueueUrl=self._queue_url,
            Entries=[
                {
                    "Id": str(index),
                    "ReceiptHandle": receipt_handle,
                    # Rounded up: the record's lease must be over when the message comes back.
                    "VisibilityTimeout": min(max(0, int(seconds)) + 1, _MAX_VISIBILITY_SECONDS),
                }
                for index, (receipt_handle, seconds) in enumerate(delays_seconds)
            ],
        )


def _entry(entry_id: str, failure: Failure) -> "SendMessageBatchRequestEntryTypeDef":
    texts = {
        "reason": failure.reason,
        "detail": failure.detail,
        "source_message_id": failure.source_message_id,
        "source_queue": failure.source_queue,
        "request_id": failure.request_id,
        "api_request_id": failure.api_request_id,
    }
    attributes: dict[str, MessageAttributeValueTypeDef] = {
        name: {"DataType": "String", "StringValue": text} for name, text in texts.items() if text
    }
    if failure.code is not None:
        attributes["code"] = {"DataType": "Number", "StringValue": str(failure.code)}
    # A body of the maximum size leaves no room for attributes. The body must not be lost, so attributes go.
    for name in ("detail", "api_request_id", "request_id", "source_message_id", "code", "source_queue", "reason"):
        if _size_bytes(failure.body, attributes) > _MAX_MESSAGE_BYTES:
            attributes.pop(name, None)
    return {"Id": entry_id, "MessageBody": failure.body, "MessageAttributes": attributes}


def _size_bytes(body: str, attributes: "Mapping[str, MessageAttributeValueUnionTypeDef]") -> int:
    return len(body.encode()) + sum(
        len(name) + len(attribute["DataType"]) + len(attribute.get("StringValue", "").encode())
        for name, attribute in attributes.items()
    )


def _batches(
    entries: Sequence["SendMessageBatchRequestEntryTypeDef"],
) -> Iterator[list["SendMessageBatchRequestEntryTypeDef"]]:
    """Batches within SQS's limits, in entries and in bytes."""
    batch: list[SendMessageBatchRequestEntryTypeDef] = []
    batch_bytes = 0
    for entry in entries:
        entry_bytes = _size_bytes(entry["MessageBody"], entry.get("MessageAttributes", {}))
        if batch and (len(batch) == _MAX_ENTRIES or batch_bytes + entry_bytes > _MAX_MESSAGE_BYTES):
            yield batch
            batch, batch_bytes = [], 0
        batch.append(entry)
        batch_bytes += entry_bytes
    if batch:
        yield batch
