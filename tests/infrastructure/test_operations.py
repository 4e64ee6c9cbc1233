"""The operations function: its permissions, what starts it, and its timeout."""

from typing import Any

import msgspec
import pytest

from local.stack.fingerprints import OPERATIONS
from sealed_relay_operations.aws.dynamodb import PAUSES_INDEX
from sealed_relay_operations.handler import InvalidSettingsError, Settings, read_settings
from sealed_relay_operations.pauses import LISTED_AS, key_of
from sealed_relay_operations.replay.run import MARGIN_SECONDS
from tests.infrastructure.expansion import deployed_with
from tests.infrastructure.source_calls import aws_calls
from tests.infrastructure.test_permissions import (
    ACTIONS_FOR_ENCRYPTION,
    ACTIONS_FOR_LOGS,
    allowed,
    several,
    statements_of,
)

RESOURCES = deployed_with()["Resources"]
FUNCTION = RESOURCES["OperationsFunction"]["Properties"]
STATEMENTS = statements_of(RESOURCES, "OperationsRole")
# AWS authorizes a batch call by the action on a single item.
ACTIONS_OF_CALLS = {
    "sqs:SendMessageBatch": "sqs:SendMessage",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
}
LONGEST_SILENCE_OF_A_CONNECTION_SECONDS = 350


def test_operations_role_allows_exactly_the_calls_of_the_source() -> None:
    needed = {ACTIONS_OF_CALLS.get(call, call) for call in aws_calls(OPERATIONS)}
    assert needed >= {"sqs:ReceiveMessage", "sqs:SendMessage", "dynamodb:BatchGetItem"}
    assert allowed(STATEMENTS) == needed | ACTIONS_FOR_LOGS | ACTIONS_FOR_ENCRYPTION


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("sqs:ReceiveMessage", "FailureQueue"),
        ("sqs:DeleteMessage", "FailureQueue"),
        ("sqs:ChangeMessageVisibility", "FailureQueue"),
        ("dynamodb:BatchGetItem", "OutcomesTable"),
        ("dynamodb:PutItem", "OutcomesTable"),
        ("dynamodb:DeleteItem", "OutcomesTable"),
        ("kms:Decrypt", "Key"),
        ("kms:GenerateDataKey", "Key"),
        ("logs:PutLogEvents", "OperationsLogGroup"),
    ],
)
def test_operations_role_allows_an_action_on_one_resource_only(action: str, resource: str) -> None:
    [statement] = [s for s in STATEMENTS if action in several(s["Action"])]
    assert statement["Resource"] == {"Fn::GetAtt": [resource, "Arn"]}


def test_operations_role_sends_to_the_two_source_queues_only() -> None:
    [statement] = [s for s in STATEMENTS if "sqs:SendMessage" in several(s["Action"])]
    assert statement["Resource"] == [{"Fn::GetAtt": [queue, "Arn"]} for queue in ("IngressQueue", "UrgentQueue")]


def test_operations_role_writes_pauses_and_no_record_of_a_call() -> None:
    [statement] = [s for s in STATEMENTS if "dynamodb:PutItem" in several(s["Action"])]
    assert statement["Condition"] == {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["#pause/*"]}}
    assert {key_of(""), key_of("ALERTS01")} == {"#pause/account", "#pause/flow/ALERTS01"}


def test_index_of_the_pauses_is_the_one_that_the_function_asks() -> None:
    table = RESOURCES["OutcomesTable"]["Properties"]
    [index] = table["GlobalSecondaryIndexes"]
    assert (index["IndexName"], index["KeySchema"][0]["AttributeName"]) == (PAUSES_INDEX, LISTED_AS)
    [statement] = [s for s in STATEMENTS if "dynamodb:Query" in several(s["Action"])]
    assert statement["Resource"]["Fn::Sub"][0].endswith(f":table/${{Name}}/index/{PAUSES_INDEX}")
    assert statement["Resource"]["Fn::Sub"][1] == {"Name": {"Ref": "OutcomesTable"}}


def test_operations_role_cannot_decrypt_secrets() -> None:
    [statement] = [s for s in STATEMENTS if "kms:Decrypt" in several(s["Action"])]
    services = [via["Fn::Sub"].split(".")[0] for via in statement["Condition"]["StringEquals"]["kms:ViaService"]]
    assert services == ["sqs", "dynamodb", "lambda"]
    assert "Tags" not in RESOURCES["OperationsRole"]["Properties"]  # the key policy knows the relay by its tag


def test_operations_function_is_started_by_no_queue_and_no_schedule() -> None:
    started = [
        resource["Properties"]
        for resource in RESOURCES.values()
        if resource["Type"] in {"AWS::Lambda::EventSourceMapping", "AWS::Lambda::Permission", "AWS::Events::Rule"}
    ]
    assert [properties["FunctionName"] for properties in started] == [{"Ref": "RelayFunction"}] * 2


def test_operations_timeout_is_shorter_than_a_silent_connection_lasts() -> None:
    assert 2 * MARGIN_SECONDS < FUNCTION["Timeout"] < LONGEST_SILENCE_OF_A_CONNECTION_SECONDS


def test_operations_function_has_the_relays_powertools_settings() -> None:
    relay = RESOURCES["RelayFunction"]["Properties"]["Environment"]["Variables"]
    powertools = {name: value for name, value in relay.items() if name.startswith("POWERTOOLS_")}
    assert powertools.items() <= variables().items()


def test_template_sets_exactly_the_settings() -> None:
    ours = {name for name in variables() if not name.startswith("POWERTOOLS_")}
    assert ours == {field.encode_name for field in msgspec.structs.fields(Settings)}


@pytest.mark.parametrize("name", ["INGRESS_QUEUE_URL", "URGENT_QUEUE_URL", "FAILURE_QUEUE_URL", "OUTCOMES_TABLE_NAME"])
def test_missing_or_empty_setting_is_named_in_the_error(name: str) -> None:
    texts = dict.fromkeys(variables(), "made by AWS")
    assert read_settings(texts) == Settings(*["made by AWS"] * 4)
    for broken in ({**texts, name: ""}, {other: text for other, text in texts.items() if other != name}):
        with pytest.raises(InvalidSettingsError, match=name):
            read_settings(broken)


def variables() -> dict[str, Any]:
    return dict(FUNCTION["Environment"]["Variables"])
