"""Virtual time, and coroutines that sleep in it. The same seed always gives the same steps in the same order."""

import heapq
import itertools
from collections.abc import Callable

from greenlet import getcurrent, greenlet


class Schedule:
    """Events in the order of their times. `now` is in seconds since 1970 and moves only from one event to the next.

    Coroutines are greenlets, so that the product's own code, which knows nothing of coroutines, can sleep in the
    midst of a call to one of its ports, while other invocations of it go on.
    """

    def __init__(self, start: float) -> None:
        self.now = start
        self._due: list[tuple[float, int, Callable[[], object]]] = []
        self._numbers = itertools.count()
        self._loop = getcurrent()

    def __call__(self) -> float:
        """Return the time: a schedule is also a clock."""
        return self.now

    def at(self, moment: float, action: Callable[[], object]) -> None:
        """Run an action at that time, or now if it is over. Actions of one moment run in the order they were added."""
        heapq.heappush(self._due, (max(moment, self.now), next(self._numbers), action))

    def after(self, seconds: float, action: Callable[[], object]) -> None:
        """Run an action after so many seconds."""
        self.at(self.now + seconds, action)

    def start(self, coroutine: Callable[[], object]) -> None:
        """Start a coroutine now."""
        self.at(self.now, greenlet(coroutine, parent=self._loop).switch)

    def sleep(self, seconds: float) -> None:
        """Suspend the current coroutine for so many seconds; other actions that are due run meanwhile."""
        self.after(seconds, getcurrent().switch)
        self._loop.switch()

    def wait(self) -> None:
        """Suspend the current coroutine until its waker is called: see `waker`."""
        self._loop.switch()

    def waker(self) -> Callable[[], None]:
        """Return a function that resumes the present coroutine once."""
        resume = getcurrent().switch
        return lambda: self.at(self.now, resume)

    def run(self, until: float) -> bool:
        """Run all actions until `until`. Return False if there are more after it."""
        self._loop = getcurrent()
        while self._due:
            moment, _, action = heapq.heappop(self._due)
            if moment > until:
                return False
            self.now = moment
            action()
        return True
