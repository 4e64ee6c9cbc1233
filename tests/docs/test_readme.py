"""What the README says of data is compared with the data."""

import random
import re
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from aiohttp import web

from local.simulator.calls import TEST_NUMBERS
from local.simulator.control import control_application
from local.simulator.state import SimulatorState
from sealed_relay.calls.outcome import Status
from sealed_relay.kairos.codes import CODES, Verdict, code_of
from sealed_relay_replay.event import Event
from tests.infrastructure.expansion import deployed_with

REPOSITORY = Path(__file__).resolve().parents[2]
README = (REPOSITORY / "README.md").read_text()


def rows(header: str) -> list[list[str]]:
    """The cells of the table whose header starts so."""
    lines = README[README.index(header) :].splitlines()
    body = lines[2 : next(number for number, line in enumerate(lines) if not line.startswith("|"))]
    return [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in body]


def test_the_code_table_is_the_products() -> None:
    documented = [[str(code.number), code.name, code.scope, code.verdict] for code in CODES.values()]
    other = code_of(999)
    assert rows("| code | name |") == [*documented, ["other", other.name, other.scope, other.verdict]]


def test_the_statuses_are_the_products() -> None:
    assert [row[:2] for row in rows("| `status` |")] == [
        [status, "yes" if status.is_final else "no"] for status in Status
    ]


def test_the_test_numbers_are_the_simulators() -> None:
    assert rows("| contact number |") == [
        [number, f"{code.number} {code.name}"] for number, code in TEST_NUMBERS.items()
    ]


def test_the_control_endpoints_are_the_simulators() -> None:
    state = SimulatorState(lambda: datetime.now(UTC), random.Random(0))
    routes = control_application(state).router.routes()
    served = {(route.method, path_of(route)) for route in routes if route.method != "HEAD"}
    assert {(method, path) for method, path, _ in rows("| method | path |")} == served


def test_the_fields_of_a_replay_are_the_functions() -> None:
    fields = msgspec.structs.fields(Event)
    assert [row[0] for row in rows("| field | default |")] == [field.name for field in fields]
    defaults = {row[0]: row[1] for row in rows("| field | default |")}
    for field in fields:
        if field.default is not None:
            assert defaults[field.name] == msgspec.json.encode(field.default).decode()


def test_every_dependency_has_its_reason() -> None:
    groups = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["dependency-groups"].values()
    requirements = [entry for group in groups for entry in group if isinstance(entry, str)]
    wanted = {re.split(r"[\[=<>]", requirement)[0] for requirement in requirements}
    sections = README.split("| package | why |\n|---|---|\n")[1:]
    explained = {line.split("|")[1].strip() for section in sections for line in section.split("\n\n")[0].splitlines()}
    assert explained == wanted


def test_the_runbook_has_a_section_for_each_alarm() -> None:
    resources = deployed_with(Stage="dev")["Resources"].values()
    alarms = [
        resource["Properties"]["AlarmName"]["Fn::Sub"]
        for resource in resources
        if resource["Type"] == "AWS::CloudWatch::Alarm"
    ]
    sections = re.findall(r"^#### (\S+)$", README, re.MULTILINE)
    assert len(sections) == len(alarms)
    assert [alarm for alarm in alarms if not alarm.endswith(tuple(f"-{section}" for section in sections))] == []


def test_every_code_that_makes_calls_wait_has_its_next_step() -> None:
    operate = README.split("## Operate")[1].split("### Runbook")[0]
    pausing = [code for code in CODES.values() if code.verdict in {Verdict.PAUSE, Verdict.REFRESH_SECRET}]
    assert [code.name for code in pausing if f"{code.number} {code.name}" not in operate] == []


def test_every_link_into_the_project_leads_somewhere() -> None:
    targets = [target for target in re.findall(r"\]\(([^)]+)\)", README) if "://" not in target]
    assert targets
    assert [target for target in targets if not (REPOSITORY / target).exists()] == []


def path_of(route: web.AbstractRoute) -> str:
    assert route.resource is not None
    return f"/control{route.resource.canonical}"
