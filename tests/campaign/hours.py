"""Calling hours as the judge understands them, apart from the product's code, and how a run draws them."""

from dataclasses import dataclass
from random import Random

SERVICE_OFFSET_SECONDS = 19_800
"""The API's time zone is +05:30."""

_DAY_SECONDS = 86_400
_DAY_MINUTES = 1440
_LENGTHS_MINUTES = (2, 5, 30, 600, 1439)


@dataclass(frozen=True, slots=True)
class Hours:
    """Daily hours of `length_seconds`, from `begin_seconds` after midnight of the service. Times are since 1970."""

    begin_seconds: int
    length_seconds: int

    def are_inside(self, at: float, tolerance_seconds: float) -> bool:
        """Whether a time is inside them, or so shortly before their beginning."""
        return self._since_beginning(at + tolerance_seconds) < self.length_seconds + tolerance_seconds

    def end_within(self, at: float, seconds: float) -> bool:
        """Whether a time is inside them, and less than so many seconds before their end."""
        return self.length_seconds - seconds < self._since_beginning(at) < self.length_seconds

    def next_start(self, at: float) -> float:
        """The time itself where a call may start, else the next beginning."""
        since = self._since_beginning(at)
        return at if since < self.length_seconds - 60 else at + _DAY_SECONDS - since

    def _since_beginning(self, at: float) -> float:
        return (at + SERVICE_OFFSET_SECONDS - self.begin_seconds) % _DAY_SECONDS


def hours_of(text: str) -> Hours | None:
    """The hours in a text such as 09:00-21:00; None if the text is empty."""
    if not text:
        return None
    begin, end = (int(part[:2]) * 3600 + int(part[3:]) * 60 for part in text.split("-"))
    return Hours(begin, (end - begin) % _DAY_SECONDS)


def draw_hours(random: Random, now: float) -> str:
    """Hours that end soon, begin soon, or are any; or none."""
    now_minute = int(now + SERVICE_OFFSET_SECONDS) // 60 % _DAY_MINUTES
    length = random.choice(_LENGTHS_MINUTES)
    soon = random.choice((2, 20, 200))
    match random.choice(("none", "ending", "ending", "beginning", "any")):
        case "none":
            return ""
        case "ending":
            begin = now_minute + random.randint(1, soon) - length
        case "beginning":
            begin = now_minute + random.randint(1, soon)
        case _:
            begin = random.randrange(_DAY_MINUTES)
    return f"{_time_of_day(begin)}-{_time_of_day(begin + length)}"


def _time_of_day(minute: int) -> str:
    hours, minutes = divmod(minute % _DAY_MINUTES, 60)
    return f"{hours:02}:{minutes:02}"
