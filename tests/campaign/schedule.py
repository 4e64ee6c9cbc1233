"""Virtual time, and coroutines that sleep in it. The same run does the same things in the same order, always."""

import heapq
import itertools
from collections.abc import Callable

from greenlet import getcurrent, greenlet


class Schedule:
    """What happens when. `now` is in seconds since 1970 and moves only from one event to the next.

    Coroutines are greenlets, so that the product's own code, which knows nothing of coroutines, can sleep in the
    midst of a call to one of its ports, while other invocations of it go on.
    """

    def __init__(self, start: float) -> None:
        self.now = start
        self._due: list[tuple[float, int, Callable[[], object]]] = []
        self._numbers = itertools.count()
        self._loop = getcurrent()

    def __call__(self) -> float:
        """The time: the schedule is a clock too."""
        return self.now

    def at(self, moment: float, action: Callable[[], object]) -> None:
        """Let something happen then, or now if that is over; what is due at one moment happens in order of asking."""
        heapq.heappush(self._due, (max(moment, self.now), next(self._numbers), action))

    def after(self, seconds: float, action: Callable[[], object]) -> None:
        """Let something happen in so many seconds."""
        self.at(self.now + seconds, action)

    def start(self, coroutine: Callable[[], object]) -> None:
        """Let a coroutine begin now."""
        self.at(self.now, greenlet(coroutine, parent=self._loop).switch)

    def sleep(self, seconds: float) -> None:
        """Let a coroutine go on in so many seconds, and whatever is due before happen meanwhile."""
        self.after(seconds, getcurrent().switch)
        self._loop.switch()

    def wait(self) -> None:
        """Let a coroutine go on when somebody switches to it: see `waker`."""
        self._loop.switch()

    def waker(self) -> Callable[[], None]:
        """What lets the coroutine that asks go on, once."""
        resume = getcurrent().switch
        return lambda: self.at(self.now, resume)

    def run(self, until: float) -> bool:
        """Go through everything that is due, and what comes of it; False if there is more to come after `until`."""
        self._loop = getcurrent()
        while self._due:
            moment, _, action = heapq.heappop(self._due)
            if moment > until:
                return False
            self.now = moment
            action()
        return True
