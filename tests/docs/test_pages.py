"""Each page can be followed: its links, its commands, its names."""

import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
import yaml

from local.stack.fingerprints import TEMPLATE
from local.stack.stack_files import Stack
from sealed_relay.calls.message import Message, read
from tests.docs.pages import REPOSITORY, Page, all_pages, page

if TYPE_CHECKING:
    from pathlib import Path

MAX_README_LINES = 200
"""Pages that are written on another branch now: links to them are checked as soon as they are there."""

AWS_NAMES = {
    "AccessDenied",
    "AsyncBatchProcessor",
    "BatchProcessor",
    "MessageGroupId",
    "SentTimestamp",
    "UsePreviousValue",
}
"""Names in the form of a parameter's that belong to AWS or Powertools, not to the template."""

_EACH_PAGE = pytest.mark.parametrize("each", all_pages(), ids=lambda each: each.name)


def test_readme_has_at_most_200_lines() -> None:
    assert len(page("README.md").text.splitlines()) <= MAX_README_LINES


@_EACH_PAGE
def test_each_relative_link_leads_to_a_file(each: Page) -> None:
    assert [str(file) for file, _ in each.relative_links() if not file.exists()] == []


@_EACH_PAGE
def test_each_link_to_a_heading_leads_to_one(each: Page) -> None:
    links = [(file, anchor) for file, anchor in each.relative_links() if anchor and file.exists()]
    assert [(str(file), anchor) for file, anchor in links if anchor not in Page(file).anchors] == []


def test_readme_leads_to_each_page() -> None:
    reached: set[Path] = set()
    to_follow = [REPOSITORY / "README.md"]
    while to_follow:
        path = to_follow.pop().resolve()
        if path not in reached and path.suffix == ".md" and path.exists():
            reached.add(path)
            to_follow += [file for file, _ in Page(path).relative_links()]
    assert [each.name for each in all_pages() if each.path not in reached] == []


@_EACH_PAGE
def test_each_make_command_is_in_the_makefile(each: Page) -> None:
    commands = set(re.findall(r"^([a-z]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z]+)\b", each.code)) - commands == set()


@_EACH_PAGE
def test_each_name_in_the_form_of_a_parameter_is_in_the_template(each: Page) -> None:
    in_template = set(re.findall(r"\w+", (REPOSITORY / "template.yaml").read_text()))
    named = set(re.findall(r"`([A-Z][a-z]+(?:[A-Z][a-z]+)+)(?:=[^`]*|: [^`]*)?`", each.prose))
    assert named - in_template - AWS_NAMES == set()


@_EACH_PAGE
def test_each_shell_variable_is_set_by_the_file_of_make_up_or_by_the_page(each: Page) -> None:
    outputs = yaml.load(TEMPLATE.read_text(), Loader=yaml.BaseLoader)["Outputs"]  # noqa: S506 - our own, without types
    stack = Stack(
        endpoint_url="",
        region="",
        outputs=dict.fromkeys(outputs, ""),
        gateway_base_url="",
        access_key_id="",
        secret_access_key="",
        simulator_url="http://127.0.0.1",
    )
    examples = "".join(re.findall(r"^```sh\n(.*?)^```$", each.text, re.MULTILINE | re.DOTALL))
    set_by_the_page = set(re.findall(r"\b([A-Z_]+)=", examples)) | set(re.findall(r"read -rs (\w+)", examples))
    used = set(re.findall(r"\$\{?([A-Z][A-Z_]+)", examples))
    assert used - set(stack.variables()) - set_by_the_page == set()


@_EACH_PAGE
def test_each_message_to_copy_keeps_the_contract(each: Page) -> None:
    bodies = re.findall(r"--message-body \\\n\s*'([^']+)'", each.text) + [
        block
        for block in re.findall(r"^```json\n(.*?)^```$", each.text, re.MULTILINE | re.DOTALL)
        if "flow-id" in block and '"detail-type": "Call outcome"' not in block
    ]
    for body in bodies:
        json.loads(body)
        assert read(Message("id", "handle", body, datetime(2026, 11, 24, tzinfo=UTC), receive_count=1))
