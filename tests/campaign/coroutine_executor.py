"""The relay's threads as coroutines: the schedule interleaves the work that the relay runs in parallel."""

from collections import deque
from collections.abc import Callable, Collection
from concurrent.futures import Executor, Future
from typing import Any, ParamSpec, TypeVar

from greenlet import getcurrent, greenlet

from tests.campaign.virtual_time import Schedule

P = ParamSpec("P")
R = TypeVar("R")


class Killed(BaseException):
    """The function was killed. Not an Exception: no code may catch it."""


class _Piece(Future[R]):
    """A future that a coroutine can wait for. Its hash makes the order of a set of them the same in every process."""

    def __init__(self, executor: "CoroutineExecutor", number: int) -> None:
        super().__init__()
        self.executor = executor
        self._number = number

    def __hash__(self) -> int:
        return self._number

    def result(self, timeout: float | None = None) -> R:
        while not self.done():
            self.executor.wait_for_one()
        return super().result(timeout)


class CoroutineExecutor(Executor):
    """Runs each piece of one invocation's work as a coroutine of its own."""

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule
        self._submitted = 0
        self._wake: Callable[[], None] | None = None
        self._is_killed = False

    def submit(self, work: Callable[P, R], /, *args: P.args, **keywords: P.kwargs) -> Future[R]:
        self._submitted += 1
        piece: _Piece[R] = _Piece(self, self._submitted)
        self._schedule.start(lambda: self._run(piece, lambda: work(*args, **keywords)))
        return piece

    def wait_for_one(self) -> None:
        """Sleep until a piece of work is done."""
        self._wake = self._schedule.waker()
        self._schedule.wait()
        if self._is_killed:
            raise Killed

    def _run(self, piece: Future[R], work: Callable[[], R]) -> None:
        if not piece.set_running_or_notify_cancel():  # the work that wanted it has failed meanwhile
            return
        try:
            piece.set_result(work())
        except Exception as error:  # noqa: BLE001 - as any executor: it is the future's to tell
            piece.set_exception(error)
        except Killed:
            self._is_killed = True
        if self._wake:
            self._wake()
            self._wake = None


class CoroutineLock:
    """What `threading.RLock` does, between coroutines."""

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule
        self._owner: greenlet | None = None
        self._depth = 0
        self._waiting: deque[Callable[[], None]] = deque()

    def __enter__(self) -> None:
        me = getcurrent()
        while self._owner not in (None, me):
            self._waiting.append(self._schedule.waker())
            self._schedule.wait()
        self._owner = me
        self._depth += 1

    def __exit__(self, *_: object) -> None:
        self._depth -= 1
        if not self._depth:
            self._owner = None
            if self._waiting:
                self._waiting.popleft()()


def wait(pieces: Collection[Future[Any]], return_when: str) -> tuple[set[Future[Any]], set[Future[Any]]]:
    """What `concurrent.futures.wait` does, for coroutines; takes its place in the relay while a campaign runs."""
    assert return_when == "FIRST_COMPLETED"
    while not any(piece.done() for piece in pieces):
        executor = next(piece.executor for piece in pieces if isinstance(piece, _Piece))
        executor.wait_for_one()
    done = {piece for piece in pieces if piece.done()}
    return done, set(pieces) - done
