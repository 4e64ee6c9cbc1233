"""The processes that a storm strikes: the local AWS that this stack started, and the function's below it."""

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil

from local.stack.errors import StackError
from local.stack.home import Home
from local.stack.ministack import NAME as MINISTACK
from local.stack.processes import Started, is_alive
from local.stack.records import read_running

_SECONDS_TO_START = 2.0
"""A process that dies before it is ready makes MiniStack end the function's other processes too, in a chain of failures
that AWS does not have."""

_FAILED_INVOCATION = "failed processing SQS batch"


class LocalAwsProcesses:
    """MiniStack's process, and those that it runs the function `function_name` in. Touches no others."""

    def __init__(
        self,
        ministack: Started,
        function_name: str,
        log: Path,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._ministack = ministack
        self._log = log
        self._function_name = function_name
        self._clock = clock
        self._sleep = sleep

    def kill_function(self, draw: float) -> bool:
        """Kill -9 one of the function's processes, chosen by `draw` from 0 to 1; False if none is up."""
        workers = self._workers()
        if not workers:
            return False
        with suppress(psutil.NoSuchProcess):
            workers[int(draw * len(workers))].kill()
        return True

    def pause(self, seconds: float) -> None:
        """Stop the local AWS for so long (SIGSTOP, SIGCONT). The function's processes go on, and wait for it."""
        ministack = self._parent()
        ministack.suspend()
        try:
            self._sleep(seconds)
        finally:
            ministack.resume()

    def failed_invocations(self) -> int:
        """How many batches the function failed as a whole since the local AWS was started, by MiniStack's log."""
        with self._log.open(errors="replace") as lines:
            return sum(_FAILED_INVOCATION in line for line in lines)

    def _parent(self) -> psutil.Process:
        if not is_alive(self._ministack):
            raise StackError("the local AWS has ended: see ministack.log")
        return psutil.Process(self._ministack.pid)

    def _workers(self) -> list[psutil.Process]:
        return [process for process in self._parent().children(recursive=True) if self._runs_the_function(process)]

    def _runs_the_function(self, process: psutil.Process) -> bool:
        # MiniStack unpacks the function into a folder of its name, beside the script that the process runs.
        with suppress(psutil.NoSuchProcess):
            is_ready = self._clock() - process.create_time() > _SECONDS_TO_START
            is_running = is_ready and process.status() != psutil.STATUS_ZOMBIE
            return is_running and any(f"-{self._function_name}-" in word for word in process.cmdline())
        return False


def processes_of(home: Home, function_name: str) -> LocalAwsProcesses:
    """The processes of the stack at `home`."""
    running = read_running(home)
    started = [process for process in running.processes if process.name == MINISTACK] if running else []
    if not started:
        raise StackError("no local AWS runs here")
    return LocalAwsProcesses(started[0], function_name, home.logs / f"{MINISTACK}.log")
