"""Invokes under the runtime emulator and reads figures from its log and the system. Linux only, like the emulator."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import psutil

from local.emulator.emulator import Emulator, Invocation, run_emulator
from local.emulator.fetch_function import DeployedFunction

EMPTY_EVENT = b'{"Records": []}'

_INIT = re.compile(r"INIT REPORT\(durationMs: ([\d.]+)\)")
_INVOKE = re.compile(r"INVOKE RTDONE\(.*duration: ([\d.]+)ms\)")
_PEAK = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)


class UnfinishedBatchError(Exception):
    """A function did not finish all messages of a batch, so its figures mean nothing."""


@dataclass(frozen=True, slots=True)
class ColdStart:
    """The time of a cold start: until the function takes invocations, and of a first invocation without messages.

    The relay creates its clients in the first invocation, the others before it: compare the sum.
    """

    init_seconds: float
    first_invocation_seconds: float

    @property
    def seconds(self) -> float:
        """Until it is ready for the first message."""
        return self.init_seconds + self.first_invocation_seconds


@contextmanager
def started(function: DeployedFunction) -> Iterator[tuple[Emulator, ColdStart]]:
    """A new instance of the function that has answered one empty batch."""
    with TemporaryDirectory() as name, run_emulator(function, Path(name)) as emulator:
        first = emulator.invoke(EMPTY_EVENT)
        yield emulator, cold_start(first)


def invoke(emulator: Emulator, event: bytes) -> float:
    """Invoke, and return the seconds it took. Raises UnfinishedBatchError unless every message was finished."""
    invocation = emulator.invoke(event)
    if msgspec.json.decode(invocation.answer) != {"batchItemFailures": []}:
        raise UnfinishedBatchError(invocation.answer.decode()[:500])
    return seconds_of(invocation)


def cold_start(first: Invocation) -> ColdStart:
    """Return the figures in the log of a function's first invocation."""
    return ColdStart(_milliseconds(_INIT, first) / 1000, seconds_of(first))


def seconds_of(invocation: Invocation) -> float:
    """Return the seconds from the delivery of the event to the function's request for the next one."""
    return _milliseconds(_INVOKE, invocation) / 1000


def cpu_seconds(emulator: Emulator) -> float:
    """Return the CPU seconds of the function's processes so far, ended threads included, to a hundredth of a second."""
    times = [process.cpu_times() for process in _function_processes(emulator)]
    return float(sum(time.user + time.system for time in times))


def peak_memory_bytes(emulator: Emulator) -> int:
    """Return the peak memory of the function's processes, in bytes."""
    kilobytes = [
        _PEAK.search(Path(f"/proc/{process.pid}/status").read_text()) for process in _function_processes(emulator)
    ]
    return sum(int(found[1]) for found in kilobytes if found) * 1024


def _function_processes(emulator: Emulator) -> list[psutil.Process]:
    return psutil.Process(emulator.pid).children(recursive=True)


def _milliseconds(pattern: "re.Pattern[str]", invocation: Invocation) -> float:
    found = [match for match in map(pattern.search, invocation.log) if match]
    return float(found[0][1])
