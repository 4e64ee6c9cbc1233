"""The API's rate limit, held by all invocations together: the permits of the last minute, in one item of the table.

The log is a sliding one. A permit is counted in the quarter of a second in which it was taken. It leaves the log when
no request that used it can lie in the same 60 seconds as a request that gets its place.
"""

import struct
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from sealed_relay.admission.shared_item import SharedItems
from sealed_relay.calls.message import Lane
from sealed_relay.observability.events import BudgetUsed, Observe
from sealed_relay.ports import Value

RATE_KEY: Final = "#permits"

USE_WITHIN_SECONDS: Final = 1.0
"""A request must leave so soon after its permit was taken. Otherwise the permit is lost."""

CLOCKS_DIFFER_SECONDS: Final = 2.0
"""The limit holds although the clocks of two invocations differ by so much: each may be a second off the true time.

Each second costs a steady stream of requests 1.6 percent of the limit.
"""

_MAX_PERMITS_AT_ONCE = 16
"""One write takes so many permits at most: an invocation begins so many requests at once.

Each further request begins when one of these has ended. A permit that was taken for it before that may be lost.
"""

_TICK_MS = 250
_TICKS = int((60 + USE_WITHIN_SECONDS + CLOCKS_DIFFER_SECONDS) * 1000) // _TICK_MS + 1
_MAX_DEFERRAL_MS = 300_000
"""A request that would wait for longer waits for the next free permit instead."""


@dataclass(frozen=True, slots=True)
class RateWindow:
    """The permits taken: `counts[i]` of them in tick `first_tick + i`, in quarters of a second since 1970. Pure."""

    first_tick: int = 0
    counts: tuple[int, ...] = ()

    def taken(self, now_ms: int) -> int:
        """How many permits cannot be taken again yet."""
        return sum(self._since(now_ms))

    def take(self, permits: int, now_ms: int) -> "RateWindow":
        """Count permits as taken now."""
        kept = self._since(now_ms)
        tick = now_ms // _TICK_MS
        first_tick = self.first_tick + len(self.counts) - len(kept) if kept else tick
        counts = [*kept, *[0] * (tick - first_tick + 1 - len(kept))]
        counts[-1] += permits  # also by a clock that lags: its permit then counts for longer, never for a shorter time
        return RateWindow(first_tick, tuple(counts))

    def next_free_ms(self, now_ms: int, per_minute: int, ahead: int = 0) -> int:
        """When a permit is free for one more than `ahead` requests, in milliseconds since 1970."""
        rounds, ahead = divmod(ahead, per_minute)
        kept = self._since(now_ms)
        too_many = sum(kept) + ahead - per_minute
        if too_many < 0:
            return now_ms + rounds * _TICKS * _TICK_MS
        gone = next(index for index, total in enumerate(accumulate(kept)) if total > too_many)
        return (self.first_tick + len(self.counts) - len(kept) + gone + (rounds + 1) * _TICKS) * _TICK_MS

    def _since(self, now_ms: int) -> tuple[int, ...]:
        gone = now_ms // _TICK_MS - _TICKS - self.first_tick + 1
        if gone < -2 * _TICKS:  # minutes ahead of any clock: a person wrote it
            return ()
        return self.counts[max(0, gone) :]


def window_attributes(window: RateWindow) -> dict[str, Value]:
    """A window as an item's attributes: half a kilobyte, so that a permit costs one write unit."""
    return {"first_tick": window.first_tick, "counts": struct.pack(f">{len(window.counts)}H", *window.counts)}


def window_of(item: Mapping[str, Value]) -> RateWindow:
    """The window in an item's attributes; an empty one if the relay cannot have written them."""
    first_tick, counts = item.get("first_tick"), item.get("counts")
    if type(first_tick) is not int or not isinstance(counts, bytes) or len(counts) % 2:
        return RateWindow()
    return RateWindow(first_tick, struct.unpack(f">{len(counts) // 2}H", counts))


class RateLimiter:
    """Hands out `per_minute` permits. `clock` tells seconds since 1970. `items` has what is known of the window.

    `urgent_reserve` of them are for urgent requests alone. An urgent request gets a permit while any is free. An
    ordinary request gets one while fewer than `per_minute - urgent_reserve` are used.
    """

    def __init__(
        self,
        items: SharedItems,
        clock: Callable[[], float],
        observe: Observe,
        per_minute: int,
        urgent_reserve: int,
    ) -> None:
        self._items = items
        self._clock = clock
        self._observe = observe
        self._per_minute = {Lane.INGRESS: per_minute - urgent_reserve, Lane.URGENT: per_minute}
        self._deferred_to_ms: dict[Lane, deque[int]] = {lane: deque() for lane in Lane}
        self._expected = 0
        self._spare = 0
        self._spare_until = 0.0

    def free(self, lane: Lane) -> int:
        """How many permits are free now for requests of this lane, as far as is known here."""
        return max(0, self._per_minute[lane] - window_of(self._items.known.get(RATE_KEY, {})).taken(self._now_ms()))

    def expect(self, requests: int) -> None:
        """Requests of this invocation will ask for a permit soon: the first one takes the permits of the first 16."""
        self._expected = min(requests, _MAX_PERMITS_AT_ONCE)

    def take(self, lane: Lane) -> float | None:
        """Take a permit. Returns until when it may be used, in seconds since 1970, or None if no permit is free.

        This costs no write if an earlier call took the permit too. Otherwise it costs one, and one more each time that
        another invocation wrote first.
        """
        if self._spare and self._clock() < self._spare_until:
            self._spare -= 1
            return self._spare_until
        until = None
        for item in self._items.attempts(RATE_KEY):
            # The other invocations count the permits from this time on, however long the write takes.
            window, now_ms = window_of(item), self._now_ms()
            permits = min(max(1, self._expected), self._per_minute[lane] - window.taken(now_ms))
            if permits <= 0:
                break
            if self._items.write(RATE_KEY, window_attributes(window.take(permits, now_ms))):
                until = now_ms / 1000 + USE_WITHIN_SECONDS
                self._expected, self._spare, self._spare_until = 0, permits - 1, until
                break
        self._observe(BudgetUsed(1 - self.free(Lane.URGENT) / self._per_minute[Lane.URGENT]))
        return until

    def seconds_to_wait(self, lane: Lane, about_to_leave: int = 0) -> float:
        """After how many seconds a request without a permit should try again.

        `about_to_leave` other requests of this invocation will take a permit now. The first request without a permit
        waits for the next permit that becomes free, and each further one for the permit after that. Other invocations
        know nothing of this, so several requests may come for one permit. Those that get none wait again. All of them
        come when permits become free, so requests that arrive later do not take all permits before them.
        """
        now_ms = self._now_ms()
        waiting = self._deferred_to_ms[lane]
        while waiting and waiting[0] <= now_ms:
            waiting.popleft()
        window = window_of(self._items.known.get(RATE_KEY, {})).take(about_to_leave, now_ms)
        free_ms = window.next_free_ms(now_ms, self._per_minute[lane], len(waiting))
        if free_ms > now_ms + _MAX_DEFERRAL_MS:
            waiting.clear()
            free_ms = window.next_free_ms(now_ms, self._per_minute[lane])
        waiting.append(free_ms)
        return (free_ms - now_ms) / 1000

    def _now_ms(self) -> int:
        return int(self._clock() * 1000)
