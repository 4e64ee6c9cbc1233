"""The deployed replay function as an operator sees it."""

import base64
import json
from typing import Any

import msgspec

from local.stack.records import Stack
from sealed_relay_replay.answer import Answer
from tests.support.aws_clients import AwsClients


class DeployedReplay:
    """The replay function on the stack, and a look into the failure queue that takes nothing out of it."""

    def __init__(self, stack: Stack, clients: AwsClients) -> None:
        self._clients = clients
        self._failure_queue_url = stack.outputs["FailureQueueUrl"]
        self.name = stack.outputs["ReplayFunctionName"]

    def run(self, **event: object) -> Answer:
        """One run with this event."""
        answer, log = self.invoke(event)
        assert isinstance(answer, dict), log
        return msgspec.convert(answer, Answer)

    def invoke(self, event: object) -> tuple[Any, str]:
        """What the function answers to any event, and what it logs."""
        invoked = self._clients.functions.invoke(FunctionName=self.name, Payload=json.dumps(event), LogType="Tail")
        return json.loads(invoked["Payload"].read()), base64.b64decode(invoked.get("LogResult", "")).decode()

    def entries(self) -> int:
        """How many entries the failure queue holds, in sight."""
        counts = self._clients.sqs.get_queue_attributes(
            QueueUrl=self._failure_queue_url, AttributeNames=["ApproximateNumberOfMessages"]
        )
        return int(counts["Attributes"]["ApproximateNumberOfMessages"])
