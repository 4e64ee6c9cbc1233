"""What `ports.Flows` promises."""

import json
import secrets
from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Protocol

import pytest

from sealed_relay.aws.flow_secrets import FlowSecrets
from sealed_relay.kairos.flow import UnknownFlowError, UnusableFlowError, parse_flow
from sealed_relay.ports import Flows
from tests.support.aws_clients import AwsClients
from tests.support.flows import InMemoryFlows, public_pem, rsa_key

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

FLOW_ID = "FLOW0001"


class Bench(Protocol):
    """Flows, and the hand of the person who keeps their secrets."""

    @property
    def flows(self) -> Flows: ...

    def put(self, flow_id: str, secret: str) -> None:
        """Create or change the secret of a flow."""


class InMemoryBench:
    def __init__(self) -> None:
        self.flows = InMemoryFlows()

    def put(self, flow_id: str, secret: str) -> None:
        try:
            flow = parse_flow(flow_id, secret)
        except UnusableFlowError as error:
            self.flows.flows[flow_id] = error
            return
        kept = self.flows.flows if flow_id not in self.flows.flows else self.flows.refreshed
        kept[flow_id] = flow


class SecretsManagerBench:
    def __init__(self, client: "SecretsManagerClient", closing: ExitStack) -> None:
        self._client = client
        self._closing = closing
        self._prefix = f"contract/{secrets.token_hex(4)}/"
        self.now = 1_000.0
        self.flows = FlowSecrets(client, self._prefix, lambda: self.now)

    def put(self, flow_id: str, secret: str) -> None:
        name = self._prefix + flow_id
        try:
            self._client.put_secret_value(SecretId=name, SecretString=secret)
        except self._client.exceptions.ResourceNotFoundException:
            self._client.create_secret(Name=name, SecretString=secret)
            self._closing.callback(self._client.delete_secret, SecretId=name, ForceDeleteWithoutRecovery=True)

    def put_binary(self, flow_id: str, secret: bytes) -> None:
        self.put(flow_id, "text")
        self._client.put_secret_value(SecretId=self._prefix + flow_id, SecretBinary=secret)

    def delete(self, flow_id: str) -> None:
        """Mark the secret for deletion, as people do: it can be restored for some days."""
        self._client.delete_secret(SecretId=self._prefix + flow_id, RecoveryWindowInDays=7)


@pytest.fixture
def in_memory() -> Bench:
    return InMemoryBench()


@pytest.fixture
def on_aws(clients: AwsClients) -> Iterator[SecretsManagerBench]:
    with ExitStack() as closing:
        yield SecretsManagerBench(clients.secrets, closing)


def secret(security_id: str = "a" * 64, **fields: str) -> str:
    return json.dumps({"security-id": security_id, "public-key": public_pem(rsa_key()), **fields})


def test_flow_has_the_values_of_its_secret(bench: Bench) -> None:
    bench.put(FLOW_ID, secret(**{"key-wrap": "RSA-OAEP", "api-version": "TEST", "endpoint": "outbounddialer"}))
    flow = bench.flows.get(FLOW_ID)
    assert (flow.flow_id, flow.security_id) == (FLOW_ID, "a" * 64)
    assert (flow.key_wrap, flow.api_version, flow.endpoint) == ("RSA-OAEP", "TEST", "outbounddialer")
    assert flow.public_key.public_numbers() == rsa_key().public_key().public_numbers()


@pytest.mark.parametrize("fresh", [False, True])
def test_flow_without_a_secret_is_unknown(bench: Bench, fresh: bool) -> None:  # noqa: FBT001 - a parameter
    bench.put(FLOW_ID, secret())
    with pytest.raises(UnknownFlowError):
        bench.flows.get("FLOW0002", fresh=fresh)


@pytest.mark.parametrize("broken", ["not JSON", "{}", secret("too short")])
def test_flow_with_an_invalid_secret_is_unusable(bench: Bench, broken: str) -> None:
    bench.put(FLOW_ID, broken)
    with pytest.raises(UnusableFlowError):
        bench.flows.get(FLOW_ID)


def test_changed_secret_is_used_after_a_fresh_get(bench: Bench) -> None:
    bench.put(FLOW_ID, secret("a" * 64))
    bench.flows.get(FLOW_ID)
    bench.put(FLOW_ID, secret("b" * 64))
    assert [bench.flows.get(FLOW_ID, fresh=fresh).security_id[0] for fresh in (False, True, False)] == ["a", "b", "b"]


def test_unknown_flow_is_found_once_it_has_a_secret(bench: Bench) -> None:
    with pytest.raises(UnknownFlowError):
        bench.flows.get(FLOW_ID)
    bench.put(FLOW_ID, secret())
    assert bench.flows.get(FLOW_ID).flow_id == FLOW_ID


@pytest.mark.stack
def test_flow_is_fetched_again_after_five_minutes(on_aws: SecretsManagerBench) -> None:
    on_aws.put(FLOW_ID, secret("a" * 64))
    on_aws.flows.get(FLOW_ID)
    on_aws.put(FLOW_ID, secret("b" * 64))
    on_aws.now += 300
    assert on_aws.flows.get(FLOW_ID).security_id == "b" * 64


@pytest.mark.stack
def test_flow_with_a_binary_secret_is_unusable(on_aws: SecretsManagerBench) -> None:
    on_aws.put_binary(FLOW_ID, secret().encode())
    with pytest.raises(UnusableFlowError):
        on_aws.flows.get(FLOW_ID)


@pytest.mark.stack
def test_flow_with_a_secret_marked_for_deletion_is_unusable(
    on_aws: SecretsManagerBench,
) -> None:
    on_aws.put(FLOW_ID, secret())
    on_aws.delete(FLOW_ID)
    with pytest.raises(UnusableFlowError):
        on_aws.flows.get(FLOW_ID)
