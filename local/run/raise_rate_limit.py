"""Raises the simulator's rate limit during a run that needs it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from local.simulator.client import SimulatorClient

_MESSAGES_A_BATCH = 10
_REQUESTS_FOR_EVENTS = 100


def expected_requests(messages: int, flows: int) -> int:
    """Estimate the requests of a run: MiniStack delivers batches of 10, and each batch makes one request per flow."""
    return _REQUESTS_FOR_EVENTS + flows * -(-messages // _MESSAGES_A_BATCH)


@contextmanager
def raised_rate_limit(simulator: SimulatorClient, requests: int, say: Callable[[str], None]) -> Iterator[None]:
    """Raise the limit until the block ends, if it is below so many requests a minute."""
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
