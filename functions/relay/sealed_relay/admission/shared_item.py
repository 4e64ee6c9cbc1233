"""Small items that all invocations read and change. Each write succeeds only over what was read last."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from sealed_relay.bounded import BoundedDict
from sealed_relay.ports import KEY, Change, Item, Table, Value

FRESH_SECONDS: Final = 1.0
"""What was read or written here within this time is not read again."""

MAX_KNOWN_ITEMS: Final = 10_000
"""How many items are known at once, at about 1 KB each. A forgotten item is read again before a request leaves."""

_TRIES = 16
_BACKOFF_SECONDS: Final = 0.02
_REVISION = "revision"


class SharedItems:
    """What is known of items, by key, in `known`; {} where there is no item. Threads must take turns.

    `clock` tells seconds. `sleep` waits for a random time, up to so many seconds. Each method raises what the table
    raises.
    """

    def __init__(self, table: Table, clock: Callable[[], float], sleep: Callable[[float], None]) -> None:
        self._table = table
        self._clock = clock
        self._sleep = sleep
        self.known: BoundedDict[str, Item] = BoundedDict(MAX_KNOWN_ITEMS)
        self._known_at: BoundedDict[str, float] = BoundedDict(MAX_KNOWN_ITEMS)

    def read(self, keys: Iterable[str], max_age_seconds: float = 0.0) -> None:
        """Read items in one round trip, except those that were read or written here less than so many seconds ago."""
        now = self._clock()
        wanted = [key for key in dict.fromkeys(keys) if not 0 <= now - self._known_at.get(key, -1e9) < max_age_seconds]
        found = self._table.read(wanted) if wanted else {}
        for key in wanted:
            self._know(key, found.get(key, {}), now)

    def attempts(self, key: str) -> Iterator[Item]:
        """The item as it is known here, and then, after each write that failed, as it is read again.

        The iteration ends after 16 attempts. Nothing was written then.
        """
        for attempt in range(1, _TRIES + 1):
            yield self.known.get(key, {})
            self._sleep(_BACKOFF_SECONDS * min(attempt, 4))  # otherwise the same writers would meet again
            self.read([key])

    def write(self, key: str, attributes: Mapping[str, Value | None]) -> bool:
        """Write attributes over what is known of the item; False if the item has changed since.

        An attribute whose value is None is removed.
        """
        old, now = self.known.get(key, {}), self._clock()
        revision = old.get(_REVISION)
        has_revision = isinstance(revision, int)
        changed = {**attributes, _REVISION: revision + 1 if isinstance(revision, int) else 1}
        new = {name: value for name, value in {**old, **changed, KEY: key}.items() if value is not None}
        if old:
            as_read = {name: value for name, value in old.items() if name != KEY}
            # An item that a person wrote has no revision: each of its values must be as it was read.
            expected = {_REVISION: old[_REVISION]} if has_revision else as_read
            [is_done] = self._table.update([Change(key, expected, changed)])
        else:
            [is_done] = self._table.insert([new])
        if is_done:
            self._know(key, new, now)
        return is_done

    def _know(self, key: str, item: Item, now: float) -> None:
        self.known[key] = item
        self._known_at[key] = now
