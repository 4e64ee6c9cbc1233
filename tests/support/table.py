"""The relay's table in memory."""

import threading
from collections.abc import Sequence

from sealed_relay.aws.dynamodb import refuse_keys_named_twice
from sealed_relay.ports import KEY, Change, Item


class InMemoryTable:
    """Keeps the promises of `ports.Table`. `items` is what it holds, by key."""

    def __init__(self) -> None:
        self.items: dict[str, Item] = {}
        self._lock = threading.Lock()

    def insert(self, items: Sequence[Item]) -> list[bool]:
        refuse_keys_named_twice([str(item[KEY]) for item in items])
        with self._lock:
            return [self._insert(item) for item in items]

    def put(self, item: Item) -> None:
        with self._lock:
            self.items[str(item[KEY])] = dict(item)

    def remove(self, key: str) -> None:
        """Remove an item, as TTL or a person may."""
        with self._lock:
            del self.items[key]

    def read(self, keys: Sequence[str]) -> dict[str, Item]:
        with self._lock:
            return {key: self.items[key] for key in keys if key in self.items}

    def update(self, changes: Sequence[Change]) -> list[bool]:
        refuse_keys_named_twice([change.key for change in changes])
        with self._lock:
            return [self._update(change) for change in changes]

    def _insert(self, item: Item) -> bool:
        key = str(item[KEY])
        if key in self.items:
            return False
        self.items[key] = dict(item)
        return True

    def _update(self, change: Change) -> bool:
        item = self.items.get(change.key)
        if item is None or not _holds(change.expected, item):
            return False
        changed = {**item, **change.attributes}
        self.items[change.key] = {name: value for name, value in changed.items() if value is not None}
        return True


def _holds(expected: Item, item: Item) -> bool:
    """Whether each value is there and of the same type: to DynamoDB, unlike Python, 1 is not True."""
    return all(
        name in item and (type(item[name]), item[name]) == (type(value), value) for name, value in expected.items()
    )
