"""Run the simulator until SIGTERM or SIGINT: `python -m local.simulator --port-file PATH`."""

import argparse
import asyncio
import random
import signal
from datetime import UTC, datetime
from pathlib import Path

from local.simulator.server import BASE_PATH, HOST, serving
from local.simulator.state import SimulatorState


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m local.simulator", description="The Kairos simulator.")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1 (default: a free one)")
    parser.add_argument("--port-file", type=Path, help="file to write the port to, once the simulator takes requests")
    arguments = parser.parse_args()
    asyncio.run(_run(arguments.port, arguments.port_file))


async def _run(port: int, port_file: Path | None) -> None:
    stopped = asyncio.Event()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signal_number, stopped.set)
    state = SimulatorState(now=lambda: datetime.now(UTC), chance=random.SystemRandom())
    async with serving(state, port) as actual_port:
        print(f"Kairos simulator: http://{HOST}:{actual_port}{BASE_PATH}", flush=True)
        if port_file:
            _write_at_once(port_file, str(actual_port))
        await stopped.wait()


def _write_at_once(path: Path, text: str) -> None:
    # Rename, so that a reader that polls for the file never finds half of it.
    unfinished = path.with_name(path.name + ".new")
    unfinished.write_text(text)
    unfinished.replace(path)


if __name__ == "__main__":
    main()
