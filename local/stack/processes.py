"""Processes that outlive the command that started them, and are stopped by another command later."""

import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import msgspec
import psutil

_POLL_SECONDS = 0.05
# The system derives a process's time of creation from its clock, and shifts it a little whenever that is set.
_CLOCK_SHIFT_SECONDS = 10.0


class Started(msgspec.Struct, frozen=True):
    """A process that this project started, told from a later one with the same pid by its time of creation.

    It leads a session of its own, and so `pid` is also the id of that session.
    """

    name: str
    pid: int
    created_at: float


def start(name: str, command: list[str], environment: Mapping[str, str], log: Path) -> Started:
    """Start a process in the background with exactly this environment, its output going to `log`."""
    pid = os.posix_spawn(
        command[0],
        command,
        environment,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
    )
    return Started(name, pid, psutil.Process(pid).create_time())


def is_alive(started: Started) -> bool:
    """Whether this very process still runs."""
    try:
        process = psutil.Process(started.pid)
        return _is_the_one(process, started) and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def stop(started: Started, patience_seconds: float = 2.0) -> None:
    """Ask the process to end, wait that long, then kill what is left of its session; do nothing if it is not ours."""
    if is_alive(started):
        psutil.Process(started.pid).terminate()
        _wait(lambda: not is_alive(started), patience_seconds)
    for process in _session(started):
        with suppress(psutil.NoSuchProcess):
            process.kill()
    _wait(lambda: not _session(started), patience_seconds)
    # Where one program brought it up and takes it down, it is the parent, and leaves no zombie.
    with suppress(ChildProcessError):
        os.waitpid(started.pid, os.WNOHANG)


def _wait(is_over: Callable[[], bool], patience_seconds: float) -> None:
    deadline = time.monotonic() + patience_seconds
    while not is_over() and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)


def _session(started: Started) -> list[psutil.Process]:
    """The living processes of its session. They can outlive it: MiniStack runs a function in children of its own.

    A session's id is given to no other process while one of its members lives. So members are ours, unless the id
    belongs to a process again, and that is another one.
    """
    with suppress(psutil.NoSuchProcess):
        if not _is_the_one(psutil.Process(started.pid), started):
            return []
    return [process for process in psutil.process_iter() if _is_living_member(process, started.pid)]


def _is_the_one(process: psutil.Process, started: Started) -> bool:
    return abs(process.create_time() - started.created_at) < _CLOCK_SHIFT_SECONDS


def _is_living_member(process: psutil.Process, session_id: int) -> bool:
    try:
        return os.getsid(process.pid) == session_id and process.status() != psutil.STATUS_ZOMBIE
    except (ProcessLookupError, PermissionError, psutil.NoSuchProcess):
        return False
