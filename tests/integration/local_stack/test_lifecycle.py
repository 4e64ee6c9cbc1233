import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from local.stack.errors import StackError
from local.stack.lifecycle import bring_up, find_running_stack, running_stack, take_down
from local.stack.paths import REPOSITORY, StackFolder
from local.stack.processes import Started, is_alive, start
from local.stack.stack_files import Running, Stack, read_running, write, write_stack
from local.stack.usage_text import usage_text
from tests.integration.local_stack.eventually import eventually

pytestmark = pytest.mark.stack

OTHER_GATEWAY = "http://127.0.0.1:9/kairos-apis"
STARTS_A_STACK = f"""
import sys
from pathlib import Path
from local.orderly_end import orderly_end
from local.stack.lifecycle import running_stack
from local.stack.paths import StackFolder
def say(line):
    if not line.startswith("starting"):
        print(line, flush=True)
with orderly_end(), running_stack(StackFolder(Path(sys.argv[1])), "{OTHER_GATEWAY}", say):
    pass
"""


def test_second_bring_up_keeps_the_running_stack(stack: Stack, stack_folder: StackFolder) -> None:
    before = read_running(stack_folder)
    assert bring_up(stack_folder, None, say=lambda _: None) == stack
    after = read_running(stack_folder)
    assert before
    assert after
    assert after.processes == before.processes


def test_stack_file_with_keys_is_readable_by_this_user_only(stack: Stack, stack_folder: StackFolder) -> None:
    assert stack.secret_access_key in stack_folder.stack_file.read_text()
    assert stat.S_IMODE(stack_folder.stack_file.stat().st_mode) == stat.S_IRUSR | stat.S_IWUSR


def test_usage_text_names_the_queues_and_table_of_the_stack(stack: Stack) -> None:
    for output in ("IngressQueueUrl", "FailureQueueUrl", "OutcomesTableName"):
        assert stack.outputs[output] in usage_text(stack)


class StartedError(Exception):
    """Ends `bring_up` where it starts a stack."""


def lines_until_start(stack_folder: StackFolder, gateway_base_url: str | None) -> list[str]:
    """What `bring_up` says before it starts a stack. It starts none here."""
    said: list[str] = []

    def say(line: str) -> None:
        if line.startswith("starting"):
            raise StartedError
        said.append(line)

    with pytest.raises(StartedError):
        bring_up(stack_folder, gateway_base_url, say)
    return said


def running_stand_in(stack_folder: StackFolder, *, is_kept: bool) -> Started:
    """A process in place of a stack's, and the files of a stack with another gateway than the simulator."""
    stack_folder.path.mkdir(exist_ok=True)
    process = start("ministack", [sys.executable, "-c", "import time; time.sleep(600)"], {}, stack_folder.path / "log")
    write(stack_folder.running_file, Running((process,), is_kept=is_kept))
    stack = Stack(
        endpoint_url="", region="", outputs={}, gateway_base_url=OTHER_GATEWAY, access_key_id="", secret_access_key=""
    )
    write_stack(stack_folder, stack)
    return process


def test_stack_that_a_killed_command_left_is_said_to_be_one_and_replaced(tmp_path: Path) -> None:
    process = running_stand_in(StackFolder(tmp_path), is_kept=False)
    [line] = lines_until_start(StackFolder(tmp_path), OTHER_GATEWAY)
    assert line.startswith("a command that was killed left its local stack running")
    assert not is_alive(process)


def test_plain_bring_up_returns_to_the_simulator_and_says_what_it_replaces(tmp_path: Path) -> None:
    process = running_stand_in(StackFolder(tmp_path), is_kept=True)
    [line] = lines_until_start(StackFolder(tmp_path), None)
    assert line.startswith(f"replacing the running local stack, which sends to {OTHER_GATEWAY}")
    assert not is_alive(process)


def test_run_refuses_another_gateway_than_that_of_the_kept_stack(stack: Stack, stack_folder: StackFolder) -> None:
    with (
        pytest.raises(StackError, match=r"run `make down` first"),
        running_stack(stack_folder, OTHER_GATEWAY, say=lambda _: None),
    ):
        pass
    assert find_running_stack(stack_folder) == stack


def test_terminated_start_leaves_nothing_running(tmp_path: Path) -> None:
    stack_folder = StackFolder(tmp_path)
    starting = subprocess.Popen(  # noqa: S603 - our own
        [sys.executable, "-c", STARTS_A_STACK, str(tmp_path)],
        cwd=REPOSITORY,
        env={"PATH": os.defpath, "PYTHONPATH": f"{REPOSITORY}/functions/relay:{REPOSITORY}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    running = eventually(lambda: read_running(stack_folder))
    starting.terminate()
    output, _ = starting.communicate(timeout=30)
    assert running
    assert output == "taking the local stack down\n"
    assert starting.returncode == 128 + signal.SIGTERM
    assert not any(is_alive(process) for process in running.processes)
    assert read_running(stack_folder) is None


def test_file_for_shells_sets_what_the_stack_file_says(stack: Stack, stack_folder: StackFolder) -> None:
    shell_file = stack_folder.shell_file
    assert stat.S_IMODE(shell_file.stat().st_mode) == stat.S_IRUSR | stat.S_IWUSR
    printed = subprocess.run(  # noqa: S603 - our own
        ["/bin/sh", "-c", '. "$1" && env -0', "sh", shell_file],
        env={"AWS_PROFILE": "real"},
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    variables = dict(line.split("=", 1) for line in printed.split("\0") if line)
    assert stack.variables().items() <= variables.items()
    assert "AWS_PROFILE" not in variables


def test_half_dead_stack_is_replaced_and_take_down_leaves_no_process(tmp_path: Path) -> None:
    stack_folder = StackFolder(tmp_path)
    try:
        first = bring_up(stack_folder, OTHER_GATEWAY, say=lambda _: None)
        assert first.gateway_base_url == OTHER_GATEWAY
        assert first.simulator_url is None
        before = read_running(stack_folder)
        assert before
        psutil.Process(before.processes[0].pid).kill()
        psutil.Process(before.processes[0].pid).wait(10)
        assert find_running_stack(stack_folder) is None
        second = bring_up(stack_folder, OTHER_GATEWAY, say=lambda _: None)
        after = read_running(stack_folder)
        assert after
        assert second != first
        assert all(is_alive(process) for process in after.processes)
    finally:
        take_down(stack_folder)
    assert not any(is_alive(process) for process in (*before.processes, *after.processes))
    assert find_running_stack(stack_folder) is None
    assert not stack_folder.scratch.exists()


def test_take_down_without_a_stack_does_nothing(tmp_path: Path) -> None:
    assert take_down(StackFolder(tmp_path)) is False
