"""Counts the requests of the last minute."""

from collections import deque
from datetime import datetime, timedelta

WINDOW = timedelta(seconds=60)


class RequestWindow:
    """Counts requests in the 60 seconds before a moment. Moments must not go back."""

    def __init__(self) -> None:
        self._moments: deque[datetime] = deque()

    def add(self, moment: datetime) -> None:
        """Count one request."""
        self._moments.append(moment)

    def count(self, moment: datetime) -> int:
        """Return the number of requests in the window that ends at `moment`."""
        while self._moments and moment - self._moments[0] >= WINDOW:
            self._moments.popleft()
        return len(self._moments)

    def seconds_until_fewer(self, moment: datetime) -> float:
        """Return the seconds until the oldest request leaves the window, which must not be empty."""
        return (self._moments[0] + WINDOW - moment).total_seconds()
