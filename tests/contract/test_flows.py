"""What `ports.Flows` promises."""

import json
import secrets
from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Protocol

import pytest

from sealed_relay.aws.flow_secrets import FlowSecrets
from sealed_relay.kairos.flow import Flow, UnknownFlowError, UnusableFlowError, parse_flow
from tests.support.aws_clients import AwsClients
from tests.support.flows import InMemoryFlows, public_pem, rsa_key

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

FLOW_ID = "FLOW0001"


class Bench(Protocol):
    """Flows, and the hand of who keeps their secrets."""

    def get(self, flow_id: str, *, fresh: bool = False) -> Flow: ...

    def put(self, flow_id: str, secret: str) -> None:
        """Make or change a flow's secret."""


class FakeBench:
    def __init__(self) -> None:
        self._flows = InMemoryFlows()
        self.get = self._flows.get

    def put(self, flow_id: str, secret: str) -> None:
        try:
            flow = parse_flow(flow_id, secret)
        except UnusableFlowError as error:
            self._flows.flows[flow_id] = error
            return
        kept = self._flows.flows if flow_id not in self._flows.flows else self._flows.refreshed
        kept[flow_id] = flow


class SecretsManagerBench:
    def __init__(self, client: "SecretsManagerClient", closing: ExitStack) -> None:
        self._client = client
        self._closing = closing
        self._prefix = f"contract/{secrets.token_hex(4)}/"
        self.now = 1_000.0
        self.get = FlowSecrets(client, self._prefix, lambda: self.now).get

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
        """As people do it: for some days it can still be restored."""
        self._client.delete_secret(SecretId=self._prefix + flow_id, RecoveryWindowInDays=7)


@pytest.fixture
def secrets_manager_bench(clients: AwsClients) -> Iterator[SecretsManagerBench]:
    with ExitStack() as closing:
        yield SecretsManagerBench(clients.secrets, closing)


@pytest.fixture(params=["fake", pytest.param("secrets manager", marks=pytest.mark.stack)])
def bench(request: pytest.FixtureRequest) -> Bench:
    if request.param == "fake":
        return FakeBench()
    secrets_manager: SecretsManagerBench = request.getfixturevalue("secrets_manager_bench")
    return secrets_manager


def secret(security_id: str = "a" * 64, **fields: str) -> str:
    return json.dumps({"security-id": security_id, "public-key": public_pem(rsa_key()), **fields})


def test_a_flow_is_found_with_what_its_secret_says(bench: Bench) -> None:
    bench.put(FLOW_ID, secret(**{"key-wrap": "RSA-OAEP", "api-version": "TEST", "endpoint": "outbounddialer"}))
    flow = bench.get(FLOW_ID)
    assert (flow.flow_id, flow.security_id) == (FLOW_ID, "a" * 64)
    assert (flow.key_wrap, flow.api_version, flow.endpoint) == ("RSA-OAEP", "TEST", "outbounddialer")
    assert flow.public_key.public_numbers() == rsa_key().public_key().public_numbers()


@pytest.mark.parametrize("fresh", [False, True])
def test_a_flow_without_a_secret_is_unknown(bench: Bench, fresh: bool) -> None:  # noqa: FBT001 - a parameter
    bench.put(FLOW_ID, secret())
    with pytest.raises(UnknownFlowError):
        bench.get("FLOW0002", fresh=fresh)


@pytest.mark.parametrize("broken", ["not JSON", "{}", secret("too short")])
def test_a_flow_whose_secret_breaks_the_contract_is_unusable(bench: Bench, broken: str) -> None:
    bench.put(FLOW_ID, broken)
    with pytest.raises(UnusableFlowError):
        bench.get(FLOW_ID)


def test_a_flow_stays_as_it_was_until_it_is_asked_for_fresh(bench: Bench) -> None:
    bench.put(FLOW_ID, secret("a" * 64))
    bench.get(FLOW_ID)
    bench.put(FLOW_ID, secret("b" * 64))
    assert [bench.get(FLOW_ID, fresh=fresh).security_id[0] for fresh in (False, True, False)] == ["a", "b", "b"]


def test_an_unknown_flow_is_found_once_it_has_a_secret(bench: Bench) -> None:
    with pytest.raises(UnknownFlowError):
        bench.get(FLOW_ID)
    bench.put(FLOW_ID, secret())
    assert bench.get(FLOW_ID).flow_id == FLOW_ID


@pytest.mark.stack
def test_a_flow_is_looked_up_again_after_five_minutes(secrets_manager_bench: SecretsManagerBench) -> None:
    secrets_manager_bench.put(FLOW_ID, secret("a" * 64))
    secrets_manager_bench.get(FLOW_ID)
    secrets_manager_bench.put(FLOW_ID, secret("b" * 64))
    secrets_manager_bench.now += 300
    assert secrets_manager_bench.get(FLOW_ID).security_id == "b" * 64


@pytest.mark.stack
def test_a_flow_whose_secret_is_binary_is_unusable(secrets_manager_bench: SecretsManagerBench) -> None:
    secrets_manager_bench.put_binary(FLOW_ID, secret().encode())
    with pytest.raises(UnusableFlowError):
        secrets_manager_bench.get(FLOW_ID)


@pytest.mark.stack
def test_a_flow_whose_secret_is_marked_for_deletion_is_unusable_and_not_unknown(
    secrets_manager_bench: SecretsManagerBench,
) -> None:
    secrets_manager_bench.put(FLOW_ID, secret())
    secrets_manager_bench.delete(FLOW_ID)
    with pytest.raises(UnusableFlowError):
        secrets_manager_bench.get(FLOW_ID)
