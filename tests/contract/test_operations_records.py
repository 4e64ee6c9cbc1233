"""The promises of the replay's `ports.Records`, kept by the fake and by DynamoDB."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

import pytest

from sealed_relay.aws.dynamodb import DynamoDBTable
from sealed_relay_operations.aws.dynamodb import DynamoDBRecords, RecordsError
from tests.functional.operations.scene import InMemoryRecords
from tests.support.aws_clients import AwsClients
from tests.support.executor import InlineExecutor


class Bench(Protocol):
    """Records that a test can write and read."""

    def write(self, statuses: dict[str, str]) -> None: ...

    def statuses(self, call_ids: Sequence[str]) -> dict[str, str]: ...


class FakeBench:
    def __init__(self) -> None:
        records = InMemoryRecords()
        self.write, self.statuses = records.by_call_id.update, records.statuses


class DynamoDBBench:
    def __init__(self, clients: AwsClients, table_name: str, executor: ThreadPoolExecutor) -> None:
        self._table = DynamoDBTable(clients.dynamodb, table_name)  # the relay's adapter writes the records
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


def test_only_calls_with_a_record_have_a_status(bench: Bench) -> None:
    bench.write({"FLOWAAAA/a": "ACCEPTED", "FLOWAAAA/₹ é": "UNRESOLVED", "FLOWAAAA/other": "REJECTED"})
    assert bench.statuses(["FLOWAAAA/a", "FLOWAAAA/none", "FLOWAAAA/₹ é"]) == {
        "FLOWAAAA/a": "ACCEPTED",
        "FLOWAAAA/₹ é": "UNRESOLVED",
    }


@pytest.mark.parametrize("count", [0, 1, 100, 101, 250])
def test_any_number_of_calls_is_read_even_if_each_is_named_twice(bench: Bench, count: int) -> None:
    written = {f"FLOWAAAA/{number}": "REJECTED" for number in range(count)}
    bench.write(written)
    assert bench.statuses([*written, *written]) == written


def test_unprocessed_keys_are_read_again_a_bounded_number_of_times() -> None:
    class Busy:
        def __init__(self, unprocessed_reads: int) -> None:
            self.unprocessed_reads = unprocessed_reads

        def batch_get_item(self, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803 - as boto3
            self.unprocessed_reads -= 1
            if self.unprocessed_reads >= 0:
                return {"Responses": {}, "UnprocessedKeys": RequestItems}
            keys = RequestItems["records"]["Keys"]
            return {"Responses": {"records": [{**key, "status": {"S": "EXPIRED"}} for key in keys]}}

    def read(unprocessed_reads: int) -> dict[str, str]:
        client: Any = Busy(unprocessed_reads)
        return DynamoDBRecords(client, "records", InlineExecutor(), sleep=lambda _: None).statuses(["FLOWAAAA/a"])

    assert read(2) == {"FLOWAAAA/a": "EXPIRED"}
    with pytest.raises(RecordsError):
        read(100)
