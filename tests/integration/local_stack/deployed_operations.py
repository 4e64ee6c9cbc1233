"""The deployed operations function, as an operator uses it."""

import base64
import json
from typing import Any

import msgspec

from local.stack.stack_files import Stack
from sealed_relay_operations.replay.answer import Answer
from tests.support.aws_clients import AwsClients


class DeployedOperations:
    """The operations function on the stack, and the number of entries in its failure queue."""

    def __init__(self, stack: Stack, clients: AwsClients) -> None:
        self._clients = clients
        self._failure_queue_url = stack.outputs["FailureQueueUrl"]
        self.name = stack.outputs["OperationsFunctionName"]

    def run(self, **event: object) -> Answer:
        """Do one run with this event, over entries of any age."""
        answer, log = self.invoke({"action": "replay", "min_age_seconds": 0} | event)
        assert isinstance(answer, dict), log
        return msgspec.convert(answer, Answer)

    def invoke(self, event: object) -> tuple[Any, str]:
        """The function's answer to any event, and its log."""
        invoked = self._clients.functions.invoke(FunctionName=self.name, Payload=json.dumps(event), LogType="Tail")
        return json.loads(invoked["Payload"].read()), base64.b64decode(invoked.get("LogResult", "")).decode()

    def entries(self) -> int:
        """How many visible entries the failure queue has."""
        counts = self._clients.sqs.get_queue_attributes(
            QueueUrl=self._failure_queue_url, AttributeNames=["ApproximateNumberOfMessages"]
        )
        return int(counts["Attributes"]["ApproximateNumberOfMessages"])
