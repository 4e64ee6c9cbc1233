"""How long a message that goes back to the queue stays out of sight. Pure."""

from collections.abc import Callable

_LONGEST_SECONDS = 900.0
_SHORTEST_SECONDS = 1.0


def retry_in_seconds(receive_count: int, draw: Callable[[], float], at_least_seconds: float = 0.0) -> float:
    """Exponential with full jitter: up to 2 s after the first receive, up to 15 minutes from the tenth on.

    `draw` gives a random number from 0 to 1. `at_least_seconds` is what the other side asked for.
    """
    longest = min(_LONGEST_SECONDS, 2.0 ** min(receive_count, 10))
    return max(at_least_seconds, _SHORTEST_SECONDS) + draw() * longest
