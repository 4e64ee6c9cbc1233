import signal
import subprocess
import sys

import pytest

from local.stack.paths import REPOSITORY
from local.stack.signals import signals_held

INTERRUPTED = """
import time
from local.orderly_end import orderly_end
with orderly_end():
    try:
        print("started", flush=True)
        time.sleep(60)
    finally:
        print("cleaned up", flush=True)
"""
REFUSED = """
from local.orderly_end import orderly_end
from local.stack.errors import StackError
with orderly_end():
    raise StackError("The stack is not there.")
"""
WRITES_FOR_EVER = """
from local.orderly_end import orderly_end
with orderly_end():
    while True:
        print("line", flush=True)
"""


def program(code: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(  # noqa: S603 - our own
        [sys.executable, "-c", code], cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signal_lets_the_command_clean_up_without_a_traceback(number: signal.Signals) -> None:
    with program(INTERRUPTED) as started:
        assert started.stdout
        assert started.stdout.readline() == "started\n"
        started.send_signal(number)
        assert started.communicate(timeout=10) == ("cleaned up\n", "")
    assert started.returncode == 128 + number


def test_fault_is_told_in_one_sentence() -> None:
    with program(REFUSED) as started:
        assert started.communicate(timeout=10) == ("", "The stack is not there.\n")
    assert started.returncode == 1


def test_command_ends_silently_when_nobody_reads_its_output() -> None:
    with program(WRITES_FOR_EVER) as started:
        assert started.stdout
        assert started.stderr
        started.stdout.readline()
        started.stdout.close()
        assert started.stderr.read() == ""
    assert started.returncode == 128 + signal.SIGPIPE


def test_held_signal_arrives_when_the_block_ends() -> None:
    steps = []
    with pytest.raises(KeyboardInterrupt):  # noqa: PT012 - the signal must arrive at the end of the inner block
        with signals_held():
            signal.raise_signal(signal.SIGINT)
            steps.append("in the block")
        steps.append("after the block")
    assert steps == ["in the block"]
