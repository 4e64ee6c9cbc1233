"""A dict of bounded size, for what one environment of the function keeps from batch to batch."""

from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")


class BoundedDict(dict[K, V]):
    """A dict that forgets what was set first, once it has more than `max_entries`.

    A message may name any flow id, also one that does not exist. Without a limit, what is kept by flow id would grow
    without end. Threads must take turns.
    """

    def __init__(self, max_entries: int) -> None:
        super().__init__()
        self._max_entries = max_entries

    def __setitem__(self, key: K, value: V) -> None:
        self.pop(key, None)  # from here on it is the youngest
        super().__setitem__(key, value)
        if len(self) > self._max_entries:
            del self[next(iter(self))]
