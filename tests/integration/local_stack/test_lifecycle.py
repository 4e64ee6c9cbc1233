import stat
from pathlib import Path

import psutil
import pytest

from local.stack.lifecycle import bring_up, find_running_stack, take_down
from local.stack.paths import StackFolder
from local.stack.processes import is_alive
from local.stack.stack_files import Stack, read_running
from local.stack.usage_text import usage_text

pytestmark = pytest.mark.stack

OTHER_GATEWAY = "http://127.0.0.1:9/kairos-apis"


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
