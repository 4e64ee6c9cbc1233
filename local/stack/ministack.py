"""MiniStack (the package `ministack`, 1.5.33), in place of AWS."""

import os
import time
from http import HTTPStatus

import urllib3

from local.free_ports import free_ports
from local.stack.aws import LocalAws, new_local_aws
from local.stack.errors import StackError
from local.stack.home import ENVIRONMENTS, Home
from local.stack.processes import Started, is_alive, start

NAME = "ministack"
"""Of its process, in `running.json`."""

_READY_SECONDS = 60
_POLL_SECONDS = 0.05


def start_ministack(home: Home) -> tuple[Started, LocalAws]:
    """Start MiniStack on a free loopback port; it answers once `wait_for_ministack` returns."""
    [port] = free_ports(1)
    aws = new_local_aws(port)
    process = start(
        NAME,
        [str(ENVIRONMENTS / "ministack/bin/ministack")],
        _environment(home, aws, port),
        home.logs / "ministack.log",
    )
    return process, aws


def wait_for_ministack(process: Started, aws: LocalAws) -> None:
    """Return once it answers; raise StackError when it ends, or takes a minute."""
    deadline = time.monotonic() + _READY_SECONDS
    with urllib3.PoolManager(retries=False, timeout=1) as http:
        while not _answers(http, aws.endpoint_url):
            if not is_alive(process) or time.monotonic() > deadline:
                raise StackError("the local AWS did not start: see ministack.log")
            time.sleep(_POLL_SECONDS)


def _answers(http: urllib3.PoolManager, endpoint_url: str) -> bool:
    try:
        return http.request("GET", endpoint_url + "/_ministack/health").status == HTTPStatus.OK
    except urllib3.exceptions.HTTPError:
        return False


def _environment(home: Home, aws: LocalAws, port: int) -> dict[str, str]:
    # Nothing of the caller's environment: MiniStack hands its own on to the functions it runs, and a stray AWS_PROFILE
    # or key of a real account must reach neither.
    return {
        "PATH": os.defpath,
        "HOME": str(home.scratch),
        "TMPDIR": str(home.scratch),
        "STATE_DIR": str(home.scratch),
        "BIND_HOST": "127.0.0.1",
        # Also the host in the queues' addresses, which "localhost" could resolve to ::1.
        "MINISTACK_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "MINISTACK_REGION": aws.region,
        # Listens on all interfaces unless turned off.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        # Enforce IAM, for the function's role too. The keys that MiniStack itself is given are the administrator's.
        "AUTH": "true",
        "AWS_ACCESS_KEY_ID": aws.access_key_id,
        "AWS_SECRET_ACCESS_KEY": aws.secret_access_key,
        # Functions log in UTF-8 and at once.
        "PYTHONUTF8": "1",
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
