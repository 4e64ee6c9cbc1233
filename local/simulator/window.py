"""The last minute's requests."""

from collections import deque
from datetime import datetime, timedelta

WINDOW = timedelta(seconds=60)


class RequestWindow:
    """Counts requests in the 60 seconds before each moment it is asked about; moments never go back."""

    def __init__(self) -> None:
        self._moments: deque[datetime] = deque()

    def add(self, moment: datetime) -> None:
        """Count one request."""
        self._moments.append(moment)

    def count(self, moment: datetime) -> int:
        """Return how many requests were counted in the window that ends now."""
        while self._moments and moment - self._moments[0] >= WINDOW:
            self._moments.popleft()
        return len(self._moments)

    def seconds_until_fewer(self, moment: datetime) -> float:
        """Return when the oldest request of a window that is not empty leaves it."""
        return (self._moments[0] + WINDOW - moment).total_seconds()
