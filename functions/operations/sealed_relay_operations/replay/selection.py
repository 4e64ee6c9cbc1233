"""Which entries a run moves. Pure."""

from collections.abc import Mapping
from enum import Enum, auto
from types import MappingProxyType

from sealed_relay_operations.reasons import (
    CLIENT_IDENTIFIER_REUSED,
    EXPIRED,
    INVALID_MESSAGE,
    REDRIVEN,
    TOO_LARGE,
    UNRESOLVED,
)
from sealed_relay_operations.replay.entry import Entry
from sealed_relay_operations.request import Replay

DELIVERED = frozenset({"ACCEPTED", "PRESUMED_ACCEPTED"})
"""The statuses of calls that the API took. The relay never sends these calls again."""
_COMPARED_BY_THE_RELAY_ONLY = frozenset({CLIENT_IDENTIFIER_REUSED, REDRIVEN})
"""The records found for such an entry may be those of other calls, which had the same identifiers.

Only the relay compares contents. It acknowledges a delivered call that is the same, and refuses one that is another.
"""
_CANNOT_SUCCEED = frozenset({INVALID_MESSAGE, EXPIRED, TOO_LARGE})
"""A message with one of these would most likely fail again. The operator must name the reason or the code."""
NO_STATUSES: Mapping[str, str] = MappingProxyType({})


class Choice(Enum):
    """What a run does with an entry. All entries but those to MOVE stay in the failure queue."""

    MOVE = auto()
    NOT_ASKED_FOR = auto()
    """The entry does not fit the request."""
    TOO_YOUNG = auto()
    """The entry fits the request, but it is younger than its `min_age_seconds`, or came after the run began."""
    UNRESOLVED = auto()
    """One of its calls may have been delivered, and the operator did not ask for UNRESOLVED by name."""
    DELIVERED = auto()
    """The records of all its calls say that they were delivered."""
    IDENTIFIER_REUSED = auto()
    """Its calls have the identifiers of other calls. The operator did not ask for CLIENT_IDENTIFIER_REUSED by name."""


def choose(request: Replay, entry: Entry, began_at: float, statuses: Mapping[str, str] = NO_STATUSES) -> Choice:
    """What to do with the entry. `began_at` is when the run began, in seconds since 1970.

    `statuses` are those of the calls that have a record, by call id. They can turn MOVE into UNRESOLVED or DELIVERED,
    and change nothing else.
    """
    # Ages count from the beginning of the run: a call that this run moves and that fails again is too young for it.
    age_seconds = began_at - entry.sent_at
    if not _fits(request, entry, age_seconds):
        return Choice.NOT_ASKED_FOR
    if age_seconds < request.min_age_seconds:
        return Choice.TOO_YOUNG
    if entry.reason == CLIENT_IDENTIFIER_REUSED and not request.names(CLIENT_IDENTIFIER_REUSED):
        return Choice.IDENTIFIER_REUSED
    its_statuses = [statuses.get(call_id) for call_id in entry.calls.call_ids]
    # A record may say UNRESOLVED although this entry has another reason: another message with the same call ended so.
    # The relay would send the call again, because to the relay this entry is a retry that somebody wants.
    if not request.names(UNRESOLVED) and UNRESOLVED in (entry.reason, *its_statuses):
        return Choice.UNRESOLVED
    if entry.reason not in _COMPARED_BY_THE_RELAY_ONLY and its_statuses and DELIVERED.issuperset(its_statuses):
        return Choice.DELIVERED
    return Choice.MOVE


def _fits(request: Replay, entry: Entry, age_seconds: float) -> bool:
    """Whether the entry fits each field of the request except `min_age_seconds`."""
    return (
        (request.reasons is None or entry.reason in request.reasons)
        and (entry.reason not in _CANNOT_SUCCEED or request.names(entry.reason, entry.code))
        and (request.codes is None or entry.code in request.codes)
        and (request.flow_ids is None or entry.calls.flow_id in request.flow_ids)
        and (request.max_age_seconds is None or age_seconds <= request.max_age_seconds)
    )
