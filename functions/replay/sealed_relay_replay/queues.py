"""The failure queue and the ingress queue in SQS."""

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from sealed_relay_replay.entry import Entry, calls_in
from sealed_relay_replay.event import REDRIVEN
from sealed_relay_replay.packing import MAX_ENTRIES

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

_LONG_POLL_SECONDS = 1
"""A receive that waits asks all of SQS's servers; one that does not, a few, and may find none where there are some."""
_TRIES = 4
_FIRST_BACKOFF_SECONDS = 0.05


class SqsFailureQueue:
    """The failure queue with this URL; see `ports.FailureQueue`."""

    def __init__(self, client: "SQSClient", queue_url: str, sleep: Callable[[float], None] = time.sleep) -> None:
        self._client = client
        self._queue_url = queue_url
        self._sleep = sleep

    def receive(self, most: int, out_of_sight_seconds: int) -> list[Entry]:
        """Receive entries by long polling."""
        response = self._client.receive_message(
            QueueUrl=self._queue_url,
            MaxNumberOfMessages=most,
            VisibilityTimeout=out_of_sight_seconds,
            WaitTimeSeconds=_LONG_POLL_SECONDS,
            MessageAttributeNames=["reason", "code"],
            # Not AWSTraceHeader: see SqsIngressQueue.
            MessageSystemAttributeNames=["SentTimestamp", "DeadLetterQueueSourceArn"],
        )
        return [_entry(message) for message in response.get("Messages", [])]

    def delete(self, receipt_handles: Collection[str]) -> None:
        """Delete entries, trying again those that SQS refuses."""
        left = dict(enumerate(receipt_handles))
        for attempt in range(_TRIES):
            if not left:
                return
            if attempt:
                self._sleep(_FIRST_BACKOFF_SECONDS * 2**attempt)
            response = self._client.delete_message_batch(
                QueueUrl=self._queue_url,
                Entries=[{"Id": str(index), "ReceiptHandle": handle} for index, handle in left.items()],
            )
            left = {int(failure["Id"]): left[int(failure["Id"])] for failure in response.get("Failed", [])}

    def release(self, receipt_handles: Collection[str]) -> None:
        """End the visibility timeouts of entries; those that SQS refuses keep theirs."""
        for handles in _in_parts(list(receipt_handles)):
            self._client.change_message_visibility_batch(
                QueueUrl=self._queue_url,
                Entries=[
                    {"Id": str(index), "ReceiptHandle": handle, "VisibilityTimeout": 0}
                    for index, handle in enumerate(handles)
                ],
            )


class SqsIngressQueue:
    """The ingress queue with this URL; see `ports.IngressQueue`.

    Bodies go over, byte for byte, and nothing else. Above all not the entry's AWSTraceHeader: its lineage counts how
    often functions have handed the message on, and at about 16 Lambda would take replays, each of them asked for by a
    person, for an endless loop, and drop the message. What this function sends bears the trace of its own invocation,
    by the SDK, and that one was begun by a person and no queue: each replay counts from one.
    https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
    """

    def __init__(self, client: "SQSClient", queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def send(self, bodies: Mapping[str, str]) -> set[str]:
        """Send a batch; what SQS refuses of it is left to another run."""
        message_ids = list(bodies)
        response = self._client.send_message_batch(
            QueueUrl=self._queue_url,
            Entries=[{"Id": str(index), "MessageBody": bodies[id_]} for index, id_ in enumerate(message_ids)],
        )
        return {message_ids[int(taken["Id"])] for taken in response.get("Successful", [])}


def _entry(message: "MessageTypeDef") -> Entry:
    system = message["Attributes"]
    attributes = message.get("MessageAttributes", {})
    reason = attributes["reason"].get("StringValue", "") if "reason" in attributes else ""
    code = attributes["code"].get("StringValue", "") if "code" in attributes else ""
    # What SQS redrove bears the producer's own attributes, whatever those are. Without a reason there are also the
    # relay's entries whose body filled the message to the brim: of them too only the records tell how they ended.
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


def _in_parts(handles: Sequence[str]) -> Iterator[Sequence[str]]:
    return (handles[start : start + MAX_ENTRIES] for start in range(0, len(handles), MAX_ENTRIES))
