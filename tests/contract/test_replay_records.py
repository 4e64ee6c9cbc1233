"""What the replay's `ports.Records` promises."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

import pytest

from sealed_relay.aws.dynamodb import DynamoDBTable
from sealed_relay_replay.records import DynamoDBRecords, RecordsError
from tests.functional.replay.scene import InMemoryRecords
from tests.support.aws_clients import AwsClients
from tests.support.executor import InlineExecutor


class Bench(Protocol):
    """Records, and a way to write them."""

    def write(self, statuses: dict[str, str]) -> None: ...

    def statuses(self, call_ids: Sequence[str]) -> dict[str, str]: ...


class FakeBench:
    def __init__(self) -> None:
        self._records = InMemoryRecords()
        self.write, self.statuses = self._records.of.update, self._records.statuses


class DynamoDBBench:
    def __init__(self, clients: AwsClients, table_name: str, executor: ThreadPoolExecutor) -> None:
        self._table = DynamoDBTable(clients.dynamodb, table_name)  # the relay's own
        self.statuses = DynamoDBRecords(clients.dynamodb, table_name, executor).statuses

    def write(self, statuses: dict[str, str]) -> None:
        self._table.insert(
            [{"call_id": call_id, "status": status, "attempts": 1} for call_id, status in statuses.items()]
        )


@pytest.fixture
def dynamodb_bench(clients: AwsClients, table_name: str) -> Iterator[DynamoDBBench]:
    with ThreadPoolExecutor(4) as executor:
        yield DynamoDBBench(clients, table_name, executor)


@pytest.fixture(params=["fake", pytest.param("dynamodb", marks=pytest.mark.stack)])
def bench(request: pytest.FixtureRequest) -> Bench:
    if request.param == "fake":
        return FakeBench()
    dynamodb: DynamoDBBench = request.getfixturevalue("dynamodb_bench")
    return dynamodb


def test_calls_with_a_record_have_their_status_and_the_others_none(bench: Bench) -> None:
    bench.write({"FLOWAAAA/a": "ACCEPTED", "FLOWAAAA/₹ é": "UNRESOLVED", "FLOWAAAA/other": "REJECTED"})
    assert bench.statuses(["FLOWAAAA/a", "FLOWAAAA/none", "FLOWAAAA/₹ é"]) == {
        "FLOWAAAA/a": "ACCEPTED",
        "FLOWAAAA/₹ é": "UNRESOLVED",
    }


@pytest.mark.parametrize("count", [0, 1, 100, 101, 250])
def test_any_number_of_calls_is_read_and_a_call_may_be_named_twice(bench: Bench, count: int) -> None:
    written = {f"FLOWAAAA/{number}": "REJECTED" for number in range(count)}
    bench.write(written)
    assert bench.statuses([*written, *written]) == written


def test_what_dynamodb_leaves_out_for_now_is_asked_for_again_and_not_for_ever() -> None:
    class Busy:
        def __init__(self, left_out: int) -> None:
            self.left_out = left_out

        def batch_get_item(self, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803 - as boto3
            self.left_out -= 1
            if self.left_out >= 0:
                return {"Responses": {}, "UnprocessedKeys": RequestItems}
            keys = RequestItems["records"]["Keys"]
            return {"Responses": {"records": [{**key, "status": {"S": "EXPIRED"}} for key in keys]}}

    def read(left_out: int) -> dict[str, str]:
        client: Any = Busy(left_out)
        return DynamoDBRecords(client, "records", InlineExecutor(), sleep=lambda _: None).statuses(["FLOWAAAA/a"])

    assert read(2) == {"FLOWAAAA/a": "EXPIRED"}
    with pytest.raises(RecordsError):
        read(100)
