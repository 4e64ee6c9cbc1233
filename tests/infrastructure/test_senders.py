"""Who may send to the queues, and who may read the secrets."""

import re
from typing import Any

import pytest

from tests.infrastructure.cloudformation import read_template
from tests.infrastructure.expansion import deployed_with

TOPIC = "arn:aws:sns:ap-south-1:111122223333:calls"
RULE = "arn:aws:events:ap-south-1:111122223333:rule/calls"
SOURCE_QUEUE_POLICIES = ["IngressQueuePolicy", "UrgentQueuePolicy"]
RELAY = {"Fn::GetAtt": ["RelayRole", "Arn"]}


def policy_of(name: str, document: str = "PolicyDocument", **parameters: str) -> dict[str, Any]:
    properties = deployed_with(**parameters)["Resources"][name]["Properties"]
    return {statement["Sid"]: statement for statement in properties[document]["Statement"]}


@pytest.mark.parametrize("policy", SOURCE_QUEUE_POLICIES)
def test_source_queue_has_no_outside_senders_by_default(policy: str) -> None:
    assert policy_of(policy).keys() == {"TlsOnly"}
    assert not policy_of("Key", "KeyPolicy").keys() & {"SendingTopics", "SendingRules", "SendingAccounts"}


@pytest.mark.parametrize("policy", SOURCE_QUEUE_POLICIES)
def test_named_topics_and_rules_may_send(policy: str) -> None:
    sending = policy_of(policy, SendingTopicsAndRules=f"{TOPIC},{RULE}")["SendingTopicsAndRules"]
    assert sending["Resource"] == {"Fn::GetAtt": [policy.removesuffix("Policy"), "Arn"]}
    assert sending["Principal"] == {"Service": ["sns.amazonaws.com", "events.amazonaws.com"]}
    assert sending["Condition"] == {"ArnLike": {"aws:SourceArn": [TOPIC, RULE]}}
    assert sending["Action"] == "sqs:SendMessage"


def test_named_topics_may_use_the_key() -> None:
    encrypting = policy_of("Key", "KeyPolicy", SendingTopicsAndRules=f"{TOPIC},{RULE}")["SendingTopics"]
    assert encrypting["Principal"] == {"Service": "sns.amazonaws.com"}
    assert encrypting["Condition"] == {"ArnLike": {"aws:SourceArn": [TOPIC, RULE]}}
    assert encrypting["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]


def test_rules_use_the_key_without_a_condition_on_their_arn() -> None:
    # EventBridge does not tell KMS the rule. With the condition every event would be lost.
    encrypting = policy_of("Key", "KeyPolicy", SendingTopicsAndRules=f"{TOPIC},{RULE}")["SendingRules"]
    assert encrypting["Principal"] == {"Service": "events.amazonaws.com"}
    assert "Condition" not in encrypting
    assert encrypting["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:sns:ap-south-1:*:calls",
        "arn:aws:sns:*",
        "arn:aws:events:ap-south-1::rule/calls",
        "arn:aws:sns:ap-south-1:11112222333?:calls",
        "arn:aws:sqs:ap-south-1:111122223333:calls",
        f"{TOPIC},arn:aws:sns:ap-south-1:*:calls",
    ],
)
def test_sender_without_an_account_id_is_refused(arn: str) -> None:
    pattern = read_template()["Parameters"]["SendingTopicsAndRules"]["AllowedPattern"]
    for right in ("", TOPIC, f"{TOPIC},{RULE}", "arn:aws:sns:*:111122223333:calls-*"):
        assert re.fullmatch(pattern, right)
    assert not re.fullmatch(pattern, arn)


@pytest.mark.parametrize("policy", SOURCE_QUEUE_POLICIES)
def test_named_accounts_may_send_and_use_the_key_only_for_sqs(policy: str) -> None:
    parameters = {"SendingAccounts": "111122223333,444455556666"}
    sending = policy_of(policy, **parameters)["SendingAccounts"]
    encrypting = policy_of("Key", "KeyPolicy", **parameters)["SendingAccounts"]
    assert sending["Action"] == "sqs:SendMessage"
    assert sending["Resource"] == {"Fn::GetAtt": [policy.removesuffix("Policy"), "Arn"]}
    assert sending["Principal"] == encrypting["Principal"] == {"AWS": ["111122223333", "444455556666"]}
    assert encrypting["Condition"] == {
        "StringEquals": {"kms:ViaService": {"Fn::Sub": "sqs.${AWS::Region}.amazonaws.com"}}
    }


def test_failure_queue_takes_messages_only_from_the_relay_and_the_redrive() -> None:
    policy = policy_of("FailureQueuePolicy", SendingTopicsAndRules=TOPIC, SendingAccounts="111122223333")
    assert {statement["Effect"] for statement in policy.values()} == {"Deny"}
    denial = policy["OnlyTheRelaySends"]
    assert (denial["Principal"], denial["Action"]) == ("*", "sqs:SendMessage")
    # SQS's own moves must never be denied: messages that crash the function would be lost.
    assert denial["Condition"] == {
        "ArnNotEquals": {"aws:PrincipalArn": RELAY},
        "Bool": {"aws:PrincipalIsAWSService": "false"},
    }


def test_only_the_source_queues_redrive_to_the_failure_queue() -> None:
    resources = deployed_with()["Resources"]
    queues = [resources[queue]["Properties"] for queue in ("IngressQueue", "UrgentQueue")]
    names = [queue["QueueName"]["Fn::Sub"] for queue in queues]
    allowed = resources["FailureQueue"]["Properties"]["RedriveAllowPolicy"]
    assert allowed["redrivePermission"] == "byQueue"
    assert [arn["Fn::Sub"].split(":")[-1] for arn in allowed["sourceQueueArns"]] == [
        name.split(":")[-1] for name in names
    ]
    assert [queue["RedriveAllowPolicy"] for queue in queues] == [{"redrivePermission": "denyAll"}] * 2


def test_content_hash_key_can_be_read_only_by_the_relay() -> None:
    denial = policy_of("ContentHashKeyPolicy", "ResourcePolicy")["OnlyTheRelayReads"]
    assert (denial["Effect"], denial["Principal"], denial["Action"]) == ("Deny", "*", "secretsmanager:GetSecretValue")
    assert denial["Condition"] == {"ArnNotEquals": {"aws:PrincipalArn": RELAY}}


def test_flow_secrets_can_be_read_only_by_the_relay_and_named_keepers() -> None:
    keeper = "arn:aws:iam::111122223333:role/keeper"
    sid = "FlowSecretsAreForTheRelayAndTheirKeepers"
    assert sid not in policy_of("Key", "KeyPolicy")
    condition = policy_of("Key", "KeyPolicy", SecretKeepers=keeper, RolePath="/apps/")[sid]["Condition"]
    # By the beginning of the role's name, not by a tag: a session can give itself tags.
    relay = {
        "Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/apps/${AWS::StackName}-RelayRole-*",
    }
    assert condition["ArnNotLike"] == {"aws:PrincipalArn": [relay, keeper]}
    assert "PrincipalTag" not in str(condition)
    (secrets,) = (
        arn
        for s in deployed_with()["Resources"]["RelayRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
        if s["Sid"] == "ReadSecrets"
        for arn in s["Resource"]
        if "Fn::Sub" in arn
    )
    assert condition["StringLike"] == {"kms:EncryptionContext:SecretARN": secrets}


@pytest.mark.parametrize("queue", ["IngressQueue", "UrgentQueue", "FailureQueue"])
def test_queue_refuses_requests_without_tls(queue: str) -> None:
    resources = deployed_with()["Resources"]
    assert resources[f"{queue}Policy"]["Properties"]["Queues"] == [{"Ref": queue}]
    denial = policy_of(f"{queue}Policy")["TlsOnly"]
    assert (denial["Effect"], denial["Principal"], denial["Action"]) == ("Deny", "*", "sqs:*")
    assert denial["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


@pytest.mark.parametrize("queue", ["IngressQueue", "UrgentQueue", "FailureQueue"])
def test_only_the_local_aws_exempts_loopback_addresses_from_tls(queue: str) -> None:
    denial = policy_of(f"{queue}Policy", OnLocalAws="yes")["TlsOnly"]
    assert denial["Condition"]["NotIpAddress"] == {"aws:SourceIp": "127.0.0.0/8"}
