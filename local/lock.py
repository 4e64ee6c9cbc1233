"""A lock on a file, so that two commands of one checkout do not change the same things at once.

The system ends a lock with the process that holds it, also if the process is killed.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local.stack.errors import StackError


@contextmanager
def locked(file: Path, command: str, *, wait: bool = False) -> Iterator[None]:
    """Hold the lock while the block runs.

    If another command holds it, wait for that one with `wait`; without, raise StackError with its name.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read() or "another command"
            raise StackError(f"{holder} uses the local stack of this checkout now: wait until it ends") from None
        lock.truncate(0)
        lock.write(f"`{command}` (process {os.getpid()})")
        lock.flush()
        yield
