"""Writes the file of a bench: the machine, the commit and the time, then the table."""

import os
import platform
import subprocess
from collections.abc import Sequence
from datetime import datetime

from local.stack.paths import REPOSITORY
from tests.bench.table import Row, markdown

FIGURES = REPOSITORY / "tests/bench/figures.md"


def report(rows: Sequence[Row], rounds: int, now: datetime, commit: str) -> str:
    """Return the text of the file."""
    machine = f"{os.cpu_count()} cores ({platform.machine()}), CPython {platform.python_version()}"
    head = f"{now:%Y-%m-%d}, commit {commit}; {machine}; medians of {rounds} interleaved rounds."
    return f"# Figures of `make bench`\n\n{head}\n\n{markdown(rows)}"


def commit() -> str:
    """The commit checked out, and whether the sources differ from it; this very file does after any bench."""
    name = _git("rev-parse", "--short", "HEAD")
    changed = _git("status", "--porcelain", "--", ".", f":!{FIGURES.relative_to(REPOSITORY)}")
    return f"{name} with changes" if changed else name


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(REPOSITORY), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()  # noqa: S603 - fixed above
