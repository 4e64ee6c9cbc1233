"""The deployed artifact as a Lambda runtime sees it: its own libraries, its logs, and what it hands back."""

import json
import secrets
import subprocess
from pathlib import Path

import pytest

from local.emulator.emulator import Emulator
from local.emulator.fetch_function import DeployedFunction
from local.emulator.lambda_interpreter import COMMAND, interpreter_environment
from local.simulator.client import SimulatorClient
from local.simulator.faults import CodeAnswer
from tests.integration.artifact.events import fresh_events

pytestmark = pytest.mark.stack

FROM_THE_LAYER = ("aws_lambda_powertools", "boto3", "botocore", "cryptography", "msgspec", "urllib3")


@pytest.fixture
def suffix() -> str:
    return f"-{secrets.token_hex(4)}"


def run_as_the_function(artifact: DeployedFunction, folder: Path, program: str) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(  # noqa: S603 - the programs are written below
        [*COMMAND, "-c", program],
        env=interpreter_environment(artifact, folder),
        cwd=artifact.task_root,
        capture_output=True,
        timeout=60,
        check=False,
    )


def test_libraries_come_from_the_layer_and_the_product_from_the_functions_archive(
    artifact: DeployedFunction, tmp_path: Path
) -> None:
    names = ", ".join(("sealed_relay", "awslambdaric", *FROM_THE_LAYER))
    program = f"import json, {names}; print(json.dumps([module.__file__ for module in ({names})]))"
    files = json.loads(run_as_the_function(artifact, tmp_path, program).stdout)
    product, runtime_client, *libraries = map(Path, files)
    assert product.is_relative_to(artifact.task_root)
    assert runtime_client.is_relative_to(tmp_path)
    assert [library for library in libraries if not library.is_relative_to(artifact.layers / "python")] == []


def test_archive_of_the_function_holds_no_compiled_modules(artifact: DeployedFunction) -> None:
    assert list(artifact.task_root.rglob("*.pyc")) == []


def test_nothing_else_of_this_environment_can_be_imported(artifact: DeployedFunction, tmp_path: Path) -> None:
    finished = run_as_the_function(artifact, tmp_path, "import pytest")
    assert b"No module named 'pytest'" in finished.stderr


def test_a_message_that_must_be_tried_again_is_handed_back_to_sqs(
    emulator: Emulator, simulator: SimulatorClient, suffix: str
) -> None:
    simulator.plan(CodeAnswer(code=500), flow_id="ALERTS01")
    event = fresh_events(suffix)["several-flows.json"]
    waiting = [record["messageId"] for record in json.loads(event)["Records"] if "ALERTS01" in record["body"]]
    answer = json.loads(emulator.invoke(event).answer)
    assert answer == {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in waiting]}


def test_a_batch_of_a_thousand_messages_is_one_invocation_and_two_requests(
    emulator: Emulator, simulator: SimulatorClient, suffix: str
) -> None:
    event = json.loads(fresh_events(suffix)["single-call.json"])
    [record] = event["Records"]
    records = [
        {
            **record,
            "messageId": f"{record['messageId']}-{number}",
            "body": record["body"].replace(suffix, f"-{number}{suffix}"),
        }
        for number in range(1000)
    ]
    answer = json.loads(emulator.invoke(json.dumps({"Records": records}).encode()).answer)
    assert answer == {"batchItemFailures": []}
    audit = simulator.audit()
    assert (audit.accepted_calls, audit.requests_received) == (1000, 2)
