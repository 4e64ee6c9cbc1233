"""A table that does at a write what a test tells it to do."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from sealed_relay.ports import KEY, Change, Item, Table

Write = Callable[[], bool]
"""Does one write, and says whether it was done."""
Trouble = Callable[[Write], bool]
"""What happens in place of a write: it gets the write, and says what the writer is told. It may also raise."""


def fail_before(error: BaseException) -> Trouble:
    """The write is not done, and is reported as failed."""

    def fail(_: Write) -> bool:
        raise error

    return fail


def fail_after(error: BaseException) -> Trouble:
    """The write is done, and is reported as failed."""

    def fail(write: Write) -> bool:
        write()
        raise error

    return fail


def before(happens: Callable[[], object]) -> Trouble:
    """Something else happens right before the write: another invocation writes, or time passes."""

    def do_both(write: Write) -> bool:
        happens()
        return write()

    return do_both


def after(happens: Callable[[], object]) -> Trouble:
    """Something else happens between the write and the report of it: the writer hears of it late."""

    def do_both(write: Write) -> bool:
        is_done = write()
        happens()
        return is_done

    return do_both


def repeat(write: Write) -> bool:
    """The SDK loses the first answer and writes again: the writer is told of the second write."""
    write()
    return write()


def refuse(_: Write) -> bool:
    """The write is not done, as if its condition did not hold."""
    return False


class LandLater:
    """The write is reported as failed, and is done when `land` is called: it was delayed on the way."""

    def __init__(self, error: BaseException) -> None:
        self._error = error
        self._under_way: list[Write] = []

    def __call__(self, write: Write) -> bool:
        self._under_way.append(write)
        raise self._error

    def land(self) -> list[bool]:
        """Do the writes that are under way; whether each was done."""
        landing, self._under_way = self._under_way, []
        return [write() for write in landing]


@dataclass
class _Line:
    key_prefix: str
    trouble: Trouble
    times_left: float


class ScriptedTable:
    """Keeps the promises of `ports.Table` over another table, but for what it was told.

    The writes of one call succeed or fail each by itself, in order; an error is raised after the last of them. What is
    no `Exception`, a test's crash, is raised at once. `written` holds the keys of all writes so far, in order.
    """

    def __init__(self, table: Table) -> None:
        self._table = table
        self._lines: list[_Line] = []
        self._at_reads: list[Callable[[], object]] = []
        self.written: list[str] = []

    def at_write(self, trouble: Trouble, key_prefix: str = "", times: float = float("inf")) -> None:
        """Do this at the next writes, so many times, of items whose key starts so. The first that fits is done."""
        self._lines.append(_Line(key_prefix, trouble, times))

    def at_read(self, happens: Callable[[], object]) -> None:
        """Let this happen before each read; it may raise."""
        self._at_reads.append(happens)

    def insert(self, items: Sequence[Item]) -> list[bool]:
        return self._write((str(item[KEY]), partial(self._insert, item)) for item in items)

    def update(self, changes: Sequence[Change]) -> list[bool]:
        return self._write((change.key, partial(self._update, change)) for change in changes)

    def read(self, keys: Sequence[str]) -> dict[str, Item]:
        for happens in self._at_reads:
            happens()
        return self._table.read(keys)

    def _write(self, writes: Iterable[tuple[str, Write]]) -> list[bool]:
        done: list[bool] = []
        errors: list[Exception] = []
        keys: set[str] = set()
        for key, write in writes:
            assert key not in keys, "DynamoDB refuses a round trip that names a key twice"
            keys.add(key)
            self.written.append(key)
            try:
                done.append(self._trouble_at(key)(write))
            except Exception as error:  # noqa: BLE001 - raised below
                errors.append(error)
        if errors:
            raise errors[0]
        return done

    def _trouble_at(self, key: str) -> Trouble:
        for line in self._lines:
            if line.times_left > 0 and key.startswith(line.key_prefix):
                line.times_left -= 1
                return line.trouble
        return lambda write: write()

    def _insert(self, item: Item) -> bool:
        return self._table.insert([item])[0]

    def _update(self, change: Change) -> bool:
        return self._table.update([change])[0]
