"""The table when DynamoDB does not do everything at once: what is tried again, and when it gives up."""

import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import pytest

from sealed_relay.aws.dynamodb import DynamoDBTable, TableError
from sealed_relay.ports import KEY, Change

NAME = "outcomes"
PASSING = [
    "InternalServerError",
    "ProvisionedThroughputExceeded",
    "RequestLimitExceeded",
    "ThrottlingError",
    "TransactionConflict",
]

Answers = Callable[[str, int], str]
"""From a key and how often it was asked for before to an error code, "" for none."""


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
    """Our keys are the only texts among the parameters."""
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


@pytest.mark.parametrize("code", PASSING)
def test_a_statement_that_met_a_passing_error_is_tried_again_without_the_others(code: str) -> None:
    scene = Scene(refuse_first("b", "d", code=code))
    assert scene.table.insert([{KEY: key} for key in "abcd"]) == [True] * 4
    assert scene.dynamodb.round_trips == [["a", "b", "c", "d"], ["b", "d"]]


def test_answers_stay_in_order_when_some_come_at_a_second_try() -> None:
    answers = {"a": ["ThrottlingError", "DuplicateItem"], "b": ["DuplicateItem"], "c": ["ThrottlingError", ""]}
    scene = Scene(lambda key, asked: answers.get(key, [""])[asked])
    assert scene.table.insert([{KEY: key} for key in "abcd"]) == [False, False, True, True]


def test_an_expectation_that_did_not_hold_at_a_second_try_is_told_as_such() -> None:
    answers = ["InternalServerError", "ConditionalCheckFailed"]
    scene = Scene(lambda _key, asked: answers[asked])
    assert scene.table.update([Change("a", {}, {"number": 1})]) == [False]


def test_pauses_between_tries_grow() -> None:
    scene = Scene(refuse_first("a", times=4))
    scene.table.insert([{KEY: "a"}])
    assert len(scene.pauses) == 4
    assert all(later == 2 * earlier for earlier, later in zip(scene.pauses, scene.pauses[1:], strict=False))


def test_writes_that_are_refused_for_ever_are_an_error() -> None:
    scene = Scene(refuse_first("b", times=1000))
    with pytest.raises(TableError):
        scene.table.insert([{KEY: key} for key in "abc"])
    assert sum(scene.pauses) < 5


@pytest.mark.parametrize("code", ["ValidationError", "AccessDenied", "ResourceNotFound", "SomethingNew"])
def test_any_other_error_of_a_statement_is_an_error_at_once(code: str) -> None:
    scene = Scene(refuse_first("b", code=code))
    with pytest.raises(TableError, match=code):
        scene.table.update([Change(key, {}, {"number": 1}) for key in "abc"])
    assert len(scene.dynamodb.round_trips) == 1


def test_writes_go_25_at_a_time_and_reads_100_at_a_time() -> None:
    scene = Scene()
    scene.table.insert([{KEY: f"{number}"} for number in range(60)])
    assert sorted(map(len, scene.dynamodb.round_trips)) == [10, 25, 25]
    scene.dynamodb.round_trips.clear()
    scene.table.read([f"{number}" for number in range(230)])
    assert sorted(map(len, scene.dynamodb.round_trips)) == [30, 100, 100]


def test_a_failure_of_one_round_trip_is_not_hidden_by_the_success_of_the_others() -> None:
    scene = Scene(refuse_first("59", code="ValidationError"))
    with pytest.raises(TableError):
        scene.table.insert([{KEY: f"{number}"} for number in range(60)])


def test_a_large_write_that_fails_leaves_none_of_the_rest_to_those_who_come_after_it() -> None:
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


def test_keys_that_were_left_unprocessed_are_asked_for_again_without_the_others() -> None:
    scene = Scene(refuse_first("b", "c", times=2))
    assert set(scene.table.read(["a", "b", "c"])) == {"a", "b", "c"}
    assert scene.dynamodb.round_trips == [["a", "b", "c"], ["b", "c"], ["b", "c"]]


def test_keys_that_stay_unprocessed_for_ever_are_an_error_and_not_missing_items() -> None:
    scene = Scene(refuse_first("b", times=1000))
    with pytest.raises(TableError):
        scene.table.read(["a", "b"])


@pytest.mark.parametrize("attribute", [{"NULL": True}, {"N": "1.5"}, {"M": {}}, {"SS": ["x"]}], ids=str)
def test_an_attribute_that_a_person_wrote_and_the_relay_never_does_is_not_there_for_it(
    attribute: dict[str, Any],
) -> None:
    scene = Scene()
    item = {KEY: {"S": "a"}, "x": attribute, "n": {"N": "-7"}}
    scene.dynamodb.batch_get_item = lambda **_: {"Responses": {NAME: [item]}}  # type: ignore[method-assign]

    assert scene.table.read(["a"]) == {"a": {KEY: "a", "n": -7}}
