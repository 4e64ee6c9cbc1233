"""Reads and writes the two files of a running local stack: stack.json and running.json."""

from pathlib import Path
from typing import TypeVar

import msgspec

from local.stack.local_aws import LocalAws
from local.stack.paths import StackFolder
from local.stack.processes import Started

_Record = TypeVar("_Record")


class Stack(msgspec.Struct, frozen=True, kw_only=True):
    """`stack.json`: everything that a program needs to use the stack.

    `outputs` are the CloudFormation stack's, by name. The keys are an administrator's. `simulator_url` is the root of
    the simulator, and `flow_ids` are the flows that it and the relay know. With another gateway both are empty.
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
        """Return the address and the administrator's keys of the local AWS."""
        return LocalAws(self.endpoint_url, self.access_key_id, self.secret_access_key, self.region)


class Running(msgspec.Struct, frozen=True):
    """`running.json`: the started processes, and the fingerprint of the deployed sources."""

    processes: tuple[Started, ...]
    deployed: str = ""


def read_stack(stack_folder: StackFolder) -> Stack | None:
    """Return what `up` wrote; None if there is no stack."""
    return _read(stack_folder.stack_file, Stack)


def read_running(stack_folder: StackFolder) -> Running | None:
    """Return what was started; None if nothing was."""
    return _read(stack_folder.running_file, Running)


def write(path: Path, record: Stack | Running) -> None:
    """Write a file that only this user can read. A reader never finds it half written."""
    unfinished = path.with_name(path.name + ".new")
    unfinished.touch(mode=0o600)
    unfinished.write_bytes(msgspec.json.format(msgspec.json.encode(record)))
    unfinished.replace(path)


def _read(path: Path, kind: type[_Record]) -> _Record | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
