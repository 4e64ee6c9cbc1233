"""Kills processes of the function, and suspends the local AWS that this stack started."""

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil

from local.stack.errors import StackError
from local.stack.ministack_process import MINISTACK
from local.stack.paths import StackFolder
from local.stack.processes import Started, is_alive
from local.stack.stack_files import read_running

_SECONDS_TO_START = 2.0
"""If a process dies before it is ready, MiniStack also ends the function's other processes. AWS does not do that. So
younger processes are not killed."""

_FAILED_INVOCATION = "failed processing SQS batch"


class LocalAwsProcesses:
    """The process of MiniStack, and its child processes that run the function `function_name`. Touches no others."""

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
        """Send SIGKILL to one of the function's processes, chosen by `draw` from 0 to 1; False if none runs."""
        workers = self._workers()
        if not workers:
            return False
        with suppress(psutil.NoSuchProcess):
            workers[int(draw * len(workers))].kill()
        return True

    def suspend_aws(self, seconds: float) -> None:
        """Suspend the local AWS for so many seconds (SIGSTOP, SIGCONT). The function's processes go on."""
        ministack = self._parent()
        ministack.suspend()
        try:
            self._sleep(seconds)
        finally:
            ministack.resume()

    def failed_invocations(self) -> int:
        """Return how many batches failed as a whole since the local AWS was started, by MiniStack's log."""
        with self._log.open(errors="replace") as lines:
            return sum(_FAILED_INVOCATION in line for line in lines)

    def _parent(self) -> psutil.Process:
        if not is_alive(self._ministack):
            raise StackError("the local AWS has ended; see ministack.log")
        return psutil.Process(self._ministack.pid)

    def _workers(self) -> list[psutil.Process]:
        return [process for process in self._parent().children(recursive=True) if self._runs_the_function(process)]

    def _runs_the_function(self, process: psutil.Process) -> bool:
        # MiniStack unpacks the function into a folder named after it. The script that the process runs is in there too.
        with suppress(psutil.NoSuchProcess):
            is_ready = self._clock() - process.create_time() > _SECONDS_TO_START
            is_running = is_ready and process.status() != psutil.STATUS_ZOMBIE
            return is_running and any(f"-{self._function_name}-" in word for word in process.cmdline())
        return False


def processes_of(stack_folder: StackFolder, function_name: str) -> LocalAwsProcesses:
    """Return the processes of the stack in `stack_folder`. Raise StackError if no local AWS runs."""
    running = read_running(stack_folder)
    started = [process for process in running.processes if process.name == MINISTACK] if running else []
    if not started:
        raise StackError("no local AWS is running")
    return LocalAwsProcesses(started[0], function_name, stack_folder.logs / f"{MINISTACK}.log")
