"""The simulator's rate limit during a run."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from local.simulator.client import SimulatorClient

_MESSAGES_A_BATCH = 10
_REQUESTS_FOR_EVENTS = 100


def expected_requests(messages: int, flows: int) -> int:
    """About how many requests a run takes: MiniStack hands over batches of 10, each of which makes one a flow."""
    return _REQUESTS_FOR_EVENTS + flows * -(-messages // _MESSAGES_A_BATCH)


@contextmanager
def room_for(simulator: SimulatorClient, requests: int, say: Callable[[str], None]) -> Iterator[None]:
    """Raise the limit for a while if it would not do for so many requests within a minute."""
    limit = simulator.settings().requests_per_minute
    if requests <= limit:
        yield
        return
    say(f"raising the simulator's rate limit for this run, from {limit} requests a minute to {requests}")
    simulator.change_settings(requests_per_minute=requests)
    try:
        yield
    finally:
        simulator.change_settings(requests_per_minute=limit)
