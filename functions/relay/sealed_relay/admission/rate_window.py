"""The API's rate limit as one sliding log of turns, for all invocations together. Pure.

A turn is counted in the quarter of a second in which it was taken, and leaves the log once no request that used it can
lie in the same 60 seconds as one that takes its place.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import accumulate
from math import ceil

from sealed_relay.ports import Value

USE_WITHIN_SECONDS = 1.0
"""A turn that is not used for so long, because storing the request took its time, is not used at all."""

_TICK_MS = 250
_CLOCKS_DIFFER_MS = 500
_TICKS = (60_000 + int(USE_WITHIN_SECONDS * 1000) + _CLOCKS_DIFFER_MS) // _TICK_MS + 2
_WINDOW_MS = _TICKS * _TICK_MS
"""62 seconds: the price of holding the limit in any 60 of them is 3 in 100 turns."""

_HORIZON_MS = 900_000
_STEP_MS = 60_000
"""So many turns are promised in it as come in 62 seconds: what comes back late leaves none unused then.

Much closer, and too many would come too early, and be put off once more behind all others.
"""
_GRACE_MS = 40_000
"""For so long a promised turn is kept for its request: SQS gathers a batch, the relay claims, seals and stores.

Kept for less, where SQS gathers for 10 s, it would go to whoever comes new, and those who were put off would starve.
"""


@dataclass(frozen=True, slots=True)
class Pace:
    """The turns taken: `turns[i]` of them in tick `first_tick + i`, in quarters of a second since 1970.

    From `promised_since_ms` to `promised_until_ms`, milliseconds since 1970, turns are promised to requests that were
    put off, one after the other. Not all are taken: what was put off may expire, be paused, or share a request.
    """

    first_tick: int = 0
    turns: tuple[int, ...] = ()
    promised_since_ms: int = 0
    promised_until_ms: int = 0

    def used(self, now_ms: int) -> int:
        """How many turns cannot be taken again yet."""
        return sum(self._since(now_ms))

    def take(self, count: int, now_ms: int) -> "Pace":
        """Count turns as taken now."""
        kept = self._since(now_ms)
        tick = now_ms // _TICK_MS
        first_tick = self.first_tick + len(self.turns) - len(kept) if kept else tick
        turns = [*kept, *[0] * (tick - first_tick + 1 - len(kept))]
        turns[-1] += count  # of a clock that lags, too: it counts them later than it means to, never earlier
        return replace(self, first_tick=first_tick, turns=tuple(turns))

    def spare(self, now_ms: int, per_minute: int) -> int:
        """How many turns may be taken by requests that come new: of promised ones those that nobody came for."""
        room = max(0, per_minute - self.used(now_ms))
        if self.promised_until_ms <= now_ms:
            return room
        untaken_ms = self._untaken_ms(now_ms, per_minute) - _GRACE_MS
        return min(room, max(0, ceil(untaken_ms * per_minute / _WINDOW_MS)))

    def put_off(self, count: int, now_ms: int, per_minute: int, about_to_take: int = 0) -> tuple["Pace", list[int]]:
        """Promise as many turns to come, each at a time of its own, in milliseconds since 1970.

        `about_to_take` turns are as good as taken. Turns are promised behind those that are promised already; if these
        are not being taken, once more from where there is room. Nobody waits for more than a quarter of an hour from
        there: for more requests than that has turns, those of its second half are promised again.
        """
        step_ms = _STEP_MS / per_minute
        next_room_ms = (self.take(about_to_take, now_ms) if about_to_take else self).next_room_ms(now_ms, per_minute)
        is_being_taken = self._untaken_ms(now_ms, per_minute) < _GRACE_MS / 2
        first_ms = max(next_room_ms, self.promised_until_ms) if is_being_taken else next_room_ms
        times_ms = [_within_horizon(int(first_ms + index * step_ms), next_room_ms) for index in range(count + 1)]
        # Whoever comes new leaves some room; where there is none, those who were promised it did come for it.
        # What is only about to be taken may turn out not to be: it does not count as taken before it is.
        room_ms = self.next_room_ms(now_ms, per_minute)
        is_first = self.promised_until_ms <= now_ms
        since_ms = room_ms if is_first or room_ms > now_ms else self.promised_since_ms
        return replace(self, promised_since_ms=since_ms, promised_until_ms=times_ms.pop()), times_ms

    def _untaken_ms(self, now_ms: int, per_minute: int) -> float:
        """For how long turns were promised, in the last minute, without anybody taking them."""
        promised_ms = min(_WINDOW_MS, now_ms - self.promised_since_ms)
        taken = self.used(max(now_ms, self.promised_since_ms + _WINDOW_MS))
        return promised_ms - taken * _WINDOW_MS / per_minute

    def _since(self, now_ms: int) -> tuple[int, ...]:
        gone = now_ms // _TICK_MS - _TICKS - self.first_tick + 1
        return self.turns[max(0, gone) :]

    def next_room_ms(self, now_ms: int, per_minute: int) -> int:
        """From when on a turn can be taken, in milliseconds since 1970."""
        kept = self._since(now_ms)
        too_many = sum(kept) - per_minute
        if too_many < 0:
            return now_ms
        gone = next(index for index, total in enumerate(accumulate(kept)) if total > too_many)
        return (self.first_tick + len(self.turns) - len(kept) + gone + _TICKS) * _TICK_MS


def _within_horizon(time_ms: int, next_room_ms: int) -> int:
    over_ms = time_ms - next_room_ms - _HORIZON_MS
    return time_ms if over_ms < 0 else next_room_ms + _HORIZON_MS // 2 + over_ms % (_HORIZON_MS // 2)


def pace_attributes(pace: Pace) -> dict[str, Value]:
    """A pace as an item's attributes: half a kilobyte, so that a turn costs one write unit."""
    return {
        "first_tick": pace.first_tick,
        "turns": struct.pack(f">{len(pace.turns)}H", *pace.turns),
        "promised_since_ms": pace.promised_since_ms,
        "promised_until_ms": pace.promised_until_ms,
    }


def pace_of(item: Mapping[str, Value]) -> Pace:
    """The pace in an item's attributes, of which an empty one has none."""
    turns = item.get("turns", b"")
    packed = turns if isinstance(turns, bytes) else b""
    return Pace(
        int(item.get("first_tick", 0)),
        struct.unpack(f">{len(packed) // 2}H", packed),
        int(item.get("promised_since_ms", 0)),
        int(item.get("promised_until_ms", 0)),
    )
