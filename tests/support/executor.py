"""Work one piece after the other, in the order it was handed in: what a test needs to count steps."""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class InlineExecutor(Executor):
    """Runs what it is given on the spot. What is no `Exception`, a test's crash, passes straight through."""

    def submit(self, work: Callable[P, R], /, *args: P.args, **keywords: P.kwargs) -> Future[R]:
        future: Future[R] = Future()
        try:
            future.set_result(work(*args, **keywords))
        except Exception as error:  # noqa: BLE001 - as any executor: it is the future's to tell
            future.set_exception(error)
        return future
