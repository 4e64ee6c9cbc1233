"""The two files that a local stack leaves behind while it runs."""

from pathlib import Path
from typing import TypeVar

import msgspec

from local.stack.aws import LocalAws
from local.stack.home import Home
from local.stack.processes import Started

_Record = TypeVar("_Record")


class Stack(msgspec.Struct, frozen=True, kw_only=True):
    """`stack.json`: all that a program needs to use the stack.

    `outputs` are the CloudFormation stack's, by name; the keys are an administrator's. `simulator_url` is the root of
    the simulator, and `flow_ids` the flows that it and the relay know; with another gateway there is neither.
    """

    endpoint_url: str
    region: str
    outputs: dict[str, str]
    gateway_base_url: str
    access_key_id: str
    secret_access_key: str
    simulator_url: str | None = None
    flow_ids: tuple[str, ...] = ()

    def aws(self) -> LocalAws:
        """How to reach the local AWS as its administrator."""
        return LocalAws(self.endpoint_url, self.access_key_id, self.secret_access_key, self.region)


class Running(msgspec.Struct, frozen=True):
    """`running.json`: what was started, and of which sources the deployed function was made."""

    processes: tuple[Started, ...]
    deployed: str = ""


def read_stack(home: Home) -> Stack | None:
    """Return what `up` wrote, None if there is no stack."""
    return _read(home.stack_file, Stack)


def read_running(home: Home) -> Running | None:
    """Return what was started, None if nothing was."""
    return _read(home.running_file, Running)


def write(path: Path, record: Stack | Running) -> None:
    """Write a record so that a reader finds it whole, and only this user can."""
    unfinished = path.with_name(path.name + ".new")
    unfinished.touch(mode=0o600)
    unfinished.write_bytes(msgspec.json.format(msgspec.json.encode(record)))
    unfinished.replace(path)


def _read(path: Path, kind: type[_Record]) -> _Record | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
