"""The pages for deployers and operators, compared with the project: links, stages, parameters, outputs, log lines."""

import json
import re
from pathlib import Path

import msgspec
import pytest

from local.dashboard.body import TextWidget
from local.stack.paths import REPOSITORY
from sealed_relay_operations.request import Replay
from tests.infrastructure.cloudformation import read_template
from tests.infrastructure.dashboards import widgets
from tests.infrastructure.emitted_telemetry import log_lines
from tests.infrastructure.expansion import deployed_with
from tests.infrastructure.test_stages import STAGES, overrides

PAGES = {name: (REPOSITORY / "docs" / name).read_text() for name in ("deploy.md", "operate.md", "runbook.md")}


def rows(page: str, header: str) -> list[list[str]]:
    """The cells of the table whose header begins so."""
    lines = PAGES[page][PAGES[page].index(header) :].splitlines()
    body = lines[2 : next((number for number, line in enumerate(lines) if not line.startswith("|")), len(lines))]
    return [[cell.strip().strip("`") for cell in line.strip("|").split(" | ")] for line in body]


def anchors(path: Path) -> set[str]:
    """The names of the headings, as a link writes them."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(), re.MULTILINE)
    return {re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES)
def test_link_leads_to_a_file_and_a_heading_that_exist(page: str) -> None:
    targets = re.findall(r"\]\(([^)#]*)#?([^)]*)\)", PAGES[page])
    assert targets
    for target, anchor in targets:
        path = REPOSITORY / "docs" / (target or page)
        assert path.exists(), target
        assert not anchor or anchor in anchors(path), anchor


def test_fields_of_a_replay_are_the_functions_with_their_defaults() -> None:
    documented = {row[0]: row[1] for row in rows("operate.md", "| field | default |")}
    fields = msgspec.structs.fields(Replay)
    assert list(documented) == [field.name for field in fields]
    for field in fields:
        if field.default is not None:
            assert documented[field.name] == msgspec.json.encode(field.default).decode()


def test_log_lines_are_those_that_the_function_writes() -> None:
    documented = {row[0] for row in rows("operate.md", "| line | level |")}
    assert documented == {line["message"] for line in log_lines()}


def test_each_widget_of_the_dashboard_has_its_question_and_answer() -> None:
    documented = [row[0] for row in rows("operate.md", "| widget | answers |")]
    titles = [widget.title for widget in widgets() if not isinstance(widget, TextWidget)]
    assert len(documented) == len(titles)
    assert [title for title, name in zip(titles, documented, strict=True) if not title.startswith(name)] == []


def test_rates_of_the_stages_are_those_of_samconfig() -> None:
    documented = {row[0]: row[1] for row in rows("deploy.md", "| stage | requests a minute |")}
    assert documented == {stage: overrides(stage)["RequestsPerMinute"] for stage in STAGES}


@pytest.mark.parametrize("page", PAGES)
def test_outputs_in_commands_are_the_stacks(page: str) -> None:
    asked = set(re.findall(r"output ([A-Z]\w+)", PAGES[page]))
    assert asked
    assert asked <= read_template()["Outputs"].keys()


def test_parameters_to_choose_are_the_templates() -> None:
    cells = " ".join(row[0] for row in rows("deploy.md", "| parameter | choice |"))
    assert set(re.findall(r"\w+", cells)) <= read_template()["Parameters"].keys()


def test_deployment_may_make_each_kind_of_resource() -> None:
    page = (REPOSITORY / "docs/deploy-permissions.md").read_text()
    policy = json.loads(page.split("```json")[1].split("```")[0])
    services = {action.split(":")[0] for statement in policy["Statement"] for action in statement["Action"]}
    parameters = {"InterfaceEndpoints": "all", "AlarmEmail": "operator@example.com", "OutcomeEvents": "yes"}
    everything = deployed_with(**parameters)["Resources"].values()
    made = {resource["Type"].split("::")[1].lower() for resource in everything}
    assert made == services - {"cloudformation", "s3"}
