"""Ends a command in an orderly way: without a traceback, and after it has stopped what it started."""

import errno
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from local.stack.errors import StackError
from local.stack.signals import ENDING

_NOBODY_READS = {errno.EPIPE, errno.EIO}  # the next program in a pipe has ended, or the terminal was closed


@contextmanager
def orderly_end() -> Iterator[None]:
    """End the program in one sentence if the block raises StackError.

    SIGTERM and SIGHUP interrupt the block as Ctrl-C does, so that it can clean up. The exit status is then 128 and the
    signal's number.
    """
    received: list[int] = []

    def interrupt(number: int, _: FrameType | None) -> None:
        received.append(number)
        raise KeyboardInterrupt

    for number in ENDING:
        signal.signal(number, interrupt)
    try:
        yield
        sys.stdout.flush()
    except StackError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        _end(128 + (received or [signal.SIGINT])[0])
    except OSError as error:
        if error.errno not in _NOBODY_READS:
            raise
        _end(128 + signal.SIGPIPE)


def _end(status: int) -> None:
    # The interpreter flushes the output at its end, and complains if nobody reads that.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(status)
