"""Items that several invocations write: what it costs that others are quicker."""

from collections.abc import Sequence

from sealed_relay.admission.shared_item import SharedItems
from sealed_relay.ports import Change, Item
from tests.functional.scene import Clock
from tests.support.table import InMemoryTable

KEY = "#shared"


class CountingTable(InMemoryTable):
    """`writes` says of each write whether it was done, `reads` how many items were read."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bool] = []
        self.reads = 0

    def insert(self, items: Sequence[Item]) -> list[bool]:
        done = super().insert(items)
        self.writes += done
        return done

    def update(self, changes: Sequence[Change]) -> list[bool]:
        done = super().update(changes)
        self.writes += done
        return done

    def read(self, keys: Sequence[str]) -> dict[str, Item]:
        self.reads += len(keys)
        return super().read(keys)


def add_one(items: SharedItems) -> bool:
    """As the gate does it: whatever was read a moment ago is not read again."""
    items.read([KEY], older_than_seconds=1.0)
    return items.change(KEY, lambda item: {"count": int(item.get("count", 0)) + 1})


def test_of_those_who_write_by_turns_each_needs_one_write_once_it_knows_of_the_others() -> None:
    table, clock = CountingTable(), Clock()
    writers = [SharedItems(table, clock, clock.pause) for _ in range(10)]

    for _ in range(20):
        for writer in writers:
            clock.now += 0.05
            assert add_one(writer)

    assert table.items[KEY]["count"] == 200
    assert table.writes.count(False) <= len(writers)


def test_whoever_writes_alone_neither_waits_nor_reads_again() -> None:
    table, clock = CountingTable(), Clock()
    pauses: list[float] = []
    items = SharedItems(table, clock, pauses.append)
    items.read([KEY])

    for _ in range(20):
        assert add_one(items)

    assert (table.writes, table.reads, pauses) == ([True] * 20, 1, [])


def test_others_are_forgotten_when_they_have_not_written_for_a_while() -> None:
    table, clock = CountingTable(), Clock()
    one, other = (SharedItems(table, clock, clock.pause) for _ in range(2))
    for items in (one, other, one):
        add_one(items)
    clock.now += 60
    add_one(one)
    reads = table.reads

    add_one(one)

    assert table.reads == reads


def test_those_who_meet_at_an_item_part_for_a_while_that_grows() -> None:
    pauses: list[float] = []

    class AlwaysTooLate(InMemoryTable):
        def insert(self, items: Sequence[Item]) -> list[bool]:
            return [False] * len(items)

    assert not add_one(SharedItems(AlwaysTooLate(), Clock(), pauses.append))
    assert pauses == sorted(pauses)
    assert pauses[1] > pauses[0]
    assert sum(pauses) < 2
