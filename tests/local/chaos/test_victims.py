import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from local.chaos.victims import LocalAwsProcesses
from local.stack.errors import StackError
from local.stack.processes import Started, start, stop
from tests.integration.local_stack.waiting import eventually

# As MiniStack does: it runs each function's script, in a folder of the function's name, in processes below its own.
HAS_CHILDREN = """
import pathlib, subprocess, sys, time
folder = pathlib.Path(sys.argv[1])
for name in ("ministack-lambda-relay-1", "ministack-lambda-relay-2", "ministack-lambda-other-3"):
    script = folder / name / "_worker.py"
    script.parent.mkdir()
    script.write_text("import time; time.sleep(600)")
    subprocess.Popen([sys.executable, script])
print("ready", flush=True)
time.sleep(600)
"""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "ministack.log"


@pytest.fixture
def ministack(tmp_path: Path, log: Path) -> Iterator[Started]:
    started = start("ministack", [sys.executable, "-c", HAS_CHILDREN, str(tmp_path)], {}, log)
    assert eventually(log.read_text) == "ready\n"
    yield started
    stop(started)


def later() -> float:
    return time.time() + 60


def living(ministack: Started, name: str) -> int:
    children = psutil.Process(ministack.pid).children()
    return sum(child.status() != psutil.STATUS_ZOMBIE and name in " ".join(child.cmdline()) for child in children)


def test_only_the_functions_own_processes_are_killed_and_one_at_a_time(ministack: Started, log: Path) -> None:
    processes = LocalAwsProcesses(ministack, "relay", log, clock=later)
    for left in (1, 0):
        assert processes.kill_function(0.99)
        assert eventually(lambda left=left: living(ministack, "relay") == left)  # type: ignore[misc]
    assert not processes.kill_function(0.0)
    assert living(ministack, "other") == 1


def test_a_process_that_has_just_started_is_left_alone(ministack: Started, log: Path) -> None:
    assert not LocalAwsProcesses(ministack, "relay", log, clock=lambda: ministack.created_at).kill_function(0.0)
    assert living(ministack, "relay") == 2


def test_a_pause_stops_the_local_aws_alone_and_lets_it_go_on(ministack: Started, log: Path) -> None:
    seen: list[str] = []

    def look(_: float) -> None:
        process = psutil.Process(ministack.pid)
        assert eventually(lambda: process.status() == psutil.STATUS_STOPPED)
        seen.extend(child.status() for child in process.children())

    LocalAwsProcesses(ministack, "relay", log, sleep=look).pause(1)
    assert len(seen) == 3
    assert psutil.STATUS_STOPPED not in seen
    assert eventually(lambda: psutil.Process(ministack.pid).status() != psutil.STATUS_STOPPED)


def test_a_later_process_with_the_same_pid_is_not_touched(ministack: Started, log: Path) -> None:
    other = Started(ministack.name, ministack.pid, ministack.created_at - 86400)
    with pytest.raises(StackError):
        LocalAwsProcesses(other, "relay", log).kill_function(0.0)
    with pytest.raises(StackError):
        LocalAwsProcesses(other, "relay", log).pause(0.0)
    assert living(ministack, "relay") == 2


def test_failed_invocations_are_those_that_the_local_aws_tells_of(ministack: Started, log: Path) -> None:
    processes = LocalAwsProcesses(ministack, "relay", log)
    assert processes.failed_invocations() == 0
    log.write_text("ESM: Lambda relay failed processing SQS batch from ingress\nESM: Lambda relay processed 3\n")
    assert processes.failed_invocations() == 1
