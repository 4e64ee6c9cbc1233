import os
import sys
from dataclasses import dataclass
from pathlib import Path

import msgspec
import psutil
import pytest

from local.stack.processes import Started, is_alive, start, stop
from tests.integration.local_stack.eventually import eventually

IGNORES_BEING_ASKED = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready'); time.sleep(600)"
)
HAS_A_CHILD = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, flush=True)
time.sleep(600)
"""


@dataclass
class Starter:
    log: Path

    def __call__(self, program: str) -> Started:
        return start("program", [sys.executable, "-u", "-c", program], {"GIVEN": "yes"}, self.log)

    def wait_for_output(self) -> str:
        return eventually(self.log.read_text)


@pytest.fixture
def starter(tmp_path: Path) -> Starter:
    return Starter(tmp_path / "log")


def test_process_gets_only_the_given_environment(starter: Starter) -> None:
    started = starter("import os; print(sorted(set(os.environ) - {'LC_CTYPE', '__CF_USER_TEXT_ENCODING'}))")
    assert starter.wait_for_output() == "['GIVEN']\n"
    stop(started)


def test_stopped_process_is_gone(starter: Starter) -> None:
    started = starter("import time; time.sleep(600)")
    assert is_alive(started)
    stop(started)
    assert not psutil.pid_exists(started.pid)


def test_process_that_ignores_sigterm_is_killed(starter: Starter) -> None:
    started = starter(IGNORES_BEING_ASKED)
    starter.wait_for_output()
    stop(started, max_wait_seconds=0.2)
    assert not is_alive(started)


def test_children_of_a_killed_process_are_stopped_too(starter: Starter) -> None:
    started = starter(HAS_A_CHILD)
    child = psutil.Process(int(starter.wait_for_output()))
    psutil.Process(started.pid).kill()
    stop(started)
    assert eventually(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)


def test_later_process_with_same_pid_is_left_alone(starter: Starter) -> None:
    started = starter("import time; time.sleep(600)")
    before_a_reboot = msgspec.structs.replace(started, created_at=started.created_at - 86400)
    assert not is_alive(before_a_reboot)
    stop(before_a_reboot)
    assert is_alive(started)
    stop(started)


def test_stopping_an_ended_process_does_nothing() -> None:
    ended = os.posix_spawn(sys.executable, [sys.executable, "-c", ""], {})
    os.waitpid(ended, 0)
    stop(Started("ended", ended, created_at=0.0))
