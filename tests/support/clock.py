"""Time that tests move by hand."""

from dataclasses import dataclass
from datetime import UTC, datetime

START = datetime(2026, 11, 23, 4, 30, tzinfo=UTC).timestamp()
"""When every clock starts, in seconds since 1970: 10:00 in the service's time zone."""


@dataclass
class Clock:
    """Seconds since 1970, moved by hand."""

    now: float = START

    def __call__(self) -> float:
        return self.now

    def pause(self, max_seconds: float) -> None:
        """Sleep for the longest time that is allowed."""
        self.now += max_seconds
