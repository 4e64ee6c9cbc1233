"""Reads and writes the files of a running local stack: stack.json, stack.env and running.json."""

import re
import shlex
from pathlib import Path
from typing import TypeVar

import msgspec

from local.stack.local_aws import LocalAws
from local.stack.paths import StackFolder
from local.stack.processes import Started

_Record = TypeVar("_Record")
# Version 1 of the AWS CLI ignores AWS_ENDPOINT_URL for SQS, and version 2 before 2.13 for all services.
_STACK_ENV = """\
# For a shell: the local stack's addresses and keys, for the AWS CLI and the examples in the docs.
unset AWS_PROFILE AWS_DEFAULT_PROFILE AWS_SESSION_TOKEN
aws() { command aws --endpoint-url "$AWS_ENDPOINT_URL" "$@"; }
"""


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

    def variables(self) -> dict[str, str]:
        """Return the variables of `stack.env`: what the AWS CLI and the examples in the docs need."""
        outputs = {re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).upper(): value for name, value in self.outputs.items()}
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_REGION": self.region,
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
            "AWS_PAGER": "",
            **({"SIMULATOR_URL": self.simulator_url} if self.simulator_url else {}),
            **dict(sorted(outputs.items())),
        }

    def aws(self) -> LocalAws:
        """Return the address and the administrator's keys of the local AWS."""
        return LocalAws(self.endpoint_url, self.access_key_id, self.secret_access_key, self.region)


class Running(msgspec.Struct, frozen=True):
    """`running.json`: the started processes, and the fingerprint of the deployed sources.

    `is_kept`: the stack stays up, as `make up` wants it. Otherwise a command uses it now, or was killed and left it.
    """

    processes: tuple[Started, ...]
    deployed: str = ""
    is_kept: bool = False


def read_stack(stack_folder: StackFolder) -> Stack | None:
    """Return what `up` wrote; None if there is no stack."""
    return _read(stack_folder.stack_file, Stack)


def read_running(stack_folder: StackFolder) -> Running | None:
    """Return what was started; None if nothing was."""
    return _read(stack_folder.running_file, Running)


def write(path: Path, record: Stack | Running) -> None:
    """Write a file that only this user can read. A reader never finds it half written."""
    _write(path, msgspec.json.format(msgspec.json.encode(record)))


def change_running(stack_folder: StackFolder, **changes: object) -> None:
    """Change fields of `running.json`."""
    running = read_running(stack_folder) or Running(())
    write(stack_folder.running_file, msgspec.structs.replace(running, **changes))


def write_stack(stack_folder: StackFolder, stack: Stack) -> Stack:
    """Write `stack.json` and `stack.env`, and return the stack."""
    write(stack_folder.stack_file, stack)
    exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in stack.variables().items())
    _write(stack_folder.shell_file, (_STACK_ENV + exports).encode())
    return stack


def _write(path: Path, content: bytes) -> None:
    unfinished = path.with_name(path.name + ".new")
    unfinished.touch(mode=0o600)
    unfinished.write_bytes(content)
    unfinished.replace(path)


def _read(path: Path, kind: type[_Record]) -> _Record | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
