"""The deployed relay as its users see it, with plain boto3: messages in; outcome records and failures out."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeDeserializer

from local.stack.deploy import STACK_NAME
from local.stack.stack_files import Stack
from sealed_relay.aws.parts import in_parts
from tests.integration.local_stack.eventually import eventually
from tests.support.aws_clients import AwsClients

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageAttributeValueOutputTypeDef

OF_EVERY_RECORD = frozenset(
    {"call_id", "status", "flow_id", "client_identifier", "request_id", "attempts", "message_id"}
    | {"created_at", "updated_at", "expires_at"}
)
OF_THE_OUTCOME = frozenset({"code", "reason", "phonon_uuid"})
ID_OF_THE_API = "api_request_id"
"""The API's own name for a request: there where the API answered."""
OF_THE_RELAY_ALONE = frozenset(
    {"is_open", "content_hash", "refusals", "lease_expires_at_ms", "may_have_been_delivered"}
    | {"client_identifier_in_event"}
)
"""Attributes of a record beside those of the contract: the relay's claims use them."""


@dataclass(frozen=True, slots=True)
class FailureMessage:
    """One message of the failure queue; `attributes` are its message attributes, by name."""

    body: str
    attributes: Mapping[str, str]


class DeployedRelay:
    """Keeps the failures that it has taken off the failure queue, for later questions."""

    def __init__(self, stack: Stack, clients: AwsClients) -> None:
        self._outputs = stack.outputs
        self._clients = clients
        self._failures: list[FailureMessage] = []

    def send(self, body: str, queue: str = "IngressQueueUrl") -> str:
        """Put a message on the queue of this output of the stack, and return its id."""
        return self._clients.sqs.send_message(QueueUrl=self._outputs[queue], MessageBody=body)["MessageId"]

    @contextmanager
    def polling_stopped(self) -> Iterator[None]:
        """Stop the polling of the ingress queue until the block ends, so that messages gather."""
        mappings = self._clients.functions.list_event_source_mappings(FunctionName=self._outputs["RelayFunctionName"])
        queue_name = self._outputs["IngressQueueUrl"].rpartition("/")[2]
        [mapping] = [
            each for each in mappings["EventSourceMappings"] if each["EventSourceArn"].endswith(f":{queue_name}")
        ]
        self._clients.functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
        try:
            yield
        finally:
            self._clients.functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)

    def send_all(self, bodies: Sequence[str]) -> None:
        """Put messages on the ingress queue, ten at a time."""
        for some in in_parts(bodies, 10):
            self._clients.sqs.send_message_batch(
                QueueUrl=self._outputs["IngressQueueUrl"],
                Entries=[{"Id": str(index), "MessageBody": body} for index, body in enumerate(some)],
            )

    def let_failure_be_long_ago(self, call_id: str) -> None:
        """Date a failed call's record back, so that the relay takes the next message for a retry without a wait."""
        self._clients.dynamodb.update_item(
            TableName=self._outputs["OutcomesTableName"],
            Key={"call_id": {"S": call_id}},
            UpdateExpression="SET updated_at = :value",
            ExpressionAttributeValues={":value": {"S": "2026-01-01T00:00:00.000+00:00"}},
        )

    def record(self, call_id: str) -> dict[str, Any]:
        """Return the present outcome record, {} if there is none."""
        return self.records([call_id]).get(call_id, {})

    def records(self, call_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Return the existing outcome records, by call id."""
        table = self._outputs["OutcomesTableName"]
        found = []
        for some in in_parts(call_ids, 100):
            keys = [{"call_id": {"S": call_id}} for call_id in some]
            found += self._clients.dynamodb.batch_get_item(RequestItems={table: {"Keys": keys}})["Responses"][table]
        return {item["call_id"]["S"]: _plain(item) for item in found}

    def everything_on_record(self) -> list[dict[str, Any]]:
        """All items of the table, records and others."""
        pages = self._clients.dynamodb.get_paginator("scan").paginate(TableName=self._outputs["OutcomesTableName"])
        return [_plain(item) for page in pages for item in page["Items"]]

    def wait_for(self, call_id: str, status: str) -> dict[str, Any]:
        """Wait until the record has this status, and return it."""
        assert eventually(lambda: self.record(call_id).get("status") == status), self.record(call_id)
        return self.record(call_id)

    def wait_until_all(self, call_ids: Sequence[str], status: str) -> dict[str, dict[str, Any]]:
        """Wait until all records have this status, and return them."""

        def has_all() -> bool:
            return [record["status"] for record in self.records(call_ids).values()] == [status] * len(call_ids)

        assert eventually(has_all), self.records(call_ids)
        return self.records(call_ids)

    def failure_of(self, message_id: str) -> FailureMessage:
        """Wait for the one failure of that message, and return it."""
        assert eventually(lambda: self.failures_of(message_id))
        [failure] = self.failures_of(message_id)
        return failure

    def failures_of(self, message_id: str) -> list[FailureMessage]:
        """Return the failures of that message so far."""
        return [failure for failure in self.failures() if failure.attributes.get("source_message_id") == message_id]

    def failures(self) -> list[FailureMessage]:
        """Return all failures so far."""
        self._failures += self._take_failures()
        return self._failures

    def ingress_queue_is_empty(self) -> bool:
        """Return whether the queue holds no message, visible or not."""
        counts = self._clients.sqs.get_queue_attributes(
            QueueUrl=self._outputs["IngressQueueUrl"], AttributeNames=["All"]
        )["Attributes"]
        return {name: count for name, count in counts.items() if name.startswith("ApproximateNumber")} == {
            "ApproximateNumberOfMessages": "0",
            "ApproximateNumberOfMessagesNotVisible": "0",
            "ApproximateNumberOfMessagesDelayed": "0",
        }

    def resume_account(self) -> None:
        """Resume the account."""
        key = {"call_id": {"S": "#pause/account"}}
        self._clients.dynamodb.delete_item(TableName=self._outputs["OutcomesTableName"], Key=key)

    def put_secret(self, flow_id: str, secret: str) -> None:
        """Create a flow's secret as the contract says."""
        self._clients.secrets.create_secret(
            Name=self._outputs["FlowSecretPrefix"] + flow_id, KmsKeyId=f"alias/{STACK_NAME}", SecretString=secret
        )

    def correct_secret(self, flow_id: str, secret: str) -> None:
        """Give a flow's secret another value."""
        self._clients.secrets.put_secret_value(
            SecretId=self._outputs["FlowSecretPrefix"] + flow_id, SecretString=secret
        )

    def _take_failures(self) -> list[FailureMessage]:
        queue_url = self._outputs["FailureQueueUrl"]
        taken = []
        while messages := self._clients.sqs.receive_message(
            QueueUrl=queue_url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        ).get("Messages"):
            for message in messages:
                taken.append(FailureMessage(message["Body"], _texts(message.get("MessageAttributes", {}))))
                self._clients.sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
        return taken


def message_of(flow_id: str, *names: str, number: str = "919900000001", **fields: object) -> str:
    """A bare queue message with a call of each name. Fields of the calls are given with underscores for dashes."""
    written = {name.replace("_", "-"): value for name, value in fields.items()}
    calls = [{"client-identifier": name, "contact-numbers": [number], **written} for name in names]
    return json.dumps({"flow-id": flow_id, "calls": calls})


def outcome_in(record: Mapping[str, Any]) -> dict[str, Any]:
    """Check that a record has only the attributes of the contract, and return its outcome."""
    assert record.keys() >= OF_EVERY_RECORD
    assert record.keys() <= OF_EVERY_RECORD | OF_THE_OUTCOME | OF_THE_RELAY_ALONE | {ID_OF_THE_API}
    assert ID_OF_THE_API in record or record["status"] != "ACCEPTED"
    assert record["call_id"] == f"{record['flow_id']}/{record['client_identifier']}"
    created_at, updated_at = (datetime.fromisoformat(record[name]) for name in ("created_at", "updated_at"))
    assert created_at.utcoffset() == updated_at.utcoffset() == timedelta(0)
    assert created_at <= updated_at
    # OutcomeRetentionDays, counted from the claim.
    kept = datetime.fromtimestamp(int(record["expires_at"]), UTC) - updated_at
    assert timedelta(days=89) < kept <= timedelta(days=90)
    return {name: record[name] for name in ("status", *sorted(OF_THE_OUTCOME), "attempts") if name in record}


def _plain(item: Mapping[str, Any]) -> dict[str, Any]:
    deserializer = TypeDeserializer()
    values = {name: deserializer.deserialize(value) for name, value in item.items()}
    return {name: getattr(value, "value", value) for name, value in values.items()}  # of bytes, boto3 makes a Binary


def _texts(attributes: "Mapping[str, MessageAttributeValueOutputTypeDef]") -> dict[str, str]:
    for name, attribute in attributes.items():
        assert attribute["DataType"] == ("Number" if name == "code" else "String")
    return {name: attribute.get("StringValue", "") for name, attribute in attributes.items()}
