"""The relay of the local stack as a run sees it: queues and table through boto3, the simulator through its client."""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime

from botocore.config import Config
from mypy_boto3_dynamodb import DynamoDBServiceResource
from mypy_boto3_sqs import SQSClient
from mypy_boto3_sqs.literals import QueueAttributeNameType

from local.run.accounting import Audit, Failure, Record, SentMessage, answer_name
from local.run.failure_queue import FailureQueue
from local.run.messages import OutgoingMessage
from local.simulator.client import SimulatorClient
from local.stack.stack_files import Stack
from sealed_relay.aws.parts import in_parts
from sealed_relay.calls.message import Lane
from sealed_relay.calls.outcome import Status

_MAX_ENTRIES = 10
_MAX_KEYS = 100
_MAX_CONNECTIONS = 4
_COUNTS: tuple[QueueAttributeNameType, ...] = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)


class RelayClient:
    """Implements `send_and_wait.RelayUnderTest` on a running local stack. `simulator` is None with another gateway."""

    def __init__(
        self,
        stack: Stack,
        sqs: SQSClient,
        dynamodb: DynamoDBServiceResource,
        failure_queue: FailureQueue,
        simulator: SimulatorClient | None,
    ) -> None:
        self._queue_urls = {
            Lane.INGRESS: stack.outputs["IngressQueueUrl"],
            Lane.URGENT: stack.outputs["UrgentQueueUrl"],
        }
        self._table_name = stack.outputs["OutcomesTableName"]
        self._sqs = sqs
        self._dynamodb = dynamodb
        self._failure_queue = failure_queue
        self._simulator = simulator

    def send(self, messages: Sequence[OutgoingMessage]) -> list[SentMessage]:
        """Put messages on their queues. Raise RuntimeError if SQS refuses any."""
        by_queue = [[message for message in messages if message.queue is queue] for queue in self._queue_urls]
        parts = [part for queued in by_queue for part in in_parts(queued, _MAX_ENTRIES)]
        with ThreadPoolExecutor(_MAX_CONNECTIONS) as executor:
            return [sent for part in executor.map(self._send, parts) for sent in part]

    def backlog(self) -> int:
        """Return how many messages the two queues hold, visible or not."""
        answers = [
            self._sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=list(_COUNTS))
            for queue_url in self._queue_urls.values()
        ]
        return sum(int(answer["Attributes"].get(name, 0)) for answer in answers for name in _COUNTS)

    def records(self, call_ids: Sequence[str]) -> dict[str, Record]:
        """Return the outcome records of these calls, as far as there are any."""
        return {call_id: record for keys in in_parts(call_ids, _MAX_KEYS) for call_id, record in self._read(keys)}

    def take_failures(self, message_ids: set[str]) -> list[Failure]:
        """Take the failures of these messages from the failure queue."""
        return self._failure_queue.take(message_ids)

    def audit(self, suffix: str) -> Audit | None:
        """Return the simulator's audit of the calls whose id ends in `suffix`; None without a simulator."""
        if self._simulator is None:
            return None
        taken = {
            call_id: [acceptance.phonon_uuid for acceptance in acceptances]
            for call_id, acceptances in self._simulator.accepted_calls().items()
            if call_id.endswith(suffix)
        }
        counts = self._simulator.audit()
        codes = {answer_name(code): count for code, count in sorted(counts.answered_by_code.items())}
        return Audit(taken, codes | counts.answered_without_verdict)

    def _send(self, messages: Sequence[OutgoingMessage]) -> list[SentMessage]:
        queue, sent_at = messages[0].queue, time.time()
        answer = self._sqs.send_message_batch(
            QueueUrl=self._queue_urls[queue],
            Entries=[
                # The group makes a standard queue fair. A message whose flow cannot be read has a group of its own.
                {"Id": str(index), "MessageBody": message.body, "MessageGroupId": message.flow_id or "unknown"}
                for index, message in enumerate(messages)
            ],
        )
        if answer.get("Failed"):
            raise RuntimeError(f"the {queue} queue refused {len(answer['Failed'])} messages")
        ids = {entry["Id"]: entry["MessageId"] for entry in answer["Successful"]}
        return [
            SentMessage(ids[str(index)], message.call_ids, queue, sent_at) for index, message in enumerate(messages)
        ]

    def _read(self, call_ids: Sequence[str]) -> Iterator[tuple[str, Record]]:
        keys = [{"call_id": call_id} for call_id in call_ids]
        # DynamoDB may leave out some keys of a large request. The next poll asks for them again.
        answer = self._dynamodb.batch_get_item(RequestItems={self._table_name: {"Keys": keys}})
        for item in answer["Responses"][self._table_name]:
            yield (
                str(item["call_id"]),
                Record(
                    Status(str(item["status"])),
                    str(item["request_id"]),
                    str(item.get("phonon_uuid", "")),
                    datetime.fromisoformat(str(item["updated_at"])).timestamp(),
                ),
            )


@contextmanager
def connect_relay(stack: Stack) -> Iterator[RelayClient]:
    """Connect to a running stack, and close everything when the block ends."""
    session = stack.aws().session()
    config = Config(max_pool_connections=_MAX_CONNECTIONS, retries={"mode": "standard"})
    sqs = session.client("sqs", endpoint_url=stack.endpoint_url, config=config)
    dynamodb = session.resource("dynamodb", endpoint_url=stack.endpoint_url, config=config)
    failure_queue = FailureQueue(sqs, stack.outputs["FailureQueueUrl"])
    simulator = SimulatorClient(stack.simulator_url) if stack.simulator_url else None
    try:
        yield RelayClient(stack, sqs, dynamodb, failure_queue, simulator)
    finally:
        failure_queue.release()
        if simulator:
            simulator.close()
        dynamodb.meta.client.close()
        sqs.close()
