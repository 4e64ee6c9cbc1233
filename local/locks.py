"""Writes and checks the lock files: `python -m local.locks write [--upgrade]` and `python -m local.locks check`.

Each dependency group of pyproject.toml is compiled into one lock, with hashes, for any platform and any Python from
3.11 on. Needs only the standard library and uv, whose path is in the environment variable UV.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

_REPOSITORY = Path(__file__).resolve().parents[1]
_LAYER = "layers/dependencies/requirements.txt"
LOCKS = {
    "runtime": _LAYER,
    "dev": "local/requirements/dev.txt",
    "ministack": "local/requirements/ministack.txt",
    "sam": "local/requirements/sam.txt",
    "checkov": "local/requirements/checkov.txt",
    "dashboard": "local/requirements/dashboard.txt",
    "uv": "local/requirements/uv.txt",
}


def main() -> None:
    """Read the command line and run it. Exit status 1 if a lock is out of date."""
    parser = argparse.ArgumentParser(prog="python -m local.locks", description="The lock files.")
    commands = parser.add_subparsers(dest="command", required=True)
    write = commands.add_parser("write", help="compile the locks, keeping the pins that still fit")
    write.add_argument("--upgrade", action="store_true", help="take the newest versions instead")
    commands.add_parser("check", help="compile into a temporary folder, and compare")
    arguments = parser.parse_args()
    if arguments.command == "check":
        sys.exit(_check())
    for group, lock in LOCKS.items():
        _compile(group, _REPOSITORY / lock, upgrade=arguments.upgrade)


def _check() -> str | None:
    with tempfile.TemporaryDirectory() as folder:
        outdated = [lock for group, lock in LOCKS.items() if not _is_current(group, _REPOSITORY / lock, Path(folder))]
    return f"out of date, run `make lock`: {', '.join(outdated)}" if outdated else None


def _is_current(group: str, lock: Path, folder: Path) -> bool:
    # uv keeps the pins of its output file, so a newer release on the registry makes no difference.
    compiled = folder / f"{group}.txt"
    compiled.write_bytes(lock.read_bytes())
    _compile(group, compiled, upgrade=False)
    return compiled.read_bytes() == lock.read_bytes()


def _compile(group: str, output: Path, *, upgrade: bool) -> None:
    command = [os.environ.get("UV", "uv"), "pip", "compile", "pyproject.toml", "--quiet"]
    options = ["--universal", "--python-version", "3.11", "--generate-hashes", "--no-emit-index-url", "--no-header"]
    newest = ["--upgrade"] if upgrade else []
    # The tests must run with the same versions as the layer.
    same_as_the_layer = ["--constraint", _LAYER] if group == "dev" else []
    subprocess.run(
        [*command, *options, *newest, *same_as_the_layer, "--group", group, "--output-file", output],
        cwd=_REPOSITORY,
        stdout=subprocess.DEVNULL,
        check=True,
    )


if __name__ == "__main__":
    main()
