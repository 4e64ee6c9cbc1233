"""What is measured: the relay as it was built and deployed, its peers, and the floor of any function."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.metadata import distribution
from pathlib import Path

from local.emulator.deployed import DeployedFunction, deployed_function
from local.stack.home import REPOSITORY
from local.stack.records import Stack

OURS, CANONICAL, THREADED, ASYNCHRONOUS, FLOOR = "ours", "canonical", "threaded", "async", "floor"
PEERS = (CANONICAL, THREADED, ASYNCHRONOUS)

_TABLE_NAME = "bench-idempotency"
_PACKAGES = ("tests", "tests/bench", "tests/bench/peers")
_MODULES = {CANONICAL: "canonical", THREADED: "threaded", ASYNCHRONOUS: "asynchronous", FLOOR: "floor"}
_TIMEOUT_SECONDS = 300
# What the asynchronous peer needs beside the layer; all of it is installed with the simulator's web server.
_HTTP_CLIENT = (
    *("aiohttp", "aiohappyeyeballs", "aiosignal", "attrs", "frozenlist", "idna", "multidict", "propcache", "yarl"),
    "typing-extensions",
)


@dataclass(frozen=True, slots=True)
class Subject:
    """A function, and how many batches of each size a visit to it measures: fewer where a batch takes long."""

    name: str
    function: DeployedFunction
    batches: Mapping[int, int]


def subjects_on(stack: Stack, folder: Path) -> list[Subject]:
    """Every subject, with its code and libraries unpacked into `folder`. Makes the peers' table."""
    relay = deployed_function(stack.aws(), stack.outputs["RelayFunctionName"], folder / "relay")
    peers_task_root = _task_root(relay, folder / "peers")
    _make_table(stack)
    subjects = [Subject(OURS, relay, {10: 30, 100: 6, 1000: 2, 5000: 2})]
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
    shutil.copytree(relay.task_root, folder)
    for package in _PACKAGES:
        (folder / package).mkdir()
        for module in (REPOSITORY / package).glob("*.py"):
            shutil.copy(module, folder / package)
    for name in _HTTP_CLIENT:
        _link(name, folder)
    return folder


def _link(name: str, folder: Path) -> None:
    installed = distribution(name)
    for entry in {file.parts[0] for file in installed.files or ()} - {"__pycache__", ".."}:
        (folder / entry).symlink_to(str(installed.locate_file(entry)))


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
