"""Starts MiniStack (the package `ministack`, 1.5.33), which replaces AWS on this machine."""

import os
import time
from http import HTTPStatus

import urllib3

from local.free_ports import free_ports
from local.stack.errors import StackError
from local.stack.local_aws import LocalAws, new_local_aws
from local.stack.paths import ENVIRONMENTS, StackFolder
from local.stack.processes import Started, is_alive, start

MINISTACK = "ministack"
"""The name of its process in `running.json`."""

_READY_SECONDS = 60
_POLL_SECONDS = 0.05


def start_ministack(stack_folder: StackFolder) -> tuple[Started, LocalAws]:
    """Start MiniStack on a free loopback port. It answers once `wait_for_ministack` has returned."""
    [port] = free_ports(1)
    aws = new_local_aws(port)
    process = start(
        MINISTACK,
        [str(ENVIRONMENTS / "ministack/bin/ministack")],
        _environment(stack_folder, aws, port),
        stack_folder.logs / "ministack.log",
    )
    return process, aws


def wait_for_ministack(process: Started, aws: LocalAws) -> None:
    """Wait until MiniStack answers. Raise StackError if it ends, or after a minute."""
    deadline = time.monotonic() + _READY_SECONDS
    with urllib3.PoolManager(retries=False, timeout=1) as http:
        while not _answers(http, aws.endpoint_url):
            if not is_alive(process) or time.monotonic() > deadline:
                raise StackError("the local AWS did not start; see ministack.log")
            time.sleep(_POLL_SECONDS)


def _answers(http: urllib3.PoolManager, endpoint_url: str) -> bool:
    try:
        return http.request("GET", endpoint_url + "/_ministack/health").status == HTTPStatus.OK
    except urllib3.exceptions.HTTPError:
        return False


def _environment(stack_folder: StackFolder, aws: LocalAws, port: int) -> dict[str, str]:
    # Nothing from the caller's environment. MiniStack passes its environment to the functions it runs, and neither may
    # see an AWS_PROFILE or a key of a real account.
    return {
        "PATH": os.defpath,
        "HOME": str(stack_folder.scratch),
        "TMPDIR": str(stack_folder.scratch),
        "STATE_DIR": str(stack_folder.scratch),
        "BIND_HOST": "127.0.0.1",
        # This is also the host in the queues' addresses. "localhost" could mean ::1.
        "MINISTACK_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "MINISTACK_REGION": aws.region,
        # Turned off, because they would listen on all interfaces.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        # Enforce IAM, also for the function's role. The keys below are the administrator's.
        "AUTH": "true",
        "AWS_ACCESS_KEY_ID": aws.access_key_id,
        "AWS_SECRET_ACCESS_KEY": aws.secret_access_key,
        # Functions log in UTF-8 and without delay.
        "PYTHONUTF8": "1",
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
