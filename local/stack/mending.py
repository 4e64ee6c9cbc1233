"""Where MiniStack 1.5.33 differs from AWS so much that the template, right for AWS, does not work on it as it is."""

import json
from collections.abc import Mapping
from typing import Any, cast

from local.stack.aws import LocalAws
from local.stack.deploying import Deployed

_PARTIQL = "dynamodb:BatchExecuteStatement"
_BATCH_CALLS = {
    "dynamodb:PartiQLInsert": _PARTIQL,
    "dynamodb:PartiQLUpdate": _PARTIQL,
    "sqs:SendMessage": "sqs:SendMessageBatch",
    "sqs:DeleteMessage": "sqs:DeleteMessageBatch",
    "sqs:ChangeMessageVisibility": "sqs:ChangeMessageVisibilityBatch",
}

_POLICIES = {"RelayRole": "relay", "ReplayRole": "replay"}


def mend(aws: LocalAws, deployed: Deployed) -> None:
    """Make the deployed stack work on MiniStack; to be done again after every deployment."""
    _make_concurrency_a_number(aws, deployed)
    _allow_batches(aws, deployed)


def _make_concurrency_a_number(aws: LocalAws, deployed: Deployed) -> None:
    # CloudFormation hands every parameter on as text and converts it to the property's type. MiniStack does not convert
    # this one, and its poller then compares text with a number and takes no message at all.
    functions = aws.session().client("lambda", endpoint_url=aws.endpoint_url)
    mapping_id = deployed.resources["RelayFunctionIngress"]
    scaling = functions.get_event_source_mapping(UUID=mapping_id)["ScalingConfig"]
    functions.update_event_source_mapping(
        UUID=mapping_id, ScalingConfig={"MaximumConcurrency": int(scaling["MaximumConcurrency"])}
    )
    functions.close()


def _allow_batches(aws: LocalAws, deployed: Deployed) -> None:
    # AWS authorizes a call of many items by the action of the single one, and knows no action named after the call.
    # MiniStack asks for the call's own name. It gets it where the template's role has the right one, and only there;
    # a call of PartiQL statements is to it a call on no table.
    iam = aws.session().client("iam", endpoint_url=aws.endpoint_url)
    for role, policy in _POLICIES.items():
        name = deployed.resources[role]
        # boto3 decodes the document, whatever the type says.
        document = cast("Mapping[str, Any]", iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"])
        batches = [
            {"Effect": "Allow", "Action": call, "Resource": "*" if call == _PARTIQL else statement["Resource"]}
            for statement in document["Statement"]
            for call in sorted({_BATCH_CALLS[action] for action in _actions(statement) if action in _BATCH_CALLS})
        ]
        iam.put_role_policy(
            RoleName=name,
            PolicyName="batches-by-their-own-names",
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": batches}),
        )
    iam.close()


def _actions(statement: Mapping[str, Any]) -> list[str]:
    actions: str | list[str] = statement["Action"]
    return [actions] if isinstance(actions, str) else actions
