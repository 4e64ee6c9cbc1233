import asyncio
import queue
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from local.simulator.client import SimulatorClient
from local.simulator.server import HOST, serving
from local.simulator.state import SimulatorState
from tests.simulator.bench import Bench
from tests.simulator.flow_owner import Clock, FlowOwner


@contextmanager
def simulator_thread(now: Clock) -> Iterator[str]:
    """Serve on a real port, the event loop in a thread of its own; gives the base URL."""
    ports: queue.Queue[int] = queue.Queue()
    loop = asyncio.new_event_loop()
    stopped = asyncio.Event()

    async def serve() -> None:
        async with serving(SimulatorState(now, random.Random(7))) as port:
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


@pytest.fixture(scope="session")
def private_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture(scope="session")
def another_private_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture
def owner(private_key: rsa.RSAPrivateKey) -> FlowOwner:
    return FlowOwner(private_key)


@pytest.fixture
def bench(owner: FlowOwner) -> Bench:
    return Bench(owner)


@pytest.fixture
def simulator(owner: FlowOwner) -> Iterator[SimulatorClient]:
    with simulator_thread(Clock()) as base_url, SimulatorClient(base_url) as client:
        client.register_flow(owner.registration())
        yield client
