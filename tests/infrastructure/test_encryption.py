"""All data at rest is encrypted with the stack's own key, and logs expire."""

from typing import Any

import pytest

from tests.infrastructure.expansion import deployed_with

RESOURCES = deployed_with(InterfaceEndpoints="all", AlarmEmail="someone@example.com", OutcomeEvents="yes")["Resources"]
KEY_ARN = {"Fn::GetAtt": ["Key", "Arn"]}
KEY_OF = {
    "AWS::DynamoDB::Table": ("SSESpecification", "KMSMasterKeyId"),
    "AWS::Lambda::Function": ("KmsKeyArn",),
    "AWS::Logs::LogGroup": ("KmsKeyId",),
    "AWS::SNS::Topic": ("KmsMasterKeyId",),
    "AWS::SQS::Queue": ("KmsMasterKeyId",),
    "AWS::SecretsManager::Secret": ("KmsKeyId",),
}
HOLDS_NO_DATA = (
    "AWS::CloudWatch::",
    "AWS::EC2::",
    "AWS::Events::EventBus",  # holds no personal data, and is encrypted with a key of AWS's own
    "AWS::IAM::",
    "AWS::KMS::",
    "AWS::Lambda::EventSourceMapping",
    "AWS::Lambda::LayerVersion",  # public wheels
    "AWS::Logs::QueryDefinition",
    "AWS::Pipes::Pipe",
    "AWS::SNS::Subscription",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::QueuePolicy",
    "AWS::SecretsManager::ResourcePolicy",
)


def of_type(resource_type: str) -> dict[str, Any]:
    return {name: r["Properties"] for name, r in RESOURCES.items() if r["Type"] == resource_type}


@pytest.mark.parametrize("resource_type", KEY_OF)
def test_data_at_rest_is_encrypted_with_the_stacks_own_key(resource_type: str) -> None:
    assert of_type(resource_type)
    for value in of_type(resource_type).values():
        for name in KEY_OF[resource_type]:
            value = value[name]  # noqa: PLW2901 - one level deeper each time
        assert value == KEY_ARN


def test_each_resource_type_is_encrypted_or_holds_no_data() -> None:
    types = {resource["Type"] for resource in RESOURCES.values()}
    assert {t for t in types - KEY_OF.keys() if not t.startswith(HOLDS_NO_DATA)} == set()


def test_key_is_rotated() -> None:
    assert RESOURCES["Key"]["Properties"]["EnableKeyRotation"] is True


def test_key_policy_names_exactly_the_log_groups_of_the_stack() -> None:
    (logs,) = (s for s in RESOURCES["Key"]["Properties"]["KeyPolicy"]["Statement"] if s["Sid"] == "LogsOfThisStack")
    allowed = logs["Condition"]["ArnEquals"]["kms:EncryptionContext:aws:logs:arn"]
    groups = {group["LogGroupName"]["Fn::Sub"] for group in of_type("AWS::Logs::LogGroup").values()}
    assert {arn["Fn::Sub"].split(":log-group:")[1] for arn in allowed} == groups


def test_log_groups_keep_lines_for_30_days_by_default() -> None:
    assert {group["RetentionInDays"] for group in of_type("AWS::Logs::LogGroup").values()} == {"30"}


def test_every_log_group_keeps_lines_as_long_as_the_parameter_says() -> None:
    resources = deployed_with(LogRetentionDays="365")["Resources"].values()
    groups = [resource["Properties"] for resource in resources if resource["Type"] == "AWS::Logs::LogGroup"]
    assert [group["RetentionInDays"] for group in groups] == ["365"] * 3


def test_each_function_has_its_own_log_group_of_the_stack() -> None:
    groups = [function["LoggingConfig"]["LogGroup"]["Ref"] for function in of_type("AWS::Lambda::Function").values()]
    assert set(groups) <= of_type("AWS::Logs::LogGroup").keys()
    assert len(set(groups)) == len(groups)
