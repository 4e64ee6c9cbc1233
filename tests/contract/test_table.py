"""What `ports.Table` promises."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from sealed_relay.aws.dynamodb import DynamoDBTable, TableError
from sealed_relay.ports import KEY, Change, Item, Table, Value
from tests.support.aws_clients import AwsClients
from tests.support.dynamodb_local import new_table
from tests.support.table import InMemoryTable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

EVERY_TYPE: dict[str, Value] = {
    "text": "Zoë said ₹450 'quoted' \"twice\" 🔔",
    "no_text": "",
    "number": 1_795_414_482_675,
    "no_number": 0,
    "below_zero": -1,
    "max_digits": 10**38 - 1,
    "data": bytes(range(256)),
    "no_data": b"",
    "yes": True,
    "no": False,
}
# Words with a meaning of their own to DynamoDB.
RESERVED = ("status", "name", "value", "key", "timestamp", "select", "set", "remove", "where", "update", "ttl", "from")


@pytest.fixture(
    params=[
        "in_memory_table",
        pytest.param("ministack_table", marks=pytest.mark.stack),
        pytest.param("dynamodb_local_table", marks=pytest.mark.stack),
    ]
)
def table(request: pytest.FixtureRequest) -> Table:
    made: Table = request.getfixturevalue(request.param)
    return made


@pytest.fixture
def in_memory_table() -> Table:
    return InMemoryTable()


@pytest.fixture
def ministack_table(clients: AwsClients, table_name: str) -> Table:
    return DynamoDBTable(clients.dynamodb, table_name)


@pytest.fixture
def dynamodb_local_table(dynamodb_local: "DynamoDBClient") -> Iterator[Table]:
    with new_table(dynamodb_local) as name:
        yield DynamoDBTable(dynamodb_local, name)


def item(key: str, /, **attributes: Value) -> Item:
    return {KEY: key, **attributes}


def test_inserted_item_is_read_back_with_every_type_of_value(table: Table) -> None:
    assert table.insert([item("FLOW0001/ä/🔔 'x'", **EVERY_TYPE)]) == [True]
    [found] = table.read(["FLOW0001/ä/🔔 'x'"]).values()
    assert found == item("FLOW0001/ä/🔔 'x'", **EVERY_TYPE)
    assert {name: type(value) for name, value in found.items() if name != KEY} == {
        name: type(value) for name, value in EVERY_TYPE.items()
    }


def test_existing_item_is_not_inserted_again_and_stays_unchanged(table: Table) -> None:
    table.insert([item("a", number=1)])
    assert table.insert([item("b", number=2), item("a", number=3), item("c", number=4)]) == [True, False, True]
    assert table.read(["a", "b", "c"]) == {key: item(key, number=n) for key, n in (("a", 1), ("b", 2), ("c", 4))}


def test_answers_of_several_round_trips_are_in_the_order_of_the_writes(table: Table) -> None:
    taken = [f"call-{number}" for number in range(0, 60, 3)]
    assert table.insert([item(key) for key in taken]) == [True] * 20
    keys = [f"call-{number}" for number in range(60)]
    assert table.insert([item(key, number=1) for key in keys]) == [key not in taken for key in keys]
    changes = [Change(key, {"number": 1}, {"number": 2}) for key in keys]
    assert table.update(changes) == [key not in taken for key in keys]


def test_nothing_to_write_or_read_does_nothing(table: Table) -> None:
    assert table.insert([]) == []
    assert table.update([]) == []
    assert table.read([]) == {}


def test_item_of_390_kilobytes_is_inserted_beside_a_small_one(table: Table) -> None:
    items = {"#envelope/1": item("#envelope/1", body=b"\0" * 390_000), "#request/1": item("#request/1")}
    assert table.insert(list(items.values())) == [True, True]
    assert table.read(list(items)) == items


def test_reading_more_than_one_round_trip_leaves_out_missing_items(table: Table) -> None:
    keys = [f"call-{number}" for number in range(230)]
    table.insert([item(key) for key in keys[::2]])
    assert table.read(keys) == {key: item(key) for key in keys[::2]}


def test_key_asked_for_twice_is_read_once(table: Table) -> None:
    table.insert([item("a")])
    assert table.read(["a", "b", "a", "b"]) == {"a": item("a")}


def test_change_sets_adds_and_removes_attributes_and_keeps_others(table: Table) -> None:
    table.insert([item("a", kept=1, changed=1, removed=1)])
    assert table.update([Change("a", {"kept": 1}, {"changed": 2, "added": b"3", "removed": None, "absent": None})])
    assert table.read(["a"])["a"] == item("a", kept=1, changed=2, added=b"3")


def test_change_that_only_removes_is_done(table: Table) -> None:
    table.insert([item("a", kept=1, removed=1)])
    assert table.update([Change("a", {}, {"removed": None})]) == [True]
    assert table.read(["a"])["a"] == item("a", kept=1)


@pytest.mark.parametrize("name", EVERY_TYPE)
def test_expectation_can_be_of_every_type(table: Table, name: str) -> None:
    table.insert([item("a", **EVERY_TYPE)])
    assert table.update([Change("a", {name: EVERY_TYPE[name]}, {"changed": 1, name: EVERY_TYPE[name]})]) == [True]
    assert table.read(["a"])["a"] == item("a", **EVERY_TYPE, changed=1)


@pytest.mark.parametrize(
    "expected",
    [
        pytest.param({"number": 2}, id="another number"),
        pytest.param({"text": "x"}, id="another text"),
        pytest.param({"yes": False}, id="another truth"),
        pytest.param({"absent": 1}, id="an attribute that is not there"),
        pytest.param({"number": True}, id="a truth where a number is"),
        pytest.param({"yes": 1}, id="a number where a truth is"),
        pytest.param({"number": "1"}, id="a text where a number is"),
        pytest.param({"number": 1, "yes": False}, id="one of two"),
    ],
)
def test_change_with_a_failed_expectation_is_not_done(table: Table, expected: dict[str, Value]) -> None:
    before = item("a", number=1, yes=True, text="1")
    table.insert([before])
    assert table.update([Change("a", expected, {"number": 9, "yes": None})]) == [False]
    assert table.read(["a"]) == {"a": before}


def test_change_of_a_missing_item_creates_no_item(table: Table) -> None:
    assert table.update([Change("a", {}, {"number": 1}), Change("b", {"number": 1}, {"number": 2})]) == [False, False]
    assert table.read(["a", "b"]) == {}


def test_each_change_succeeds_or_fails_alone(table: Table) -> None:
    table.insert([item("a", number=1), item("b", number=2), item("c", number=1)])
    assert table.update([Change(key, {"number": 1}, {"number": 5}) for key in "abcd"]) == [True, False, True, False]
    assert {key: found["number"] for key, found in table.read(list("abcd")).items()} == {"a": 5, "b": 2, "c": 5}


def test_changes_of_one_item_build_on_each_other(table: Table) -> None:
    table.insert([item("a", number=0)])
    assert [table.update([Change("a", {"number": n}, {"number": n + 1})]) for n in (0, 1, 1, 2)] == [
        [True],
        [True],
        [False],
        [True],
    ]
    assert table.read(["a"]) == {"a": item("a", number=3)}


@pytest.mark.parametrize("between", [0, 30])
def test_key_named_twice_in_one_insert_is_refused_and_nothing_written(table: Table, between: int) -> None:
    others = [item(f"other-{number}") for number in range(between)]
    with pytest.raises(TableError, match="duplicates"):
        table.insert([item("a", number=1), *others, item("a", number=2)])
    assert table.read(["a", "other-0"]) == {}


@pytest.mark.parametrize("between", [0, 30])
def test_key_named_twice_in_one_update_is_refused_and_nothing_written(table: Table, between: int) -> None:
    others = [Change(f"other-{number}", {}, {"number": 2}) for number in range(between)]
    table.insert([item("a", number=1)])
    with pytest.raises(TableError, match="duplicates"):
        table.update([Change("a", {}, {"number": 2}), *others, Change("a", {}, {"number": 3})])
    assert table.read(["a"]) == {"a": item("a", number=1)}


@pytest.mark.stack
def test_dynamodb_itself_refuses_a_round_trip_that_names_a_key_twice(dynamodb_local: "DynamoDBClient") -> None:
    with new_table(dynamodb_local) as name, pytest.raises(ClientError, match="item keys contains duplicates"):
        dynamodb_local.batch_execute_statement(
            Statements=[{"Statement": f"INSERT INTO \"{name}\" VALUE {{'{KEY}': 'a'}}"}] * 2
        )


def test_reserved_words_can_name_attributes(table: Table) -> None:
    table.insert([item("a", **dict.fromkeys(RESERVED, 1))])
    changed: dict[str, Value | None] = {name: None if index % 3 == 0 else 2 for index, name in enumerate(RESERVED)}
    assert table.update([Change("a", dict.fromkeys(RESERVED, 1), changed)]) == [True]
    assert table.read(["a"]) == {"a": item("a", **{name: value for name, value in changed.items() if value})}


def test_one_of_many_concurrent_inserts_of_an_item_succeeds(table: Table) -> None:
    assert at_once(8, lambda number: table.insert([item("a", number=number)])) == 1


def test_one_of_many_concurrent_changes_on_one_expectation_succeeds(table: Table) -> None:
    table.insert([item("a", owner=-1)])
    assert at_once(8, lambda number: table.update([Change("a", {"owner": -1}, {"owner": number})])) == 1


def at_once(writers: int, write: Callable[[int], list[bool]]) -> int:
    """How many of the writers, all started at the same moment, were told that they had written."""
    start = Barrier(writers)

    def writing(number: int) -> bool:
        start.wait(10)
        return write(number) == [True]

    with ThreadPoolExecutor(writers) as executor:
        return sum(executor.map(writing, range(writers)))
