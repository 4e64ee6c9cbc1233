"""What the pages say of data is compared with the data."""

import json
import random
import re
import tomllib
from datetime import UTC, datetime

import pytest
from aiohttp import web
from jsonschema import Draft202012Validator

from local.schemas import outcome_event
from local.simulator.check_call import TEST_NUMBERS
from local.simulator.control_endpoints import control_application
from local.simulator.state import SimulatorState
from sealed_relay.calls.outcome import Status
from sealed_relay.calls.schema import CALL_FIELDS, MESSAGE_FIELDS, REQUIRED_CALL_FIELDS
from sealed_relay.kairos.codes import CODES, code_of
from sealed_relay.kairos.seal import NONCE_BYTES, largest_payload_bytes, payload_of
from tests.docs.pages import REPOSITORY, page

CONTRACT = page("docs/message-contract.md")
LOCAL_STACK = page("docs/local-stack.md")
GUARANTEE = page("docs/guarantee.md")


def test_fields_of_a_message_are_those_of_the_schema() -> None:
    required = {*MESSAGE_FIELDS, *REQUIRED_CALL_FIELDS}
    fields = [[field, "yes" if field in required else "no"] for field in (*MESSAGE_FIELDS, *CALL_FIELDS)]
    assert sorted(row[:2] for row in CONTRACT.rows("| field | required |")) == sorted(fields)


def test_code_table_is_the_products() -> None:
    documented = [[str(code.number), code.name, code.scope, code.verdict] for code in CODES.values()]
    other = code_of(999)
    assert CONTRACT.rows("| code | name |") == [*documented, ["other", other.name, other.scope, other.verdict]]


@pytest.mark.parametrize(("max_body_bytes", "sentence"), [(262_144, "{} bytes as JSON"), (4096, "it is {} bytes")])
def test_size_of_the_largest_call_is_the_products(max_body_bytes: int, sentence: str) -> None:
    texts = {"flow_id": "ALERTS01", "security_id": "9" * 64, "api_version": "1.0"}
    frame_bytes = len(payload_of([], **texts, nonce=bytes(NONCE_BYTES)))
    largest = largest_payload_bytes(max_body_bytes, 4096 // 8, "ALERTS01") - frame_bytes
    assert sentence.format(f"{largest:,}") in CONTRACT.text


def test_printed_outcome_event_keeps_its_schema() -> None:
    [block] = re.findall(r'^```json\n({\n  "source": "sealed-relay".*?)^```$', CONTRACT.text, re.MULTILINE | re.DOTALL)
    Draft202012Validator(outcome_event()).validate(json.loads(block)["detail"])


def test_code_table_stands_between_its_markers() -> None:
    assert "| code | name |" in CONTRACT.between("codes")


@pytest.mark.parametrize("marker", ["claim rules", "conclusive answers"])
def test_guarantee_has_a_place_for_each_table_of_rules(marker: str) -> None:
    assert GUARANTEE.between(marker)


def test_statuses_are_the_products() -> None:
    assert [row[:2] for row in CONTRACT.rows("| `status` |")] == [
        [status, "yes" if status.is_final else "no"] for status in Status
    ]


def test_test_numbers_are_the_simulators() -> None:
    assert LOCAL_STACK.rows("| contact number |") == [
        [number, f"{code.number} {code.name}"] for number, code in TEST_NUMBERS.items()
    ]


def test_control_endpoints_are_the_simulators() -> None:
    state = SimulatorState(lambda: datetime.now(UTC), random.Random(0))
    routes = control_application(state).router.routes()
    served = {(route.method, path_of(route)) for route in routes if route.method != "HEAD"}
    assert {(method, path) for method, path, _ in LOCAL_STACK.rows("| method | path |")} == served


def test_each_event_file_has_its_case() -> None:
    named = set(re.findall(r"[a-z-]+\.json", " ".join(row[0] for row in LOCAL_STACK.rows("| file | case |"))))
    assert named == {file.name for file in (REPOSITORY / "events").glob("*.json")} - {"local-env.json"}


def test_each_dependency_has_its_reason() -> None:
    groups = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["dependency-groups"].values()
    requirements = [entry for group in groups for entry in group if isinstance(entry, str)]
    wanted = {re.split(r"[\[=<>]", requirement)[0] for requirement in requirements}
    sections = page("docs/dependencies.md").text.split("| package | why |\n|---|---|\n")[1:]
    explained = {line.split("|")[1].strip() for section in sections for line in section.split("\n\n")[0].splitlines()}
    assert explained == wanted


def path_of(route: web.AbstractRoute) -> str:
    assert route.resource is not None
    return f"/control{route.resource.canonical}"
