"""How long a message is deferred. Pure."""

from collections.abc import Callable

_MAX_SECONDS = 600.0
_BRISK_RECEIVES = 150
_MAX_BRISK_SECONDS = 45.0
_MAX_MIN_SECONDS = 450.0


def min_deferral_seconds(receive_count: int) -> float:
    """The shortest time for which a message is deferred.

    At first it is less than a minute, so that messages come back soon after a pause ends. Later it is longer. SQS moves
    a message to the failure queue after `maxReceiveCount` receives, and these must last longer than `GiveUpAfterHours`,
    also if each random draw is 0.
    """
    longest_seconds = _MAX_BRISK_SECONDS if receive_count <= _BRISK_RECEIVES else _MAX_MIN_SECONDS
    return min(longest_seconds, 2.0 * receive_count)


def retry_in_seconds(receive_count: int, draw: Callable[[], float], at_least_seconds: float = 0.0) -> float:
    """Exponential backoff with full jitter: up to 2 s after the first receive, up to 10 minutes from the tenth on.

    `draw` gives a random number from 0 to 1. `at_least_seconds` is what the API asked for.
    """
    return max(at_least_seconds, min_deferral_seconds(receive_count)) + draw() * min(
        _MAX_SECONDS, 2.0 ** min(receive_count, 10)
    )
