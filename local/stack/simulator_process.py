"""Starts the Kairos simulator as a process of the local stack."""

import os
import sys
import time
from pathlib import Path

from local.stack.errors import StackError
from local.stack.paths import REPOSITORY, StackFolder
from local.stack.processes import Started, is_alive, start

_READY_SECONDS = 30
_POLL_SECONDS = 0.05


def start_simulator(stack_folder: StackFolder) -> tuple[Started, Path]:
    """Start the simulator on a free loopback port. Return also the file to which it will write the port."""
    port_file = stack_folder.scratch / "simulator.port"
    process = start(
        "simulator",
        [sys.executable, "-m", "local.simulator", "--port-file", str(port_file)],
        {"PATH": os.defpath, "PYTHONPATH": os.pathsep.join([str(REPOSITORY), str(REPOSITORY / "functions/relay")])},
        stack_folder.logs / "simulator.log",
    )
    return process, port_file


def wait_for_simulator(process: Started, port_file: Path) -> str:
    """Wait for the simulator, and return its root URL. Raise StackError if it ends, or after 30 seconds."""
    deadline = time.monotonic() + _READY_SECONDS
    while not port_file.exists():
        if not is_alive(process) or time.monotonic() > deadline:
            raise StackError("the simulator did not start; see simulator.log")
        time.sleep(_POLL_SECONDS)
    return f"http://127.0.0.1:{port_file.read_text()}"
