"""The forwarder for containers: bytes pass both ways, and a port without a server is closed at once."""

import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.free_ports import free_ports
from local.stack.container_bridge import find_bridge_address, open_to_containers
from local.stack.errors import StackError
from local.stack.paths import StackFolder
from local.stack.processes import is_alive, stop
from local.stack.stack_files import Running, Stack, read_running, write

OTHER_LOOPBACK = "127.0.0.2"  # an address of this machine at which nothing else listens


@pytest.fixture
def stack_folder(tmp_path: Path) -> Iterator[StackFolder]:
    folder = StackFolder(tmp_path)
    folder.logs.mkdir()
    write(folder.running_file, Running((), "fingerprint"))
    yield folder
    running = read_running(folder)
    for process in running.processes if running else ():
        stop(process)


def stack_at(port: int) -> Stack:
    return Stack(
        endpoint_url=f"http://127.0.0.1:{port}",
        region="ap-south-1",
        outputs={},
        gateway_base_url="https://gateway.example:443/kairos-apis",
        access_key_id="",
        secret_access_key="",
    )


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS has no loopback address but 127.0.0.1")
def test_bytes_pass_both_ways_between_the_address_and_the_loopback_port(stack_folder: StackFolder) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        open_to_containers(stack_folder, stack_at(port), OTHER_LOOPBACK)
        server.accept()[0].close()  # by the look whether the forwarder is ready
        with socket.create_connection((OTHER_LOOPBACK, port), timeout=5) as client:
            client.sendall(b"question")
            with server.accept()[0] as served:
                assert served.recv(8, socket.MSG_WAITALL) == b"question"
                served.sendall(b"answer")
            assert client.recv(6, socket.MSG_WAITALL) == b"answer"
            assert client.recv(1) == b""

    running = read_running(stack_folder)
    assert running
    assert running.deployed == "fingerprint"
    assert [(process.name, is_alive(process)) for process in running.processes] == [("forwarder", True)]


def test_address_of_another_machine_is_refused(stack_folder: StackFolder) -> None:
    [port] = free_ports(1)
    with pytest.raises(StackError, match=r"nothing can listen on 192\.0\.2\.9"):
        open_to_containers(stack_folder, stack_at(port), "192.0.2.9")
    assert read_running(stack_folder) == Running((), "fingerprint")


def test_bridge_address_is_an_ipv4_address_or_none() -> None:
    address = find_bridge_address()
    if address is not None:
        socket.inet_aton(address)
