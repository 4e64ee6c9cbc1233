"""The deployed function invoked directly, with its role's permissions taken away or its environment changed."""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

import boto3

from local.stack.stack_files import Stack
from sealed_relay.calls.message import Message
from tests.support import sqs_events
from tests.support.aws_clients import AwsClients


@dataclass(frozen=True, slots=True)
class Invoked:
    """The result of an invocation: the names of failed messages, or whether the handler raised; and its output."""

    has_raised: bool
    failed: Sequence[str]
    said: str


class DeployedFunction:
    """The relay's function on the stack."""

    def __init__(self, stack: Stack, clients: AwsClients, session: boto3.Session) -> None:
        self._stack = stack
        self._clients = clients
        self._session = session
        self.name = stack.outputs["RelayFunctionName"]
        configuration = clients.functions.get_function_configuration(FunctionName=self.name)
        self.role_arn = configuration["Role"]
        self.environment = configuration["Environment"]["Variables"]

    def invoke(self, *bodies: str) -> Invoked:
        """Invoke it with messages that have these bodies, without the queue."""
        return self.invoke_with(event_of(*bodies))

    def invoke_with(self, event: object) -> Invoked:
        """Invoke it with any event."""
        answer = self._clients.functions.invoke(FunctionName=self.name, Payload=json.dumps(event), LogType="Tail")
        payload = answer["Payload"].read().decode()
        log = base64.b64decode(answer.get("LogResult", "")).decode()
        has_raised = "FunctionError" in answer
        failures = [] if has_raised else json.loads(payload)["batchItemFailures"]
        return Invoked(has_raised, [failure["itemIdentifier"] for failure in failures], f"{payload}\n{log}")

    def run_in_own_process(self, events: Sequence[object], **variables: str) -> str:
        """Run its code on events in a local process, with every logger at DEBUG. Return everything printed."""
        environment = {
            **self.environment,
            **variables,
            "AWS_ENDPOINT_URL": self._stack.endpoint_url,
            "AWS_DEFAULT_REGION": self._stack.region,
            "AWS_ACCESS_KEY_ID": self._stack.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self._stack.secret_access_key,
            "PYTHONPATH": os.pathsep.join(sys.path),
        }
        finished = subprocess.run(
            [sys.executable, "-m", "tests.integration.local_stack.handler_process"],
            input="\n".join(json.dumps(event) for event in events),
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        return finished.stdout + finished.stderr

    @contextmanager
    def denied(self, *actions: str) -> Iterator[None]:
        """Remove actions from its role until the block ends."""
        role = self.role_arn.rpartition("/")[2]
        statement = {"Effect": "Deny", "Action": list(actions), "Resource": "*"}
        iam = self._session.client("iam", endpoint_url=self._stack.endpoint_url)
        iam.put_role_policy(
            RoleName=role,
            PolicyName="denied-by-a-test",
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
        )
        try:
            yield
        finally:
            iam.delete_role_policy(RoleName=role, PolicyName="denied-by-a-test")
            iam.close()

    @contextmanager
    def environment_with(self, **variables: str) -> Iterator[None]:
        """Change its environment until the block ends, as a person does who searches for a fault."""
        self._set_environment(self.environment | variables)
        try:
            yield
        finally:
            self._set_environment(self.environment)

    def _set_environment(self, variables: Mapping[str, str]) -> None:
        self._clients.functions.update_function_configuration(
            FunctionName=self.name, Environment={"Variables": dict(variables)}
        )


def event_of(*bodies: str) -> dict[str, object]:
    """An SQS event; the messages' ids are random."""
    return sqs_events.event_of([Message(str(uuid4()), "none", body, datetime.now(UTC), 1) for body in bodies])
