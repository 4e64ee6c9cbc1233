"""Reads the failure queue, and takes only the messages of this run."""

from typing import TYPE_CHECKING

from local.run.accounting import Failure
from local.run.messages import read_outgoing
from sealed_relay.aws.parts import in_parts

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

_MAX_MESSAGES = 10
# Long enough to read the whole queue without receiving a message twice.
_INVISIBLE_SECONDS = 60


class FailureQueue:
    """The failure queue with this URL."""

    def __init__(self, client: "SQSClient", queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url
        self._foreign: dict[str, str] = {}  # message id -> its latest receipt handle

    def take(self, source_message_ids: set[str]) -> list[Failure]:
        """Receive and delete the failures of these messages. All others stay, invisible until `release`."""
        failures = []
        while messages := self._receive():
            own = [message for message in messages if _source_message_id(message) in source_message_ids]
            self._foreign |= {
                message["MessageId"]: message["ReceiptHandle"] for message in messages if message not in own
            }
            if own:
                self._client.delete_message_batch(
                    QueueUrl=self._queue_url,
                    Entries=[
                        {"Id": str(index), "ReceiptHandle": message["ReceiptHandle"]}
                        for index, message in enumerate(own)
                    ],
                )
            failures += [_failure(message) for message in own]
        return failures

    def release(self) -> None:
        """Make the messages of others visible again."""
        for receipt_handles in in_parts(list(self._foreign.values()), _MAX_MESSAGES):
            # In a batch, a message that was deleted meanwhile raises no error.
            self._client.change_message_visibility_batch(
                QueueUrl=self._queue_url,
                Entries=[
                    {"Id": str(index), "ReceiptHandle": receipt_handle, "VisibilityTimeout": 0}
                    for index, receipt_handle in enumerate(receipt_handles)
                ],
            )
        self._foreign.clear()

    def _receive(self) -> "list[MessageTypeDef]":
        answer = self._client.receive_message(
            QueueUrl=self._queue_url,
            MaxNumberOfMessages=_MAX_MESSAGES,
            VisibilityTimeout=_INVISIBLE_SECONDS,
            MessageAttributeNames=["All"],
        )
        return answer.get("Messages", [])


def _failure(message: "MessageTypeDef") -> Failure:
    code = _attribute(message, "code")
    return Failure(
        source_message_id=_source_message_id(message),
        reason=_attribute(message, "reason"),
        code=int(code) if code else None,
        call_ids=read_outgoing(message["Body"]).call_ids,
    )


def _source_message_id(message: "MessageTypeDef") -> str:
    # A message that SQS moves here keeps its id.
    return _attribute(message, "source_message_id") or message["MessageId"]


def _attribute(message: "MessageTypeDef", name: str) -> str:
    attribute = message.get("MessageAttributes", {}).get(name)
    return attribute.get("StringValue", "") if attribute else ""
