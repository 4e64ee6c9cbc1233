import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from local.chaos.kill_processes import LocalAwsProcesses
from local.stack.errors import StackError
from local.stack.processes import Started, start, stop
from tests.integration.local_stack.eventually import eventually

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


def test_kill_hits_one_process_of_the_function_and_no_other(ministack: Started, log: Path) -> None:
    processes = LocalAwsProcesses(ministack, "relay", log, clock=later)
    for left in (1, 0):
        assert processes.kill_function(0.99)
        assert eventually(lambda left=left: living(ministack, "relay") == left)  # type: ignore[misc]
    assert not processes.kill_function(0.0)
    assert living(ministack, "other") == 1


def test_process_that_has_just_started_is_not_killed(ministack: Started, log: Path) -> None:
    assert not LocalAwsProcesses(ministack, "relay", log, clock=lambda: ministack.created_at).kill_function(0.0)
    assert living(ministack, "relay") == 2


def test_suspension_stops_only_the_local_aws_and_then_resumes_it(ministack: Started, log: Path) -> None:
    seen: list[str] = []

    def look(_: float) -> None:
        process = psutil.Process(ministack.pid)
        assert eventually(lambda: process.status() == psutil.STATUS_STOPPED)
        seen.extend(child.status() for child in process.children())

    LocalAwsProcesses(ministack, "relay", log, sleep=look).suspend_aws(1)
    assert len(seen) == 3
    assert psutil.STATUS_STOPPED not in seen
    assert eventually(lambda: psutil.Process(ministack.pid).status() != psutil.STATUS_STOPPED)


def test_later_process_with_same_pid_is_not_touched(ministack: Started, log: Path) -> None:
    other = Started(ministack.name, ministack.pid, ministack.created_at - 86400)
    with pytest.raises(StackError):
        LocalAwsProcesses(other, "relay", log).kill_function(0.0)
    with pytest.raises(StackError):
        LocalAwsProcesses(other, "relay", log).suspend_aws(0.0)
    assert living(ministack, "relay") == 2


def test_failed_invocations_are_counted_from_the_local_aws_log(ministack: Started, log: Path) -> None:
    processes = LocalAwsProcesses(ministack, "relay", log)
    assert processes.failed_invocations() == 0
    log.write_text("ESM: Lambda relay failed processing SQS batch from ingress\nESM: Lambda relay processed 3\n")
    assert processes.failed_invocations() == 1
