"""What the roles allow, compared with what the functions call, and all wildcards in policies."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.infrastructure.cloudformation import read_template
from tests.infrastructure.expansion import deployed_with
from tests.infrastructure.source_calls import aws_calls, partiql_verbs

EVERYTHING = {
    "InterfaceEndpoints": "all",
    "SendingTopicsAndRules": "arn:aws:sns:ap-south-1:111122223333:calls",
    "SendingAccounts": "111122223333",
    "SecretKeepers": "arn:aws:iam::111122223333:role/keeper",
    "OutcomeEvents": "yes",
}
# AWS authorizes a batch call by the action on a single item, and PartiQL by its verb.
ACTIONS_OF_CALLS = {
    "sqs:SendMessageBatch": {"sqs:SendMessage"},
    "sqs:ChangeMessageVisibilityBatch": {"sqs:ChangeMessageVisibility"},
    "dynamodb:BatchExecuteStatement": {f"dynamodb:PartiQL{verb.title()}" for verb in partiql_verbs()},
}
# Actions that AWS itself takes with the function's role. Source: its pages on event sources, logs and encryption.
ACTIONS_FOR_LAMBDA = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}
ACTIONS_FOR_LOGS = {"logs:CreateLogStream", "logs:PutLogEvents"}
ACTIONS_FOR_ENCRYPTION = {"kms:Decrypt", "kms:GenerateDataKey"}

WILDCARDS = {
    (
        "RelayRole",
        "ReadSecrets",
    ): "flows come and go without a deployment, and a secret's ARN ends in six unknown characters",
    ("RelayRole", "LambdaConnects"): "Lambda asks before the network interface has a name",
    ("FlowLogsRole", "FindTheLogGroup"): "a list of log groups is asked for as a whole",
    ("SecretsEndpoint", None): "as the role's secrets",
}


ROLES = {"RelayRole", "OperationsRole", "FlowLogsRole", "OutcomePipeRole"}


def statements_of(resources: dict[str, Any], name: str) -> list[dict[str, Any]]:
    return [s for p in resources[name]["Properties"]["Policies"] for s in p["PolicyDocument"]["Statement"]]


def several(item: Any) -> list[Any]:  # noqa: ANN401 - a policy may hold one item without a list
    return item if isinstance(item, list) else [item]


def allowed(statements: list[dict[str, Any]]) -> set[str]:
    return {action for s in statements if s["Effect"] == "Allow" for action in several(s["Action"])}


def policy_statements(resources: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """All policy statements except those of the key policy, in which "*" means the key."""
    for name, resource in resources.items():
        properties = resource.get("Properties", {})
        documents = [p["PolicyDocument"] for p in properties.get("Policies", [])]
        documents += [properties[p] for p in ("PolicyDocument", "ResourcePolicy") if p in properties]
        for document in documents:
            for statement in document["Statement"]:
                yield name, statement


def test_relay_role_allows_exactly_the_calls_of_the_source() -> None:
    needed = {action for call in aws_calls() for action in ACTIONS_OF_CALLS.get(call, {call})}
    needed |= ACTIONS_FOR_LAMBDA | ACTIONS_FOR_LOGS | ACTIONS_FOR_ENCRYPTION
    statements = statements_of(deployed_with()["Resources"], "RelayRole")
    assert {action for action in allowed(statements) if not action.startswith("ec2:")} == needed


def test_source_calls_are_found_in_the_source() -> None:
    assert {"dynamodb:BatchExecuteStatement", "sqs:SendMessageBatch", "secretsmanager:GetSecretValue"} <= aws_calls()
    assert partiql_verbs() == {"INSERT", "UPDATE"}


def arn_of(resource: str) -> dict[str, list[str]]:
    return {"Fn::GetAtt": [resource, "Arn"]}


@pytest.mark.parametrize(
    ("service", "resources"),
    [
        ("sqs", [[arn_of("IngressQueue"), arn_of("UrgentQueue")], arn_of("FailureQueue")]),
        ("dynamodb", [{"Fn::GetAtt": ["OutcomesTable", "Arn"]}]),
        ("kms", [{"Fn::GetAtt": ["Key", "Arn"]}]),
        ("logs", [{"Fn::GetAtt": ["RelayLogGroup", "Arn"]}]),
    ],
)
def test_relay_role_allows_only_the_stacks_own_resources(service: str, resources: list[Any]) -> None:
    statements = statements_of(deployed_with()["Resources"], "RelayRole")
    assert [s["Resource"] for s in statements if several(s["Action"])[0].startswith(f"{service}:")] == resources


def test_relay_role_sends_only_to_the_failure_queue() -> None:
    statements = statements_of(deployed_with()["Resources"], "RelayRole")
    (sending,) = (s for s in statements if "sqs:SendMessage" in several(s["Action"]))
    assert sending["Resource"] == {"Fn::GetAtt": ["FailureQueue", "Arn"]}


@pytest.mark.parametrize("egress", ["nat", "existing", "none"])
def test_relay_role_can_always_delete_lambdas_network_interfaces(egress: str) -> None:
    # Lambda deletes them with this role, also after the function has left the network.
    assert "ec2:DeleteNetworkInterface" in allowed(
        statements_of(deployed_with(Egress=egress)["Resources"], "RelayRole")
    )


def test_relay_role_uses_the_key_only_through_the_services_that_encrypt() -> None:
    statements = statements_of(deployed_with()["Resources"], "RelayRole")
    [using] = [s for s in statements if "kms:Decrypt" in several(s["Action"])]
    services = [via["Fn::Sub"].split(".")[0] for via in using["Condition"]["StringEquals"]["kms:ViaService"]]
    assert services == ["sqs", "dynamodb", "secretsmanager", "lambda"]


def test_roles_have_no_boundary_and_the_root_path_by_default() -> None:
    roles = roles_of(deployed_with(OutcomeEvents="yes")["Resources"])
    assert roles.keys() == ROLES
    assert not any("PermissionsBoundary" in role for role in roles.values())
    assert {role["Path"] for role in roles.values()} == {"/"}


def test_every_role_has_the_given_boundary_and_path() -> None:
    boundary = "arn:aws:iam::111122223333:policy/boundary"
    parameters = {"PermissionsBoundaryArn": boundary, "RolePath": "/apps/", "OutcomeEvents": "yes"}
    roles = roles_of(deployed_with(**parameters)["Resources"])
    assert roles.keys() == ROLES
    assert {(role["PermissionsBoundary"], role["Path"]) for role in roles.values()} == {(boundary, "/apps/")}


@pytest.mark.parametrize("path", ["apps", "/apps", "apps/", "//", ""])
def test_role_path_of_a_form_that_iam_refuses_is_refused(path: str) -> None:
    pattern = read_template()["Parameters"]["RolePath"]["AllowedPattern"]
    assert all(re.fullmatch(pattern, right) for right in ("/", "/apps/", "/apps/calls/"))
    assert not re.fullmatch(pattern, path)


def roles_of(resources: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {name: r["Properties"] for name, r in resources.items() if r["Type"] == "AWS::IAM::Role"}


def test_relay_role_denies_the_code_lambdas_network_actions() -> None:
    denied = [s for s in statements_of(deployed_with()["Resources"], "RelayRole") if s["Effect"] == "Deny"]
    assert [(s["Action"], s["Resource"], list(s["Condition"]["ArnLike"])) for s in denied] == [
        ("ec2:*", "*", ["lambda:SourceFunctionArn"])
    ]


def test_each_function_has_its_own_role() -> None:
    resources = deployed_with()["Resources"]
    roles = [str(r["Properties"]["Role"]) for r in resources.values() if r["Type"] == "AWS::Lambda::Function"]
    assert roles
    assert len(set(roles)) == len(roles)


def test_each_wildcard_is_listed_with_its_reason() -> None:
    def is_wild(resource: Any) -> bool:  # noqa: ANN401 - an ARN or an intrinsic function
        return "*" in str(resource)

    statements = policy_statements(deployed_with(**EVERYTHING)["Resources"])
    wild = {(name, s.get("Sid")) for name, s in statements if s["Effect"] == "Allow" and is_wild(s["Resource"])}
    assert wild == WILDCARDS.keys()


def test_no_role_allows_a_wildcard_action() -> None:
    resources = deployed_with(**EVERYTHING)["Resources"]
    for name in (name for name, resource in resources.items() if resource["Type"] == "AWS::IAM::Role"):
        assert not [action for action in allowed(statements_of(resources, name)) if "*" in action]
