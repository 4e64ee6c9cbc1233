"""`python -m local.stack.forwarder ADDRESS PORT...`: makes loopback ports reachable at another address of this machine.

A container cannot reach this machine's loopback address. It can reach the address of the container engine's bridge.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress

_CHUNK_BYTES = 65536


def main() -> None:
    """Forward each port until the process is stopped."""
    address, *ports = sys.argv[1:]
    with suppress(KeyboardInterrupt):
        asyncio.run(_forward(address, [int(port) for port in ports]))


async def _forward(address: str, ports: list[int]) -> None:
    servers = [await asyncio.start_server(_connection_to(port), address, port) for port in ports]
    await asyncio.gather(*(server.serve_forever() for server in servers))


def _connection_to(port: int) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there_reader, there_writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            writer.close()
            return
        await asyncio.gather(_copy(reader, there_writer), _copy(there_reader, writer))

    return connected


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(_CHUNK_BYTES):
            writer.write(data)
            await writer.drain()
    writer.close()


if __name__ == "__main__":
    main()
