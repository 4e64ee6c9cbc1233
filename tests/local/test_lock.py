import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from local.lock import locked
from local.stack.errors import StackError
from local.stack.paths import REPOSITORY

HOLDER = """
import sys, time
from pathlib import Path
from local.lock import locked
with locked(Path(sys.argv[1]), "make run"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_second_command_is_refused_with_the_name_of_the_first(tmp_path: Path) -> None:
    with (
        locked(tmp_path / "lock", "make run"),
        pytest.raises(StackError, match=rf"^`make run` \(process {os.getpid()}\) uses the local stack"),
        locked(tmp_path / "lock", "make up"),
    ):
        pass


def test_lock_is_free_after_the_block(tmp_path: Path) -> None:
    for _ in range(2):
        with locked(tmp_path / "lock", "make run"):
            pass


def test_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(lock)], cwd=REPOSITORY, stdout=subprocess.PIPE)  # noqa: S603 - our own
    with holder:
        assert holder.stdout
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(StackError), locked(lock, "make up"):
            pass
        holder.send_signal(signal.SIGKILL)
    with locked(lock, "make up"):
        pass
