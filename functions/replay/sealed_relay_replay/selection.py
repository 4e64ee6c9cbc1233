"""Which entries a run moves. Pure."""

from collections.abc import Mapping
from enum import Enum, auto

from sealed_relay_replay.entry import Entry
from sealed_relay_replay.event import INVALID_MESSAGE, UNRESOLVED, Event

DELIVERED = frozenset({"ACCEPTED", "PRESUMED_ACCEPTED"})
"""Statuses of calls that the API has: the relay would acknowledge them, and send nothing."""


class Choice(Enum):
    """What a run does with an entry."""

    MOVE = auto()
    WITHHOLD = auto()
    """A call of it may have been delivered, and nobody asked for such by name."""
    LEAVE_DELIVERED = auto()
    """There is nothing in it to send."""
    LEAVE = auto()
    """It was not asked for."""


def is_asked_for(event: Event, entry: Entry, began_at: float) -> bool:
    """Whether the entry fits the event's fields. Its age counts at the beginning of the run, in seconds since 1970.

    So what failed only since then is too young for any run: a call that is moved and fails again stays put.
    """
    age_seconds = began_at - entry.sent_at
    return (
        # Unreadable is unreadable again, so that takes a name too.
        (event.names(entry.reason) if event.reasons else entry.reason != INVALID_MESSAGE)
        and (event.codes is None or entry.code in event.codes)
        and (event.flow_ids is None or entry.calls.flow_id in event.flow_ids)
        and event.min_age_seconds <= age_seconds
        and (event.max_age_seconds is None or age_seconds <= event.max_age_seconds)
    )


def choose(event: Event, entry: Entry, began_at: float, statuses: Mapping[str, str]) -> Choice:
    """What to do with the entry, given the statuses of its calls as far as they are on record, by call id."""
    if not is_asked_for(event, entry, began_at):
        return Choice.LEAVE
    its_statuses = [statuses.get(call_id) for call_id in entry.calls.call_ids]
    # An entry of any other reason may hold a call that another message has brought to this end meanwhile. The relay
    # would send it: to it, a message that was sent after the end is somebody's wish.
    if not event.names(UNRESOLVED) and UNRESOLVED in (entry.reason, *its_statuses):
        return Choice.WITHHOLD
    if its_statuses and DELIVERED.issuperset(its_statuses):
        return Choice.LEAVE_DELIVERED
    return Choice.MOVE
