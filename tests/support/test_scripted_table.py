"""Each trouble does to the table, and tells the writer, what its name says."""

import pytest

from sealed_relay.ports import Change
from tests.support.scripted_table import (
    LandLater,
    ScriptedTable,
    Trouble,
    after,
    before,
    fail_after,
    fail_before,
    refuse,
    repeat,
)
from tests.support.table import InMemoryTable

FAULT = ConnectionError("throttled")


def scripted(
    trouble: Trouble, key_prefix: str = "", times: float = float("inf")
) -> tuple[InMemoryTable, ScriptedTable]:
    table = InMemoryTable()
    scripted_table = ScriptedTable(table)
    scripted_table.at_write(trouble, key_prefix, times)
    return table, scripted_table


def test_table_without_a_script_is_the_table_beneath() -> None:
    table = ScriptedTable(InMemoryTable())

    assert table.insert([{"call_id": "a"}, {"call_id": "b"}]) == [True, True]
    assert table.update([Change("a", {}, {"n": 1}), Change("c", {}, {})]) == [True, False]
    assert table.read(["a", "c"]) == {"a": {"call_id": "a", "n": 1}}
    assert table.written == ["a", "b", "a", "c"]


@pytest.mark.parametrize(("trouble", "written"), [(fail_before(FAULT), ["b"]), (fail_after(FAULT), ["a", "b"])])
def test_failed_write_leaves_the_other_writes_of_its_call_done(trouble: Trouble, written: list[str]) -> None:
    beneath, table = scripted(trouble, "a")

    with pytest.raises(ConnectionError):
        table.insert([{"call_id": "a"}, {"call_id": "b"}])

    assert list(beneath.items) == written


def test_trouble_is_over_after_so_many_writes() -> None:
    _, table = scripted(refuse, times=1)

    assert [table.insert([{"call_id": "a"}]) for _ in range(3)] == [[False], [True], [False]]


def test_repeated_write_is_done_and_told_as_refused() -> None:
    beneath, table = scripted(repeat)

    assert table.insert([{"call_id": "a"}]) == [False]
    assert list(beneath.items) == ["a"]


def test_something_happens_before_or_after_the_write() -> None:
    seen: list[tuple[str, list[str]]] = []
    beneath, table = scripted(before(lambda: seen.append(("before", list(beneath.items)))), times=1)
    table.at_write(after(lambda: seen.append(("after", list(beneath.items)))))

    table.insert([{"call_id": "a"}, {"call_id": "b"}])

    assert seen == [("before", []), ("after", ["a", "b"])]


def test_delayed_write_is_told_as_failed_and_lands_on_its_condition() -> None:
    delayed = LandLater(FAULT)
    beneath, table = scripted(delayed, times=2)
    with pytest.raises(ConnectionError):
        table.insert([{"call_id": "a"}, {"call_id": "b"}])
    assert beneath.items == {}

    table.insert([{"call_id": "b", "n": 1}])

    assert delayed.land() == [True, False]
    assert beneath.items["b"] == {"call_id": "b", "n": 1}
    assert delayed.land() == []


def test_read_raises_what_happens_before_it() -> None:
    table = ScriptedTable(InMemoryTable())

    def fail() -> None:
        raise FAULT

    table.at_read(fail)

    with pytest.raises(ConnectionError):
        table.read(["a"])


def test_call_that_names_a_key_twice_is_refused() -> None:
    with pytest.raises(AssertionError, match="names a key twice"):
        ScriptedTable(InMemoryTable()).insert([{"call_id": "a"}, {"call_id": "a"}])
