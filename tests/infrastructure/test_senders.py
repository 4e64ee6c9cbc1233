"""Who may send to the queues, and who may read the secrets."""

from typing import Any

import pytest

from tests.infrastructure.expansion import deployed_with

TOPIC = "arn:aws:sns:ap-south-1:111122223333:calls"
RULE = "arn:aws:events:ap-south-1:111122223333:rule/calls"
RELAY = {"Fn::GetAtt": ["RelayRole", "Arn"]}


def policy_of(name: str, document: str = "PolicyDocument", **parameters: str) -> dict[str, Any]:
    properties = deployed_with(**parameters)["Resources"][name]["Properties"]
    return {statement["Sid"]: statement for statement in properties[document]["Statement"]}


def test_ingress_queue_has_no_outside_senders_by_default() -> None:
    assert policy_of("IngressQueuePolicy").keys() == {"TlsOnly"}
    assert not policy_of("Key", "KeyPolicy").keys() & {"SendingTopicsAndRules", "SendingAccounts"}


def test_named_topics_and_rules_may_send_and_use_the_key() -> None:
    parameters = {"SendingTopicsAndRules": f"{TOPIC},{RULE}"}
    sending = policy_of("IngressQueuePolicy", **parameters)["SendingTopicsAndRules"]
    encrypting = policy_of("Key", "KeyPolicy", **parameters)["SendingTopicsAndRules"]
    for statement in (sending, encrypting):
        assert statement["Principal"] == {"Service": ["sns.amazonaws.com", "events.amazonaws.com"]}
        assert statement["Condition"] == {"ArnLike": {"aws:SourceArn": [TOPIC, RULE]}}
    assert sending["Action"] == "sqs:SendMessage"
    assert encrypting["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]


def test_named_accounts_may_send_and_use_the_key_only_for_sqs() -> None:
    parameters = {"SendingAccounts": "111122223333,444455556666"}
    sending = policy_of("IngressQueuePolicy", **parameters)["SendingAccounts"]
    encrypting = policy_of("Key", "KeyPolicy", **parameters)["SendingAccounts"]
    assert sending["Action"] == "sqs:SendMessage"
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


def test_only_the_ingress_queue_redrives_to_the_failure_queue() -> None:
    resources = deployed_with()["Resources"]
    name = resources["IngressQueue"]["Properties"]["QueueName"]["Fn::Sub"]
    allowed = resources["FailureQueue"]["Properties"]["RedriveAllowPolicy"]
    assert allowed["redrivePermission"] == "byQueue"
    assert [arn["Fn::Sub"].split(":")[-1] for arn in allowed["sourceQueueArns"]] == [name.split(":")[-1]]
    assert resources["IngressQueue"]["Properties"]["RedriveAllowPolicy"] == {"redrivePermission": "denyAll"}


def test_content_hash_key_can_be_read_only_by_the_relay() -> None:
    denial = policy_of("ContentHashKeyPolicy", "ResourcePolicy")["OnlyTheRelayReads"]
    assert (denial["Effect"], denial["Principal"], denial["Action"]) == ("Deny", "*", "secretsmanager:GetSecretValue")
    assert denial["Condition"] == {"ArnNotEquals": {"aws:PrincipalArn": RELAY}}


def test_flow_secrets_can_be_read_only_by_the_relay_and_named_keepers() -> None:
    keeper = "arn:aws:iam::111122223333:role/keeper"
    sid = "FlowSecretsAreForTheRelayAndTheirKeepers"
    assert sid not in policy_of("Key", "KeyPolicy")
    condition = policy_of("Key", "KeyPolicy", SecretKeepers=keeper)[sid]["Condition"]
    assert condition["ArnNotLike"] == {"aws:PrincipalArn": [keeper]}
    (secrets,) = (
        arn
        for s in deployed_with()["Resources"]["RelayRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
        if s["Sid"] == "ReadSecrets"
        for arn in s["Resource"]
        if "Fn::Sub" in arn
    )
    assert condition["StringLike"] == {"kms:EncryptionContext:SecretARN": secrets}
    tags = deployed_with()["Resources"]["RelayRole"]["Properties"]["Tags"]
    ((key, value),) = condition["StringNotEquals"].items()
    assert [{"Key": key.removeprefix("aws:PrincipalTag/"), "Value": value}] == tags


@pytest.mark.parametrize("queue", ["IngressQueue", "FailureQueue"])
def test_queue_refuses_requests_without_tls(queue: str) -> None:
    resources = deployed_with()["Resources"]
    assert resources[f"{queue}Policy"]["Properties"]["Queues"] == [{"Ref": queue}]
    denial = policy_of(f"{queue}Policy")["TlsOnly"]
    assert (denial["Effect"], denial["Principal"], denial["Action"]) == ("Deny", "*", "sqs:*")
    assert denial["Condition"]["Bool"] == {"aws:SecureTransport": "false"}
