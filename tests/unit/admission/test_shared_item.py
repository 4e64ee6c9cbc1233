"""Items that several invocations write."""

from collections.abc import Sequence

from sealed_relay.admission.shared_item import MAX_KNOWN_ITEMS, SharedItems
from sealed_relay.ports import KEY, Item
from tests.support.clock import Clock
from tests.support.table import InMemoryTable

SHARED = "#shared"


def add_one(items: SharedItems) -> bool:
    return any(items.write(SHARED, {"count": int(item.get("count", 0)) + 1}) for item in items.attempts(SHARED))


def test_writers_that_read_first_each_need_one_write() -> None:
    table, sleeps = InMemoryTable(), list[float]()
    writers = [SharedItems(table, Clock(), sleeps.append) for _ in range(10)]

    for _ in range(20):
        for writer in writers:
            writer.read([SHARED])
            assert add_one(writer)

    assert table.items[SHARED]["count"] == 200
    assert sleeps == []


def test_writer_that_missed_a_write_reads_again_and_loses_nothing() -> None:
    table, clock = InMemoryTable(), Clock()
    one, other = SharedItems(table, clock, clock.pause), SharedItems(table, clock, clock.pause)

    for _ in range(5):
        assert add_one(one)
        assert add_one(other)

    assert table.items[SHARED]["count"] == 10


def test_item_that_was_read_within_the_allowed_age_is_not_read_again() -> None:
    table, clock = InMemoryTable(), Clock()
    items = SharedItems(table, clock, clock.pause)
    items.read([SHARED])
    table.put({KEY: SHARED, "count": 1})

    clock.now += 0.9
    items.read([SHARED], max_age_seconds=1.0)
    assert items.known[SHARED] == {}
    clock.now += 0.1
    items.read([SHARED], max_age_seconds=1.0)
    assert items.known[SHARED]["count"] == 1


def test_writer_that_is_always_too_late_waits_longer_and_gives_up() -> None:
    sleeps: list[float] = []

    class AlwaysTooLate(InMemoryTable):
        def insert(self, items: Sequence[Item]) -> list[bool]:
            return [False] * len(items)

    assert not add_one(SharedItems(AlwaysTooLate(), Clock(), sleeps.append))
    assert sleeps == sorted(sleeps)
    assert sleeps[1] > sleeps[0]
    assert sum(sleeps) < 2


def test_item_that_a_person_wrote_is_changed_only_as_it_was_read() -> None:
    table, clock = InMemoryTable(), Clock()
    table.put({KEY: SHARED, "count": 5, "revision": "none"})
    items = SharedItems(table, clock, clock.pause)
    items.read([SHARED])
    table.put({KEY: SHARED, "count": 6, "revision": "none"})

    assert not items.write(SHARED, {"count": 1})
    assert add_one(items)
    assert table.items[SHARED] == {KEY: SHARED, "count": 7, "revision": 1}


def test_100_000_made_up_keys_leave_a_bounded_number_of_known_items() -> None:
    items = SharedItems(InMemoryTable(), Clock(), lambda _: None)

    for batch in range(100):
        items.read([f"#pause/flow/{batch:04}{number:04}" for number in range(1000)])

    assert len(items.known) == MAX_KNOWN_ITEMS


def test_forgotten_item_is_read_again() -> None:
    table = InMemoryTable()
    items = SharedItems(table, Clock(), lambda _: None)
    table.put({KEY: SHARED, "count": 1})
    items.read([SHARED])
    items.read([f"#pause/flow/{number:08}" for number in range(MAX_KNOWN_ITEMS)])

    items.read([SHARED], max_age_seconds=1.0)

    assert items.known[SHARED]["count"] == 1


def test_item_that_was_written_a_moment_ago_is_not_read_again() -> None:
    table, clock = InMemoryTable(), Clock()
    items = SharedItems(table, clock, clock.pause)
    assert add_one(items)
    table.items[SHARED] = {**table.items[SHARED], "count": 5}

    items.read([SHARED], max_age_seconds=1.0)

    assert items.known[SHARED]["count"] == 1
