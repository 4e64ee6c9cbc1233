"""What is measured: the relay as it was built and deployed, its peers, and the floor of any function."""

import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.metadata import distribution
from pathlib import Path

from local.emulator.fetch_function import DeployedFunction, fetch_function
from local.stack.paths import REPOSITORY
from local.stack.stack_files import Stack

OURS, CANONICAL, THREADED, ASYNCHRONOUS, FLOOR = "ours", "canonical", "threaded", "async", "floor"
PEERS = (CANONICAL, THREADED, ASYNCHRONOUS)

_TABLE_NAME = "bench-idempotency"
_PACKAGES = ("tests", "tests/bench", "tests/bench/peers")
_MODULES = {CANONICAL: "canonical", THREADED: "threaded", ASYNCHRONOUS: "asynchronous", FLOOR: "floor"}
_TIMEOUT_SECONDS = 300
# What the peers need beside the layer: boto3, and the asynchronous one its HTTP client.
_BESIDE_THE_LAYER = (
    *("boto3", "s3transfer"),
    *("aiohttp", "aiohappyeyeballs", "aiosignal", "attrs", "frozenlist", "idna", "multidict", "propcache", "yarl"),
)


@dataclass(frozen=True, slots=True)
class Subject:
    """A function, and how many batches of each size are measured on one instance: fewer where a batch takes long."""

    name: str
    function: DeployedFunction
    batches: Mapping[int, int]


def subjects_on(stack: Stack, folder: Path) -> list[Subject]:
    """Every subject, with its code and libraries unpacked into `folder`. Makes the peers' table."""
    relay = fetch_function(stack.aws(), stack.outputs["RelayFunctionName"], folder / "relay")
    peers_task_root = _task_root(relay, folder / "peers")
    _make_table(stack)
    subjects = [Subject(OURS, relay, {10: 30, 100: 10, 1000: 5, 5000: 2})]
    for name, module in _MODULES.items():
        function = replace(
            relay,
            name=f"bench-{name}",
            handler=f"tests.bench.peers.{module}.lambda_handler",
            timeout_seconds=_TIMEOUT_SECONDS,
            task_root=peers_task_root,
            environment=_environment(relay, stack),
        )
        subjects.append(Subject(name, function, {} if name == FLOOR else {10: 10, 100: 2, 1000: 1}))
    return subjects


def _task_root(relay: DeployedFunction, folder: Path) -> Path:
    """The peers beside the relay's own package, whose sealing they use."""
    folder.mkdir()
    for name in _BESIDE_THE_LAYER:
        _copy(name, folder)
    # With bytecode, as in the layer.
    compiling = [sys.executable, "-I", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", str(folder)]
    subprocess.run(compiling, check=True)  # noqa: S603 - our own
    shutil.copytree(relay.task_root, folder, dirs_exist_ok=True)
    for package in _PACKAGES:
        (folder / package).mkdir()
        for module in (REPOSITORY / package).glob("*.py"):
            shutil.copy(module, folder / package)
    return folder


def _copy(name: str, folder: Path) -> None:
    installed = distribution(name)
    for file in installed.files or ():
        if ".." not in file.parts and "__pycache__" not in file.parts:
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(str(file.locate()), folder / file)


def _make_table(stack: Stack) -> None:
    dynamodb = stack.aws().session().client("dynamodb", endpoint_url=stack.endpoint_url)
    dynamodb.create_table(
        TableName=_TABLE_NAME,
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    dynamodb.close()


def _environment(relay: DeployedFunction, stack: Stack) -> dict[str, str]:
    """The relay's own, with an administrator's keys: its role may use no other table."""
    return {
        **{name: value for name, value in relay.environment.items() if name != "AWS_SESSION_TOKEN"},
        "AWS_ACCESS_KEY_ID": stack.access_key_id,
        "AWS_SECRET_ACCESS_KEY": stack.secret_access_key,
        "IDEMPOTENCY_TABLE_NAME": _TABLE_NAME,
        "LAMBDA_TASK_ROOT": "/var/task",  # as on Lambda, by which Powertools tells whether to keep an event loop
    }
