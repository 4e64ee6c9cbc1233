"""Runs a function under AWS's Lambda runtime emulator, which is part of the wheel of aws-sam-cli."""

import platform
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import msgspec
import psutil
import urllib3

from local.emulator.fetch_function import DeployedFunction
from local.emulator.lambda_interpreter import COMMAND, interpreter_environment
from local.free_ports import free_ports
from local.stack.paths import ENVIRONMENTS
from local.stack.processes import Started, stop

_INVOCATIONS = "/2015-03-31/functions/function/invocations"
_READY_SECONDS = 10.0
_LOG_SECONDS = 5.0
_POLL_SECONDS = 0.02
_INIT_SECONDS = 10.0  # what Lambda allows; the emulator starts the function with its first invocation
_PROCESSORS = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}


class EmulatorError(Exception):
    """The emulator did not start, or the function did not answer. Its log says why."""


@dataclass(frozen=True, slots=True)
class Invocation:
    """`answer` is JSON: what the handler returned, or Lambda's description of its error.

    `log` has the lines that the function and the emulator logged. The first log includes the start's lines.
    """

    answer: bytes
    log: tuple[str, ...]


class Emulator:
    """A function that takes invocations, one at a time. `run_emulator` makes it.

    `pid` is the emulator's process. From the first invocation on, the function runs in a child process of it.
    """

    def __init__(self, pid: int, url: str, http: urllib3.PoolManager, log: Path, timeout_seconds: float) -> None:
        self.pid = pid
        self._url = url
        self._http = http
        self._log = log
        self._timeout_seconds = timeout_seconds

    def invoke(self, event: bytes) -> Invocation:
        """Invoke the function with an event in JSON. Raise EmulatorError if it crashes or exceeds its timeout."""
        earlier_lines = len(self._log_lines())
        try:
            response = self._http.request("POST", self._url, body=event, timeout=self._timeout_seconds)
            msgspec.json.decode(response.data)  # after a timeout the emulator answers with a sentence, not with JSON
        except (urllib3.exceptions.HTTPError, msgspec.DecodeError) as error:
            raise EmulatorError(f"The function gave no answer in time: see {self._log}") from error
        if response.status != HTTPStatus.OK:
            raise EmulatorError(f"The function crashed: see {self._log}")
        return Invocation(response.data, self._logged_since(earlier_lines))

    def _logged_since(self, earlier_lines: int) -> tuple[str, ...]:
        """Return what an invocation logged. The emulator ends it with a report, shortly after the answer."""
        deadline = time.monotonic() + _LOG_SECONDS
        while time.monotonic() < deadline:
            lines = self._log_lines()[earlier_lines:]
            if any(line.startswith("REPORT RequestId:") for line in lines):
                return tuple(lines)
            time.sleep(_POLL_SECONDS)
        raise EmulatorError(f"The emulator did not report on the invocation: see {self._log}")

    def _log_lines(self) -> list[str]:
        return self._log.read_text(errors="replace").splitlines()


@contextmanager
def run_emulator(function: DeployedFunction, folder: Path) -> Iterator[Emulator]:
    """Run the function on free loopback ports until the block ends. Write its log to `emulator.log` in `folder`."""
    log = folder / "emulator.log"
    port, runtime_port = free_ports(2)
    environment = interpreter_environment(function, folder) | {
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_TIMEOUT": str(function.timeout_seconds),
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
    }
    addresses = (
        *("--runtime-interface-emulator-address", f"127.0.0.1:{port}"),
        *("--runtime-api-address", f"127.0.0.1:{runtime_port}"),
    )
    command = [str(_binary()), *addresses, *COMMAND, "-m", "awslambdaric", function.handler]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            env=environment,
            cwd=function.task_root,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    started = Started("emulator", process.pid, psutil.Process(process.pid).create_time())
    try:
        with urllib3.PoolManager(retries=False) as http:
            _wait_until_ready(http, port, process, log)
            url = f"http://127.0.0.1:{port}{_INVOCATIONS}"
            yield Emulator(process.pid, url, http, log, function.timeout_seconds + _INIT_SECONDS)
    finally:
        stop(started)  # stops the whole session, with the child process that runs the function
        process.wait()


def _binary() -> Path:
    name = f"aws-lambda-rie-{_PROCESSORS[platform.machine().lower()]}"
    found = list(ENVIRONMENTS.glob(f"sam/lib/python*/site-packages/samcli/local/rapid/{name}"))
    if not found:
        raise EmulatorError(f"{name} is not in the environment of aws-sam-cli.")
    return found[0]


def _wait_until_ready(http: urllib3.PoolManager, port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while not _answers(http, port):
        if process.poll() is not None or time.monotonic() > deadline:
            raise EmulatorError(f"The emulator did not start: see {log}")
        time.sleep(_POLL_SECONDS)


def _answers(http: urllib3.PoolManager, port: int) -> bool:
    try:
        http.request("GET", f"http://127.0.0.1:{port}/", timeout=1)
    except urllib3.exceptions.HTTPError:
        return False
    return True
