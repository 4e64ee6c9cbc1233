"""The secrets of flows: found, cached, fetched anew, missing, unusable."""

import json
from collections.abc import Iterator

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from botocore.stub import Stubber

from sealed_relay.aws.flow_secrets import MAX_CACHED_FLOWS, FlowSecrets
from sealed_relay.kairos.flow import InvalidFlowSecretError, UnknownFlowError, UnusableFlowError
from tests.support.flows import public_pem, rsa_key

FLOW_ID = "FLOWAAAA"
CANARY = "919812345678"


def secret_text(security_id: str = "a" * 64) -> str:
    return json.dumps({"security-id": security_id, "public-key": public_pem(rsa_key())})


class Service:
    """A stub of Secrets Manager. It takes the planned requests in their order, and no others."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.client = boto3.client("secretsmanager", "ap-south-1", aws_access_key_id="x", aws_secret_access_key="x")
        self.stubber = Stubber(self.client)
        self.secrets = FlowSecrets(self.client, "relay/flows/", lambda: self.now)

    def will_answer(self, secret: str) -> None:
        self.stubber.add_response(
            "get_secret_value", {"SecretString": secret, "VersionId": "v" * 32}, {"SecretId": f"relay/flows/{FLOW_ID}"}
        )

    def will_refuse(self, code: str) -> None:
        self.stubber.add_client_error("get_secret_value", code, CANARY)

    def security_id(self, *, fresh: bool = False) -> str:
        return self.secrets.get(FLOW_ID, fresh=fresh).security_id


@pytest.fixture
def service() -> Iterator[Service]:
    service = Service()
    with service.stubber:
        yield service
        service.stubber.assert_no_pending_responses()


def test_flow_is_read_from_the_secret_with_its_name(service: Service) -> None:
    service.will_answer(secret_text())

    assert service.secrets.get(FLOW_ID).flow_id == FLOW_ID


def test_flow_is_cached_for_five_minutes(service: Service) -> None:
    service.will_answer(secret_text("a" * 64))
    service.will_answer(secret_text("b" * 64))

    assert service.security_id() == "a" * 64
    service.now += 299.9
    assert service.security_id() == "a" * 64
    service.now += 0.1
    assert service.security_id() == "b" * 64


def test_fresh_flow_replaces_the_cached_one(service: Service) -> None:
    service.will_answer(secret_text("a" * 64))
    service.will_answer(secret_text("b" * 64))

    assert service.security_id() == "a" * 64
    assert service.security_id(fresh=True) == "b" * 64
    assert service.security_id() == "b" * 64


def test_flow_without_a_secret_is_unknown_and_fetched_again(service: Service) -> None:
    service.will_refuse("ResourceNotFoundException")
    service.will_answer(secret_text())

    with pytest.raises(UnknownFlowError, match=FLOW_ID):
        service.security_id()
    assert service.security_id() == "a" * 64


@pytest.mark.parametrize(
    "code",
    [
        "AccessDeniedException",
        "DecryptionFailure",
        "InternalServiceError",
        "InvalidRequestException",
        "ThrottlingException",
    ],
)
def test_secret_that_cannot_be_read_makes_its_flow_unusable(service: Service, code: str) -> None:
    service.will_refuse(code)
    service.will_answer(secret_text())

    with pytest.raises(UnusableFlowError, match=code) as caught:
        service.security_id()
    assert CANARY not in str(caught.value)
    assert service.security_id() == "a" * 64


def test_binary_secret_makes_its_flow_unusable(service: Service) -> None:
    service.stubber.add_response("get_secret_value", {"SecretBinary": b"\0"})

    with pytest.raises(UnusableFlowError, match="binary"):
        service.security_id()


def test_invalid_secret_makes_its_flow_unusable_until_corrected(service: Service) -> None:
    service.will_answer("{}")
    service.will_answer(secret_text())

    with pytest.raises(InvalidFlowSecretError):
        service.security_id()
    assert service.security_id() == "a" * 64


def test_failed_refresh_leaves_the_cached_flow(service: Service) -> None:
    service.will_answer(secret_text())
    service.will_refuse("InternalServiceError")

    assert service.security_id() == "a" * 64
    with pytest.raises(UnusableFlowError):
        service.security_id(fresh=True)
    assert service.security_id() == "a" * 64


def test_unreachable_service_makes_the_flow_unusable(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(**_: str) -> None:
        raise EndpointConnectionError(endpoint_url="https://secretsmanager.example")

    monkeypatch.setattr(service.client, "get_secret_value", unreachable)

    with pytest.raises(UnusableFlowError, match="could not be reached"):
        service.security_id()


def test_each_flow_is_cached_on_its_own(service: Service) -> None:
    service.will_answer(secret_text("a" * 64))
    service.stubber.add_response(
        "get_secret_value",
        {"SecretString": secret_text("b" * 64), "VersionId": "v" * 32},
        {"SecretId": "relay/flows/FLOWBBBB"},
    )

    assert service.security_id() == "a" * 64
    assert service.secrets.get("FLOWBBBB").security_id == "b" * 64
    assert service.security_id() == "a" * 64


def test_cache_forgets_the_flow_that_was_fetched_first_and_fetches_it_again() -> None:
    fetched: list[str] = []
    secret = secret_text()

    class ManySecrets:
        def get_secret_value(self, SecretId: str) -> dict[str, str]:  # noqa: N803 - as boto3 has it
            fetched.append(SecretId)
            return {"SecretString": secret, "VersionId": "v"}

    secrets = FlowSecrets(ManySecrets(), "", lambda: 0.0)  # type: ignore[arg-type]
    for number in range(MAX_CACHED_FLOWS + 1):
        secrets.get(f"{number:08}")
    secrets.get(f"{MAX_CACHED_FLOWS:08}")
    assert len(fetched) == MAX_CACHED_FLOWS + 1

    secrets.get("00000000")

    assert fetched[-1] == "00000000"
