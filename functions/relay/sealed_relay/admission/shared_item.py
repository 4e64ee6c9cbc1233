"""Small items that all invocations read and change, each write only over what was read last."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from sealed_relay.ports import KEY, Change, Item, Table, Value

FRESH_SECONDS: Final = 1.0
_BUSY_SECONDS: Final = 10.0
"""For so long what somebody else was seen to write counts as stale at once, wherever it is read before a write."""
_TRIES = 16
_BACKOFF_SECONDS: Final = 0.02
_REVISION = "revision"

Attributes = Mapping[str, Value | None]


class SharedItems:
    """What is known of items by key, {} where there is none. `clock` tells seconds. Callers take turns.

    `sleep` waits for a random time, up to so many seconds. Each method raises what the table raises.
    """

    def __init__(self, table: Table, clock: Callable[[], float], sleep: Callable[[float], None]) -> None:
        self._table = table
        self._clock = clock
        self._sleep = sleep
        self._items: dict[str, Item] = {}
        self._read_at: dict[str, float] = {}
        self._others_wrote_at: dict[str, float] = {}

    def __getitem__(self, key: str) -> Item:
        """The item as it was last read or written here."""
        return self._items.get(key, {})

    def read(self, keys: Iterable[str], *, older_than_seconds: float = 0.0) -> None:
        """Read items anew, those that were read no longer ago excepted.

        What others write too is not: a write over what was read a while ago would fail, and cost as much as one that
        succeeds.
        """
        now = self._clock()
        stale = [key for key in keys if self._is_busy(key, now) or not self._is_known(key, now, older_than_seconds)]
        if not stale:
            return
        found = self._table.read(stale)
        for key in stale:
            item = found.get(key, {})
            if self._is_known(key, now, _BUSY_SECONDS) and item.get(_REVISION) != self[key].get(_REVISION):
                self._others_wrote_at[key] = now
            self._items[key] = item
            self._read_at[key] = now

    def change(self, key: str, change: Callable[[Item], Attributes | None]) -> bool:
        """Write what `change` makes of the item; it is asked again if somebody else wrote in between.

        False if it made None of it, or others were quicker time and again: nothing was written then.
        """
        for tries in range(1, _TRIES + 1):
            attributes = change(self[key])
            if attributes is None:
                return False
            if self._write(key, attributes):
                return True
            self._sleep(_BACKOFF_SECONDS * min(tries, 4))  # or those who met here would meet again
            self.read([key])
        return False

    def _is_known(self, key: str, now: float, since_seconds: float) -> bool:
        return key in self._read_at and 0 <= now - self._read_at[key] < since_seconds

    def _is_busy(self, key: str, now: float) -> bool:
        return key in self._others_wrote_at and 0 <= now - self._others_wrote_at[key] < _BUSY_SECONDS

    def _write(self, key: str, attributes: Attributes) -> bool:
        old = self[key]
        known = old.get(_REVISION)
        changed: Attributes = {**attributes, _REVISION: 1 if known is None else int(known) + 1}
        new = {name: value for name, value in {**old, **changed, KEY: key}.items() if value is not None}
        if old:
            as_read = {name: value for name, value in old.items() if name != KEY}
            expected = as_read if known is None else {_REVISION: known}  # an item that a person wrote has none
            [is_done] = self._table.update([Change(key, expected, changed)])
        else:
            [is_done] = self._table.insert([new])
        if is_done:
            self._items[key] = new
        return is_done
