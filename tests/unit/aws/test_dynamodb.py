"""What the table tries again when DynamoDB refuses a part, and when it gives up."""

import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import pytest

from sealed_relay.aws.dynamodb import DynamoDBTable, TableError
from sealed_relay.observability.emitter import describe
from sealed_relay.ports import KEY, Change

NAME = "outcomes"
TRANSIENT = [
    "InternalServerError",
    "ProvisionedThroughputExceeded",
    "RequestLimitExceeded",
    "ThrottlingError",
    "TransactionConflict",
]

Answers = Callable[[str, int], str]
"""An error code for a key and the number of earlier requests for it; empty for none."""


class FakeDynamoDB:
    """Answers each key as it is told to, and keeps the keys of every round trip."""

    def __init__(self, answers: Answers = lambda _key, _asked: "") -> None:
        self.round_trips: list[list[str]] = []
        self._answers = answers
        self._asked: defaultdict[str, int] = defaultdict(int)

    def batch_execute_statement(self, *, Statements: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 - boto3's
        keys = [key_of(statement) for statement in Statements]
        self.round_trips.append(keys)
        codes = [self._answer(key) for key in keys]
        return {"Responses": [{"Error": {"Code": code}} if code else {} for code in codes]}

    def batch_get_item(self, *, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803 - boto3's
        request = RequestItems[NAME]
        assert request["ConsistentRead"] is True
        keys = [key[KEY]["S"] for key in request["Keys"]]
        self.round_trips.append(keys)
        refused = [key for key in keys if self._answer(key)]
        unprocessed = {NAME: {**request, "Keys": [{KEY: {"S": key}} for key in refused]}} if refused else {}
        found = [{KEY: {"S": key}} for key in keys if key not in refused]
        return {"Responses": {NAME: found}, "UnprocessedKeys": unprocessed}

    def _answer(self, key: str) -> str:
        self._asked[key] += 1
        return self._answers(key, self._asked[key] - 1)


def key_of(statement: dict[str, Any]) -> str:
    """The key is the only text among the parameters of these tests."""
    [key] = [parameter["S"] for parameter in statement["Parameters"] if "S" in parameter]
    return str(key)


class Scene:
    def __init__(self, answers: Answers = lambda _key, _asked: "") -> None:
        self.dynamodb = FakeDynamoDB(answers)
        self.pauses: list[float] = []
        client: Any = self.dynamodb
        self.table = DynamoDBTable(client, NAME, sleep=self.pauses.append)


def refuse_first(*keys: str, code: str = "ThrottlingError", times: int = 1) -> Answers:
    return lambda key, asked: code if key in keys and asked < times else ""


@pytest.mark.parametrize("code", TRANSIENT)
def test_statement_with_transient_error_is_tried_again_alone(code: str) -> None:
    scene = Scene(refuse_first("b", "d", code=code))
    assert scene.table.insert([{KEY: key} for key in "abcd"]) == [True] * 4
    assert scene.dynamodb.round_trips == [["a", "b", "c", "d"], ["b", "d"]]


def test_answers_of_a_second_try_are_in_the_order_of_the_writes() -> None:
    answers = {"a": ["ThrottlingError", "DuplicateItem"], "b": ["DuplicateItem"], "c": ["ThrottlingError", ""]}
    scene = Scene(lambda key, asked: answers.get(key, [""])[asked])
    assert scene.table.insert([{KEY: key} for key in "abcd"]) == [False, False, True, True]


def test_failed_expectation_at_a_second_try_is_answered_false() -> None:
    answers = ["InternalServerError", "ConditionalCheckFailed"]
    scene = Scene(lambda _key, asked: answers[asked])
    assert scene.table.update([Change("a", {}, {"number": 1})]) == [False]


def test_waits_between_tries_double() -> None:
    scene = Scene(refuse_first("a", times=4))
    scene.table.insert([{KEY: "a"}])
    assert len(scene.pauses) == 4
    assert all(later == 2 * earlier for earlier, later in zip(scene.pauses, scene.pauses[1:], strict=False))


def test_write_refused_every_time_raises() -> None:
    scene = Scene(refuse_first("b", times=1000))
    with pytest.raises(TableError):
        scene.table.insert([{KEY: key} for key in "abc"])
    assert sum(scene.pauses) < 5


@pytest.mark.parametrize("code", ["ValidationError", "AccessDenied", "ResourceNotFound", "SomethingNew"])
def test_other_error_of_a_statement_is_raised_at_once(code: str) -> None:
    scene = Scene(refuse_first("b", code=code))
    with pytest.raises(TableError, match=code):
        scene.table.update([Change(key, {}, {"number": 1}) for key in "abc"])
    assert len(scene.dynamodb.round_trips) == 1


@pytest.mark.parametrize("code", ["AccessDenied", "ThrottlingError"])
def test_error_of_a_statement_is_logged_with_code_and_operation(code: str) -> None:
    scene = Scene(refuse_first("b", code=code, times=1000))
    with pytest.raises(TableError) as caught:
        scene.table.insert([{KEY: key} for key in "abc"])
    logged = describe(caught.value)
    assert (logged["error_code"], logged["operation"]) == (code, "BatchExecuteStatement")


def test_unprocessed_keys_are_logged_with_code_and_operation() -> None:
    scene = Scene(refuse_first("b", times=1000))
    with pytest.raises(TableError) as caught:
        scene.table.read(["a", "b"])
    logged = describe(caught.value)
    assert (logged["error_code"], logged["operation"]) == ("UnprocessedKeys", "BatchGetItem")


def test_round_trip_has_at_most_25_writes_or_100_reads() -> None:
    scene = Scene()
    scene.table.insert([{KEY: f"{number}"} for number in range(60)])
    assert sorted(map(len, scene.dynamodb.round_trips)) == [10, 25, 25]
    scene.dynamodb.round_trips.clear()
    scene.table.read([f"{number}" for number in range(230)])
    assert sorted(map(len, scene.dynamodb.round_trips)) == [30, 100, 100]


def test_failed_round_trip_beside_successful_ones_raises() -> None:
    scene = Scene(refuse_first("59", code="ValidationError"))
    with pytest.raises(TableError):
        scene.table.insert([{KEY: f"{number}"} for number in range(60)])


def test_failed_large_write_does_not_delay_later_reads() -> None:
    def refused_after_a_while(key: str, _asked: int) -> str:
        time.sleep(0.005 * (int(key) % 25 == 0))
        return "ValidationError"

    scene = Scene(refused_after_a_while)

    with pytest.raises(TableError):
        scene.table.insert([{KEY: str(number)} for number in range(10_000)])
    made = len(scene.dynamodb.round_trips)

    assert made < 100
    with pytest.raises(TableError):
        scene.table.read(["1"])
    assert len(scene.dynamodb.round_trips) <= made + 8  # those that were under way


def test_unprocessed_keys_are_asked_for_again_alone() -> None:
    scene = Scene(refuse_first("b", "c", times=2))
    assert set(scene.table.read(["a", "b", "c"])) == {"a", "b", "c"}
    assert scene.dynamodb.round_trips == [["a", "b", "c"], ["b", "c"], ["b", "c"]]


def test_keys_unprocessed_every_time_raise() -> None:
    scene = Scene(refuse_first("b", times=1000))
    with pytest.raises(TableError):
        scene.table.read(["a", "b"])


@pytest.mark.parametrize("attribute", [{"NULL": True}, {"N": "1.5"}, {"M": {}}, {"SS": ["x"]}], ids=str)
def test_attribute_of_a_type_the_relay_never_writes_is_left_out(attribute: dict[str, Any]) -> None:
    scene = Scene()
    item = {KEY: {"S": "a"}, "x": attribute, "n": {"N": "-7"}}
    scene.dynamodb.batch_get_item = lambda **_: {"Responses": {NAME: [item]}}  # type: ignore[method-assign]

    assert scene.table.read(["a"]) == {"a": {KEY: "a", "n": -7}}
