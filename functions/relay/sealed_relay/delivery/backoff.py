"""How long a message that goes back to the queue stays out of sight. Pure."""

from collections.abc import Callable

_LONGEST_SECONDS = 600.0
_LONGEST_FLOOR_SECONDS = 450.0


def shortest_seconds(receive_count: int) -> float:
    """What every message that goes back is kept out of sight at least.

    It grows with each receive, so that the receives that SQS allows a message (`maxReceiveCount`) outlast the longest
    time for which the relay tries, however the draws fall: waiting costs no message its life.
    """
    return min(_LONGEST_FLOOR_SECONDS, 2.0 * receive_count)


def retry_in_seconds(receive_count: int, draw: Callable[[], float], at_least_seconds: float = 0.0) -> float:
    """Exponential with full jitter: up to 2 s after the first receive, up to 10 minutes from the tenth on.

    `draw` gives a random number from 0 to 1. `at_least_seconds` is what the other side asked for.
    """
    longest = min(_LONGEST_SECONDS, 2.0 ** min(receive_count, 10))
    return max(at_least_seconds, shortest_seconds(receive_count)) + draw() * longest
