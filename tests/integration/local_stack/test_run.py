import io

import pytest
from rich.console import Console

from local.run.accounting import Failure
from local.run.failure_queue import FailureQueue
from local.run.raise_rate_limit import raised_rate_limit
from local.run.run_on_stack import run_on_stack
from local.simulator.client import SimulatorClient
from local.stack.stack_files import Stack
from tests.support.aws_clients import AwsClients

pytestmark = pytest.mark.stack


def exit_status_and_output(stack: Stack, messages: int) -> tuple[int, str]:
    output = io.StringIO()
    return run_on_stack(stack, messages, Console(file=output, width=80, soft_wrap=True)), output.getvalue()


def test_two_runs_on_one_stack_each_account_for_every_call(stack: Stack) -> None:
    for _ in range(2):
        status, output = exit_status_and_output(stack, messages=20)
        assert status == 0, output
        assert "calls are accounted for" in output


def test_run_takes_only_its_own_messages_from_the_failure_queue(stack: Stack, clients: AwsClients) -> None:
    queue_url = stack.outputs["FailureQueueUrl"]
    sent = clients.sqs.send_message(QueueUrl=queue_url, MessageBody="somebody else's")
    status, output = exit_status_and_output(stack, messages=1)
    assert status == 0, output
    left = []
    while received := clients.sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10).get("Messages"):
        left += received
    [foreign] = [message for message in left if message["MessageId"] == sent["MessageId"]]
    clients.sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=foreign["ReceiptHandle"])


def test_message_redriven_by_sqs_is_found_by_its_own_id(stack: Stack, clients: AwsClients) -> None:
    queue_url = stack.outputs["FailureQueueUrl"]
    body = '{"flow-id": "ALERTS01", "calls": [{"client-identifier": "moved"}]}'
    moved = clients.sqs.send_message(QueueUrl=queue_url, MessageBody=body)["MessageId"]
    assert FailureQueue(clients.sqs, queue_url).take({moved}) == [Failure(moved, "", None, ("ALERTS01/moved",))]


def test_rate_limit_is_raised_only_for_a_run_that_needs_it(simulator: SimulatorClient) -> None:
    said: list[str] = []
    with raised_rate_limit(simulator, 500, said.append):
        assert simulator.settings().requests_per_minute == 500
    assert said == []
    with raised_rate_limit(simulator, 501, said.append):
        assert simulator.settings().requests_per_minute == 501
    assert simulator.settings().requests_per_minute == 500
    assert len(said) == 1
