"""The queues in SQS: the failure queue, the queues that entries return to, and their counts."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from sealed_relay_operations.ports import MAX_BATCH_ENTRIES, Messages
from sealed_relay_operations.reasons import REDRIVEN
from sealed_relay_operations.replay.entry import INGRESS, Entry, calls_in

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef, SendMessageBatchRequestEntryTypeDef

_LONG_POLL_SECONDS = 1
"""A receive that waits asks all servers of SQS. A receive that does not wait asks a few, and may miss entries."""
_MAX_DELETES = 4
_FIRST_BACKOFF_SECONDS = 0.05


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
            MessageAttributeNames=["reason", "code", "source_queue"],
            # AWSTraceHeader is left out on purpose: see SqsSourceQueue.
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


class SqsSourceQueue:
    """A queue that entries return to, with this URL; see `ports.SourceQueue`.

    It sends the bodies unchanged, byte for byte, and no attribute. The message group is the flow, as the producers set
    it, so that SQS's fair queues keep a flow with many entries from holding up the others. The entry's AWSTraceHeader
    must not be sent: it counts how many functions have passed the message on. At about 16 Lambda takes the message for
    part of an endless loop and drops it. The SDK adds the trace of this invocation instead. A person began this
    invocation and no queue did, so the count starts again with each replay.
    https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
    """

    def __init__(self, client: "SQSClient", queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def send(self, entries: Sequence[Entry]) -> set[str]:
        """Send a batch. Bodies that SQS refuses are not sent again: another run will find their entries."""
        response = self._client.send_message_batch(
            QueueUrl=self._queue_url, Entries=[_message(str(index), entry) for index, entry in enumerate(entries)]
        )
        return {entries[int(taken["Id"])].message_id for taken in response.get("Successful", [])}


class SqsCounts:
    """Counts the messages of queues, whose URLs are given by their names."""

    def __init__(self, client: "SQSClient", queue_urls: Mapping[str, str]) -> None:
        self._client = client
        self._queue_urls = queue_urls

    def count(self) -> dict[str, Messages]:
        """The messages in each queue. SQS counts them about right, and up to a minute late."""
        return {name: self._count(url) for name, url in self._queue_urls.items()}

    def _count(self, queue_url: str) -> Messages:
        response = self._client.get_queue_attributes(
            QueueUrl=queue_url,
            AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
        )
        counts = response["Attributes"]
        return Messages(
            ready=int(counts["ApproximateNumberOfMessages"]),
            in_flight=int(counts["ApproximateNumberOfMessagesNotVisible"]),
        )


def _message(id_: str, entry: Entry) -> "SendMessageBatchRequestEntryTypeDef":
    if not entry.calls.flow_id:
        return {"Id": id_, "MessageBody": entry.body}
    return {"Id": id_, "MessageBody": entry.body, "MessageGroupId": entry.calls.flow_id}


def _entry(message: "MessageTypeDef") -> Entry:
    system = message["Attributes"]
    attributes = {name: str(each.get("StringValue", "")) for name, each in message.get("MessageAttributes", {}).items()}
    reason, code = attributes.get("reason", ""), attributes.get("code", "")
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
        source_queue=INGRESS if is_redriven else attributes.get("source_queue", INGRESS),
    )
