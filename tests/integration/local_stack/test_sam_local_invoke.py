"""The commands of docs/local-stack.md, section sam local invoke, run for real with a container engine."""

import json
import os
import re
import secrets
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from local.simulator.client import SimulatorClient
from local.stack.container_bridge import open_to_containers
from local.stack.paths import REPOSITORY, StackFolder
from local.stack.processes import is_alive
from local.stack.sam_env_vars import write_env_vars
from local.stack.stack_files import Stack, read_running
from tests.integration.artifact.events import fresh_events
from tests.integration.local_stack.container_engine import architecture, bridge_address, engine_variables
from tests.integration.local_stack.deployed_relay import DeployedRelay

pytestmark = pytest.mark.stack

DOCS = (REPOSITORY / "docs/local-stack.md").read_text()
SINGLE_CALLS = ("single-call.json", "sns-wrapped.json", "eventbridge-wrapped.json")

Invoke = Callable[[bytes], "subprocess.CompletedProcess[str]"]


def documented(text_before: str) -> str:
    """The commands after this line of the page, in one text."""
    commands = re.search(rf"^{re.escape(text_before)}\n\n```sh\n(.+?)```", DOCS, re.MULTILINE | re.DOTALL)
    assert commands
    return commands[1].replace("\\\n", "")


@pytest.fixture(scope="module")
def forwarded(stack: Stack, stack_folder: StackFolder) -> str:
    """The address at which containers reach the stack. Skips the test where no engine answers."""
    address = bridge_address()
    engine_variables()
    open_to_containers(stack_folder, stack, address)
    return address


@pytest.fixture(scope="module")
def invoke(stack: Stack, forwarded: str, tmp_path_factory: pytest.TempPathFactory) -> Invoke:
    """Run the documented command for Linux with an event of one's own."""
    folder = tmp_path_factory.mktemp("sam-local-invoke")
    variables = {**os.environ, **engine_variables(), "SAM_CLI_TELEMETRY": "0"}
    assert "make build ARCHITECTURE=x86_64\n" in DOCS
    # As documented, but beside the checkout's build, and without an installation of what is there already.
    make = [
        "make",
        "-o",
        ".venvs/sam/.installed",
        "build",
        f"ARCHITECTURE={architecture()}",
        f"BUILD_DIR={folder}/build",
    ]
    subprocess.run(make, cwd=REPOSITORY, env=variables, check=True, capture_output=True, timeout=300)  # noqa: S603 - our own
    write_env_vars(stack, folder / "local-env.json")
    event = folder / "event.json"
    command = (
        documented("On Linux:")
        .replace("events/single-call.json", str(event))
        .replace("events/local-env.json", str(folder / "local-env.json"))
        .replace("Architecture=x86_64", f"Architecture={architecture()}")
        .replace("host-gateway", forwarded)  # older versions of podman do not know the word
    )
    keys = {
        "AWS_ENDPOINT_URL": stack.endpoint_url,
        "AWS_DEFAULT_REGION": stack.region,
        "AWS_ACCESS_KEY_ID": stack.access_key_id,
        "AWS_SECRET_ACCESS_KEY": stack.secret_access_key,
    }

    def run(body: bytes) -> "subprocess.CompletedProcess[str]":
        event.write_bytes(body)
        words = [*shlex.split(command), "--template-file", str(folder / "build/template.yaml")]
        return subprocess.run(  # noqa: S603 - our own
            words, cwd=REPOSITORY, env=variables | keys, check=False, capture_output=True, text=True, timeout=300
        )

    return run


def test_documented_commands_for_both_engines_differ_only_in_the_host() -> None:
    desktop, linux = shlex.split(documented("On Docker Desktop:")), shlex.split(documented("On Linux:"))
    assert linux == [*desktop, "--add-host", "host.docker.internal:host-gateway"]


@pytest.mark.parametrize("name", SINGLE_CALLS)
def test_documented_command_delivers_the_call_of_an_event(
    invoke: Invoke, relay: DeployedRelay, simulator: SimulatorClient, name: str
) -> None:
    suffix = f"-{secrets.token_hex(4)}"
    finished = invoke(fresh_events(suffix)[name])

    assert finished.returncode == 0, finished.stderr
    assert json.loads(finished.stdout.strip().splitlines()[-1]) == {"batchItemFailures": []}
    [(call_id, acceptances)] = simulator.accepted_calls().items()
    assert call_id.endswith(f"/{name.removesuffix('.json')}{suffix}")
    assert len(acceptances) == 1
    assert relay.record(call_id)["status"] == "ACCEPTED"
    assert '"OldestMessageSeconds":[-' not in finished.stderr


def test_documented_command_records_codes_that_the_api_answers(
    invoke: Invoke, relay: DeployedRelay, simulator: SimulatorClient
) -> None:
    suffix = f"-{secrets.token_hex(4)}"
    finished = invoke(fresh_events(suffix)["provoked-codes.json"])

    assert finished.returncode == 0, finished.stderr
    refused = {
        f"{flow}/provoked-{code}{suffix}": code
        for flow, codes in {"NOTICE02": (205, 210, 400), "ALERTS01": (213, 402)}.items()
        for code in codes
    }
    records = relay.records(list(refused))
    assert {call_id: (r["status"], r["code"]) for call_id, r in records.items()} == {
        call_id: ("REJECTED", code) for call_id, code in refused.items()
    }
    assert simulator.audit().calls_accepted_more_than_once == 0


def test_forwarder_belongs_to_the_stack_and_is_started_once(
    forwarded: str, stack: Stack, stack_folder: StackFolder
) -> None:
    open_to_containers(stack_folder, stack, forwarded)
    running = read_running(stack_folder)
    assert running
    [forwarder] = [process for process in running.processes if process.name == "forwarder"]
    assert is_alive(forwarder)


def test_environment_for_a_container_names_no_loopback_address(stack: Stack, tmp_path: Path) -> None:
    write_env_vars(stack, tmp_path / "local-env.json")
    variables: dict[str, Any] = json.loads((tmp_path / "local-env.json").read_text())["RelayFunction"]
    assert not [name for name, value in variables.items() if "127.0.0.1" in value or "localhost" in value]
    assert variables["GATEWAY_BASE_URL"].startswith("http://host.docker.internal:")
    assert variables["AWS_ENDPOINT_URL"].startswith("http://host.docker.internal:")
