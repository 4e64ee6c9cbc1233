import stat
from pathlib import Path

import psutil
import pytest

from local.stack.guide import guide
from local.stack.home import Home
from local.stack.lifecycle import bring_up, living_stack, take_down
from local.stack.processes import is_alive
from local.stack.records import Stack, read_running

pytestmark = pytest.mark.stack

OTHER_GATEWAY = "http://127.0.0.1:9/kairos-apis"


def test_bringing_it_up_twice_is_bringing_it_up_once(stack: Stack, home: Home) -> None:
    before = read_running(home)
    assert bring_up(home, None, say=lambda _: None) == stack
    after = read_running(home)
    assert before
    assert after
    assert after.processes == before.processes


def test_the_keys_in_its_file_are_for_this_user_only(stack: Stack, home: Home) -> None:
    assert stack.secret_access_key in home.stack_file.read_text()
    assert stat.S_IMODE(home.stack_file.stat().st_mode) == stat.S_IRUSR | stat.S_IWUSR


def test_the_guide_names_the_stacks_own_queues_and_table(stack: Stack) -> None:
    for output in ("IngressQueueUrl", "FailureQueueUrl", "OutcomesTableName"):
        assert stack.outputs[output] in guide(stack)


def test_a_half_dead_stack_is_replaced_and_taking_it_down_leaves_no_process(tmp_path: Path) -> None:
    home = Home(tmp_path)
    try:
        first = bring_up(home, OTHER_GATEWAY, say=lambda _: None)
        assert first.gateway_base_url == OTHER_GATEWAY
        assert first.simulator_url is None
        before = read_running(home)
        assert before
        psutil.Process(before.processes[0].pid).kill()
        psutil.Process(before.processes[0].pid).wait(10)
        assert living_stack(home) is None
        second = bring_up(home, OTHER_GATEWAY, say=lambda _: None)
        after = read_running(home)
        assert after
        assert second != first
        assert all(is_alive(process) for process in after.processes)
    finally:
        take_down(home)
    assert not any(is_alive(process) for process in (*before.processes, *after.processes))
    assert living_stack(home) is None
    assert not home.scratch.exists()


def test_taking_down_what_is_not_up_does_nothing(tmp_path: Path) -> None:
    assert take_down(Home(tmp_path)) is False
