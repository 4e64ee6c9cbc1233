"""The control endpoints through the typed client, and the command line."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import urllib3
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from local.simulator.client import ControlError, SimulatorClient
from local.simulator.faults import CodeAnswer, NoFault
from local.simulator.flows import FlowRegistration
from local.simulator.open_request import KeyWrap
from tests.local.simulator.flow_owner import SECURITY_ID, FlowOwner, call

ROOT = Path(__file__).parents[3]


def post(simulator: SimulatorClient, body: bytes, endpoint: str = "outbound") -> int:
    url = f"{simulator.gateway_base_url}/enc/{endpoint}/create"
    with urllib3.PoolManager() as http:
        return int(http.request("POST", url, body=body).json()["api-response-code"])


@pytest.mark.parametrize("key_wrap", KeyWrap)
def test_flow_registered_while_running_is_served_at_its_endpoint(
    simulator: SimulatorClient, owner: FlowOwner, key_wrap: KeyWrap
) -> None:
    dialer = FlowOwner(owner.private_key, "DIAL0001", key_wrap, "outbounddialer")
    simulator.register_flow(dialer.registration())
    assert simulator.flow_ids() == ["ABCD1234", "DIAL0001"]
    assert post(simulator, dialer.request(call()), "outbounddialer") == 200
    simulator.remove_flow("DIAL0001")
    assert post(simulator, dialer.request(call()), "outbounddialer") == 301


def test_key_that_is_not_rsa_is_refused_without_repeating_it(simulator: SimulatorClient) -> None:
    elliptic = ec.generate_private_key(ec.SECP256R1())
    pem = elliptic.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    for private_key in (pem, "not PEM", ""):
        with pytest.raises(ControlError, match="private-key is not") as error:
            simulator.register_flow(
                FlowRegistration(flow_id="ABCD1234", security_id=SECURITY_ID, private_key=private_key)
            )
        assert SECURITY_ID not in str(error.value)
        assert "BEGIN" not in str(error.value)


def test_settings_can_be_changed_one_by_one(simulator: SimulatorClient, owner: FlowOwner) -> None:
    assert simulator.change_settings(balance_calls=1).checksum_over_body
    assert simulator.change_settings(source_ips=["192.0.2.1"]).balance_calls == 1
    assert post(simulator, owner.request(call())) == 401
    simulator.change_settings(source_ips=["127.0.0.1"])
    assert post(simulator, owner.request(call())) == 200
    assert simulator.settings().balance_calls == 0
    assert post(simulator, owner.request(call())) == 212


@pytest.mark.parametrize("changes", [{"no_such_setting": 1}, {"requests_per_minute": 0}, {"balance_calls": "many"}])
def test_invalid_setting_changes_nothing(simulator: SimulatorClient, changes: dict[str, object]) -> None:
    before = simulator.settings()
    with pytest.raises(ControlError):
        simulator.change_settings(**changes)
    assert simulator.settings() == before


def test_invalid_fault_is_refused(simulator: SimulatorClient) -> None:
    with pytest.raises(ControlError):
        simulator.plan(CodeAnswer(code=200, http_status=1))
    with pytest.raises(ControlError):
        simulator.plan(NoFault(), requests=0)
    assert simulator.planned_faults() == []


def test_audit_reset_keeps_checksums(simulator: SimulatorClient, owner: FlowOwner) -> None:
    body = owner.request(call())
    assert post(simulator, body) == 200
    assert simulator.audit().answered_by_code == {200: 1}
    simulator.reset_audit()
    assert simulator.accepted_calls() == {}
    assert post(simulator, body) == 201


def test_reset_keeps_only_the_flows(simulator: SimulatorClient, owner: FlowOwner) -> None:
    body = owner.request(call())
    assert post(simulator, body) == 200
    simulator.change_settings(requests_per_minute=1)
    simulator.plan(CodeAnswer(code=500))
    simulator.reset()
    assert post(simulator, body) == 200
    assert simulator.audit().requests_received == 1


def test_examples_in_the_docstring_are_accepted(simulator: SimulatorClient) -> None:
    url = simulator.gateway_base_url.replace("/kairos-apis", "/control/faults")
    documentation = (ROOT / "local" / "simulator" / "__init__.py").read_text()
    examples = [part for part in documentation.split("`") if part.startswith('{"fault"')]
    assert len(examples) == 2
    with urllib3.PoolManager() as http:
        for example in examples:
            json.loads(example)
            assert http.request("POST", url, body=example.encode()).status == 204


def test_command_serves_until_it_is_stopped(tmp_path: Path, owner: FlowOwner) -> None:
    port_file = tmp_path / "port"
    environment = os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'functions' / 'relay'}"}
    command = [sys.executable, "-m", "local.simulator", "--port-file", str(port_file)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own
        try:
            give_up_at = time.monotonic() + 30
            while not port_file.exists():
                assert process.poll() is None
                assert time.monotonic() < give_up_at
                time.sleep(0.02)
            with SimulatorClient(f"http://127.0.0.1:{port_file.read_text()}") as client:
                client.register_flow(owner.registration())
                assert post(client, owner.request(call(start_time="2999-01-01T09:00:00+05:30"))) == 200
        finally:
            process.send_signal(signal.SIGTERM)
            output, _ = process.communicate(timeout=10)
    assert process.returncode == 0
    assert output.startswith("Kairos simulator: http://127.0.0.1:")


def test_simulator_listens_on_one_loopback_address_only(simulator: SimulatorClient) -> None:
    elsewhere = simulator.gateway_base_url.replace("127.0.0.1", "127.0.0.2")
    with urllib3.PoolManager(retries=False) as http, pytest.raises(urllib3.exceptions.NewConnectionError):
        http.request("GET", elsewhere)
