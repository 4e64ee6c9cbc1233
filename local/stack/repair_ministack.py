"""Repairs what MiniStack 1.5.33 does differently from AWS and what would stop the template from working on it."""

import json
from collections.abc import Mapping
from typing import Any, cast

from local.stack.deploy import Deployed
from local.stack.local_aws import LocalAws

_PARTIQL = "dynamodb:BatchExecuteStatement"
_BATCH_CALLS = {
    "dynamodb:PartiQLInsert": _PARTIQL,
    "dynamodb:PartiQLUpdate": _PARTIQL,
    "sqs:SendMessage": "sqs:SendMessageBatch",
    "sqs:DeleteMessage": "sqs:DeleteMessageBatch",
    "sqs:ChangeMessageVisibility": "sqs:ChangeMessageVisibilityBatch",
}

_POLICIES = {"RelayRole": "relay", "OperationsRole": "operations"}


def repair_ministack(aws: LocalAws, deployed: Deployed) -> None:
    """Make the deployed stack work on MiniStack. Call it after every deployment."""
    _make_concurrency_a_number(aws, deployed)
    _allow_batches(aws, deployed)


def _make_concurrency_a_number(aws: LocalAws, deployed: Deployed) -> None:
    # CloudFormation converts parameters, which are text, to the property's type. MiniStack does not convert this one.
    # Its poller then compares text with a number and receives no message.
    functions = aws.session().client("lambda", endpoint_url=aws.endpoint_url)
    for mapping in ("RelayFunctionIngress", "RelayFunctionUrgent"):
        mapping_id = deployed.resources[mapping]
        scaling = functions.get_event_source_mapping(UUID=mapping_id)["ScalingConfig"]
        functions.update_event_source_mapping(
            UUID=mapping_id, ScalingConfig={"MaximumConcurrency": int(scaling["MaximumConcurrency"])}
        )
    functions.close()


def _allow_batches(aws: LocalAws, deployed: Deployed) -> None:
    # AWS authorizes a batch call by the action for a single item; there is no action with the batch call's name.
    # MiniStack asks for an action with that name. So a role gets it only where the template allows the single action.
    # For MiniStack a batch of PartiQL statements belongs to no table: hence the resource "*".
    iam = aws.session().client("iam", endpoint_url=aws.endpoint_url)
    for role, policy in _POLICIES.items():
        name = deployed.resources[role]
        # boto3 decodes the document, although its type says text.
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
