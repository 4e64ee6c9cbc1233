"""What `sam local invoke` needs of this machine: a container engine, its bridge, and Lambda's image."""

import http.client
import json
import os
import platform
import socket
from contextlib import closing

import pytest

from local.stack.container_bridge import find_bridge_address

_DEFAULT = "unix:///var/run/docker.sock"
_PROCESSORS = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}


def architecture() -> str:
    """Return this machine's processor, as the template names it."""
    return _PROCESSORS[platform.machine().lower()]


def bridge_address() -> str:
    """Return the address at which containers reach this machine. Skip the test if there is none."""
    if not (address := os.environ.get("CONTAINER_BRIDGE") or find_bridge_address()):
        pytest.skip("sam local invoke cannot run here: no container engine has a bridge")
    return address


def engine_variables() -> dict[str, str]:
    """Return the environment with which sam finds the engine. Skip the test if no engine answers."""
    host = os.environ.get("DOCKER_HOST", _DEFAULT)
    if not host.startswith("unix://"):
        pytest.skip(f"sam local invoke is not tested with the engine at {host}: it is not on this machine")
    try:
        image = f"public.ecr.aws/lambda/python:3.13-{architecture()}"
        has_image = _get(host, f"/images/{image}/json") == http.HTTPStatus.OK
    except OSError as error:
        pytest.skip(f"sam local invoke cannot run here: no container engine answers at {host}: {error}")
    # sam would ask the registry for a newer image each time.
    return {"DOCKER_HOST": host, **({"SAM_SKIP_PULL_IMAGE": "true"} if has_image else {})}


def _get(host: str, path: str) -> int:
    with closing(_Connection(host.removeprefix("unix://"))) as connection:
        connection.request("GET", path)
        response = connection.getresponse()
        json.loads(response.read())
        return response.status


class _Connection(http.client.HTTPConnection):
    """HTTP over a socket of this machine."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=10)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)
