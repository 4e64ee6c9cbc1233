"""The path through the files counts each change of the file once, and no more."""

import runpy
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.bench.in_process.path import CodePath, follow, path_of_accepted_call

ONE = """
from dataclasses import dataclass

@dataclass(frozen=True)
class Generated:
    value: int

    def __add__(self, other):
        return self

def leaf():
    return Generated(1) + Generated(2)

def twice(work):
    leaf()
    work()
    leaf()
    return sorted([2, 1], key=lambda number: -number)
"""
OTHER = """
def work():
    pass
"""


@pytest.fixture
def package(tmp_path: Path) -> dict[str, Callable[..., Any]]:
    (tmp_path / "aws").mkdir()
    for name, text in {"one.py": ONE, "other.py": OTHER, "aws/adapter.py": OTHER}.items():
        (tmp_path / name).write_text(text)
    return {
        "twice": runpy.run_path(str(tmp_path / "one.py"))["twice"],
        "work": runpy.run_path(str(tmp_path / "other.py"))["work"],
        "adapt": runpy.run_path(str(tmp_path / "aws/adapter.py"))["work"],
    }


def test_change_of_file_is_a_switch_in_each_direction(package: dict[str, Callable[..., Any]], tmp_path: Path) -> None:
    path = follow(lambda: package["twice"](package["work"]), tmp_path)

    switches = Counter({("one.py", "other.py"): 1, ("other.py", "one.py"): 1})
    assert path == CodePath(frozenset({"one.py", "other.py"}), switches)
    assert path.total_switches == 2


def test_file_that_is_left_out_makes_no_switch(package: dict[str, Callable[..., Any]], tmp_path: Path) -> None:
    path = follow(lambda: package["twice"](package["adapt"]), tmp_path, ("aws/",))

    assert path == CodePath(frozenset({"one.py"}), Counter())


def test_code_outside_the_folder_is_not_on_the_path(package: dict[str, Callable[..., Any]], tmp_path: Path) -> None:
    assert follow(package["work"], tmp_path / "aws").files == frozenset()


def test_path_of_accepted_call_goes_through_every_room_and_no_adapter() -> None:
    files = path_of_accepted_call().files

    rooms = {file.partition("/")[0] for file in files if "/" in file}
    assert rooms == {"admission", "batch", "calls", "delivery", "kairos", "ledger"}
    assert {"batch/process_batch.py", "delivery/send.py"} <= files
    assert "kairos/client.py" not in files
