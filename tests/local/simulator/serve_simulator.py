"""The simulator on a real port of this process."""

import asyncio
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from local.simulator.server import HOST, serving
from local.simulator.state import SimulatorState


@contextmanager
def served(state: SimulatorState) -> Iterator[str]:
    """Serve in a thread with its own event loop. Give the base URL."""
    ports: queue.Queue[int] = queue.Queue()
    loop = asyncio.new_event_loop()
    stopped = asyncio.Event()

    async def serve() -> None:
        async with serving(state) as port:
            ports.put(port)
            await stopped.wait()

    def run() -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(serve())

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield f"http://{HOST}:{ports.get(timeout=10)}"
    finally:
        loop.call_soon_threadsafe(stopped.set)
        thread.join(timeout=10)
        assert not thread.is_alive()
