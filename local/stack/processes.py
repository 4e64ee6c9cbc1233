"""Starts and stops processes that go on after the command that started them has ended."""

import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import msgspec
import psutil

_POLL_SECONDS = 0.05
# The system derives a process's creation time from its clock, and shifts it a little when the clock is set.
_CLOCK_SHIFT_SECONDS = 10.0


class Started(msgspec.Struct, frozen=True):
    """A process that this project started. Its creation time tells it from a later process with the same pid.

    It leads its own session, so `pid` is also the id of that session.
    """

    name: str
    pid: int
    created_at: float


def start(name: str, command: list[str], environment: Mapping[str, str], log: Path) -> Started:
    """Start a process in the background with exactly this environment, and write its output to `log`."""
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
    """Return whether this process still runs, and not another one with its pid."""
    try:
        process = psutil.Process(started.pid)
        return _is_same_process(process, started) and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def stop(started: Started, max_wait_seconds: float = 2.0) -> None:
    """Ask the process to end, wait, then kill what is left of its session. Touch no process of others."""
    if is_alive(started):
        psutil.Process(started.pid).terminate()
        _wait(lambda: not is_alive(started), max_wait_seconds)
    for process in _session(started):
        with suppress(psutil.NoSuchProcess):
            process.kill()
    _wait(lambda: not _session(started), max_wait_seconds)
    # If this program also started the process, it is the parent and must collect it, or a zombie stays.
    with suppress(ChildProcessError):
        os.waitpid(started.pid, os.WNOHANG)


def _wait(is_over: Callable[[], bool], max_wait_seconds: float) -> None:
    deadline = time.monotonic() + max_wait_seconds
    while not is_over() and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)


def _session(started: Started) -> list[psutil.Process]:
    """Return the living processes of its session. They can outlive it: MiniStack runs functions in child processes.

    The system gives a session's id to no other process while a member lives. So the members are ours, unless a process
    with this id exists and is another one.
    """
    with suppress(psutil.NoSuchProcess):
        if not _is_same_process(psutil.Process(started.pid), started):
            return []
    return [process for process in psutil.process_iter() if _is_living_member(process, started.pid)]


def _is_same_process(process: psutil.Process, started: Started) -> bool:
    return abs(process.create_time() - started.created_at) < _CLOCK_SHIFT_SECONDS


def _is_living_member(process: psutil.Process, session_id: int) -> bool:
    try:
        return os.getsid(process.pid) == session_id and process.status() != psutil.STATUS_ZOMBIE
    except (ProcessLookupError, PermissionError, psutil.NoSuchProcess):
        return False
