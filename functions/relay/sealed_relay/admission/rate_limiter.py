"""The turns that all invocations share: `pacing`, kept in one item of the table."""

from collections.abc import Callable
from typing import Final

from sealed_relay.admission.rate_window import Pace, pace_attributes, pace_of
from sealed_relay.admission.shared_item import Attributes, SharedItems
from sealed_relay.observability.events import BudgetUsed, Observe
from sealed_relay.ports import Item

PACE_KEY: Final = "#pace"


class Pacer:
    """Hands out `per_minute` turns. `clock` tells seconds since 1970. What is known of the item is in `items`."""

    def __init__(self, items: SharedItems, clock: Callable[[], float], observe: Observe, per_minute: int) -> None:
        self._items = items
        self._clock = clock
        self._observe = observe
        self._per_minute = per_minute

    def room(self) -> int:
        """How many more requests may leave now, as far as is known here."""
        return max(0, self._per_minute - self._pace().used(self._now_ms()))

    def spare(self) -> int:
        """How many of these are promised to nobody, or nobody came for: whoever comes new stands behind the others."""
        return self._pace().spare(self._now_ms(), self._per_minute)

    def take(self, wanted: int) -> tuple[int, float]:
        """Take so many turns, or as many as there are; how many, and when they count, in seconds since 1970.

        One write, and one more for each time that somebody else was quicker.
        """
        taken, now_ms = 0, 0

        def count(item: Item) -> Attributes | None:
            nonlocal taken, now_ms
            pace, now_ms = pace_of(item), self._now_ms()
            taken = max(0, min(wanted, self._per_minute - pace.used(now_ms)))
            return pace_attributes(pace.take(taken, now_ms)) if taken else None

        is_written = self._items.change(PACE_KEY, count)
        self._observe(BudgetUsed(1 - self.room() / self._per_minute))
        return taken if is_written else 0, now_ms / 1000

    def put_off(self, requests: int, about_to_leave: int = 0) -> list[float]:
        """How long so many requests wait for room, in seconds: each until a turn of its own, so that none is wasted.

        `about_to_leave` others were told that they may leave now. One write for all of them.
        """
        now_ms = self._now_ms()
        times_ms: list[int] = []

        def promise(item: Item) -> Attributes:
            pace, times_ms[:] = pace_of(item).put_off(requests, now_ms, self._per_minute, about_to_leave)
            return pace_attributes(pace)

        self._items.change(PACE_KEY, promise)
        return [max(0, time_ms - now_ms) / 1000 for time_ms in times_ms]

    def _pace(self) -> Pace:
        return pace_of(self._items[PACE_KEY])

    def _now_ms(self) -> int:
        return int(self._clock() * 1000)
