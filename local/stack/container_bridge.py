"""Makes the local AWS and the simulator reachable from containers, for `sam local invoke` on Linux.

All servers listen on the loopback address only. A forwarder listens on the address of the container engine's bridge,
and on no other. Docker Desktop needs none of this: it passes host.docker.internal on to the loopback address.
"""

import os
import socket
import sys
import time
from urllib.parse import urlsplit

import psutil

from local.stack.errors import StackError
from local.stack.paths import REPOSITORY, StackFolder
from local.stack.processes import Started, is_alive, start, stop
from local.stack.signals import signals_held
from local.stack.stack_files import Stack, change_running, read_running

BRIDGES = ("docker0", "podman0")

_NAME = "forwarder"
_LOOPBACK = {"127.0.0.1", "localhost"}
_READY_SECONDS = 10.0
_POLL_SECONDS = 0.05


def find_bridge_address() -> str | None:
    """Return the IPv4 address of a container engine's bridge; None if this machine has no bridge."""
    interfaces = psutil.net_if_addrs()
    addresses = [a.address for name in BRIDGES for a in interfaces.get(name, ()) if a.family == socket.AF_INET]
    return addresses[0] if addresses else None


def open_to_containers(stack_folder: StackFolder, stack: Stack, address: str) -> None:
    """Forward the stack's ports from `address`, unless they are forwarded already. `take_down` ends it.

    Raise StackError if nothing can listen on the address.
    """
    running = read_running(stack_folder)
    if running is None or any(process.name == _NAME for process in running.processes):
        return
    ports = _loopback_ports(stack)
    with signals_held():
        forwarder = start(
            _NAME,
            [sys.executable, "-m", "local.stack.forwarder", address, *map(str, ports)],
            {"PATH": os.defpath, "PYTHONPATH": str(REPOSITORY)},
            stack_folder.logs / "forwarder.log",
        )
        change_running(stack_folder, processes=(*running.processes, forwarder))
    try:
        for port in ports:
            _wait_until_ready(forwarder, address, port)
    except BaseException:
        stop(forwarder)
        change_running(stack_folder, processes=running.processes)
        raise


def _loopback_ports(stack: Stack) -> list[int]:
    urls = [urlsplit(url) for url in (stack.endpoint_url, stack.gateway_base_url)]
    return sorted({url.port for url in urls if url.hostname in _LOOPBACK and url.port})


def _wait_until_ready(forwarder: Started, address: str, port: int) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while True:
        try:
            socket.create_connection((address, port), timeout=1).close()
        except OSError:
            if not is_alive(forwarder) or time.monotonic() > deadline:
                raise StackError(f"nothing can listen on {address} port {port}; see forwarder.log") from None
            time.sleep(_POLL_SECONDS)
        else:
            return
