"""Coming back: the stack carries on with the table and the keys of an earlier stack."""

import json
import re
from typing import Any

import pytest

from tests.infrastructure.cloudformation import read_template
from tests.infrastructure.expansion import deployed_with

KEY_ARN = "arn:aws:kms:ap-south-1:111122223333:key/0a1b2c3d"
HASH_KEY_ARN = "arn:aws:secretsmanager:ap-south-1:111122223333:secret:ContentHashKey-AbCdEf"
EXISTING = {"ExistingTableName": "outcomes", "ExistingKeyArn": KEY_ARN, "ExistingContentHashKeyArn": HASH_KEY_ARN}
MADE = {"OutcomesTable", "Key", "ContentHashKey"}
TABLE_ARN = {"Fn::Sub": "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/outcomes"}
OWN = {
    ("Ref", "OutcomesTable"): "outcomes",
    ("Fn::GetAtt", "OutcomesTable", "Arn"): TABLE_ARN,
    ("Fn::GetAtt", "Key", "Arn"): KEY_ARN,
    ("Fn::GetAtt", "ContentHashKey", "Id"): HASH_KEY_ARN,
}


def exchanged(item: Any) -> Any:  # noqa: ANN401 - any JSON
    """The same with the existing resources in place of references to the stack's own."""
    match item:
        case {"Ref": name} if ("Ref", name) in OWN:
            return OWN["Ref", name]
        case {"Fn::GetAtt": [name, attribute]} if ("Fn::GetAtt", name, attribute) in OWN:
            return OWN["Fn::GetAtt", name, attribute]
        case dict():
            return {name: exchanged(value) for name, value in item.items()}
        case list():
            return [exchanged(value) for value in item]
    return item


def test_existing_table_and_keys_replace_the_stacks_own_everywhere() -> None:
    own, existing = deployed_with(InterfaceEndpoints="all"), deployed_with(InterfaceEndpoints="all", **EXISTING)
    assert own["Resources"].keys() - existing["Resources"].keys() == MADE
    for section in ("Resources", "Outputs"):
        assert existing[section] == {n: exchanged(r) for n, r in own[section].items() if n not in MADE}


def test_no_reference_is_left_to_resources_that_are_not_made() -> None:
    existing = json.dumps(deployed_with(InterfaceEndpoints="all", **EXISTING))
    referred = set(re.findall(r'"(?:Ref|Fn::GetAtt)": \[?"(\w+)"', existing))
    assert referred
    assert not referred & MADE


def test_existing_key_alone_encrypts_a_new_table() -> None:
    resources = deployed_with(ExistingKeyArn=KEY_ARN)["Resources"]
    assert resources.keys() >= {"OutcomesTable", "ContentHashKey"}
    assert resources["OutcomesTable"]["Properties"]["SSESpecification"]["KMSMasterKeyId"] == KEY_ARN


@pytest.mark.parametrize(
    ("rule", "parameter", "needed"),
    [
        ("ExistingTableComesWithItsKeys", "ExistingTableName", ["ExistingContentHashKeyArn", "ExistingKeyArn"]),
        ("ContentHashKeyComesWithItsKey", "ExistingContentHashKeyArn", ["ExistingKeyArn"]),
    ],
)
def test_existing_resource_without_its_keys_is_refused(rule: str, parameter: str, needed: list[str]) -> None:
    def is_given(name: str) -> dict[str, Any]:
        return {"Fn::Not": [{"Fn::Equals": [{"Ref": name}, ""]}]}

    written = read_template()["Rules"][rule]
    assert written["RuleCondition"] == is_given(parameter)
    assert [assertion["Assert"] for assertion in written["Assertions"]] == [is_given(name) for name in needed]


@pytest.mark.parametrize(
    ("parameter", "right", "wrong"),
    [
        ("ExistingTableName", "sealed-relay-OutcomesTable-1A", "arn:aws:dynamodb:ap-south-1:111122223333:table/x"),
        ("ExistingKeyArn", KEY_ARN, "arn:aws:kms:ap-south-1:111122223333:alias/sealed-relay-dev"),
        ("ExistingContentHashKeyArn", HASH_KEY_ARN, HASH_KEY_ARN.replace("AbCdEf", "??????")),
    ],
)
def test_existing_resource_is_named_in_one_form_only(parameter: str, right: str, wrong: str) -> None:
    pattern = read_template()["Parameters"][parameter]["AllowedPattern"]
    assert re.fullmatch(pattern, right)
    assert not re.fullmatch(pattern, wrong)
