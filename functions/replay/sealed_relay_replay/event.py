"""What an operator asks a run for: the function's event."""

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

UNRESOLVED = "UNRESOLVED"
INVALID_MESSAGE = "INVALID_MESSAGE"
REDRIVEN = "REDRIVEN"
"""The name of what SQS itself moved to the failure queue, which no reason stands beside."""

_Reason = Annotated[str, Meta(pattern=r"^[A-Z][A-Z_]*\Z", max_length=64)]
_FlowId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9]{8}\Z")]
_Seconds = Annotated[int, Meta(ge=0)]
# An empty list would choose nothing, and be taken for no list, which chooses everything.
_NotEmpty = Meta(min_length=1)


class InvalidEventError(Exception):
    """The event asks for nothing that can be done. Its text is one sentence: the field, and what is allowed."""


class Event(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An entry is asked for if it fits every field that is given; of a list, any one item."""

    reasons: Annotated[frozenset[_Reason], _NotEmpty] | None = None
    codes: Annotated[frozenset[int], _NotEmpty] | None = None
    flow_ids: Annotated[frozenset[_FlowId], _NotEmpty] | None = None
    min_age_seconds: _Seconds = 0
    max_age_seconds: _Seconds | None = None
    dry_run: bool = True
    messages_per_second: Annotated[int, Meta(ge=1, le=100)] = 10
    """Far below what the queues bear: it leaves time to look at what becomes of the first ones."""
    max_messages: Annotated[int, Meta(ge=1)] | None = None
    """Not to be exceeded by what is moved; in a dry run, by what would be."""

    def __post_init__(self) -> None:
        if self.max_age_seconds is not None and self.max_age_seconds < self.min_age_seconds:
            raise ValueError("`max_age_seconds` is below `min_age_seconds`, and no age is both")

    def names(self, reason: str) -> bool:
        """Whether the operator asked for this reason by its name."""
        return self.reasons is not None and reason in self.reasons


def read_event(event: object) -> Event:
    """The event, checked. Raises InvalidEventError."""
    try:
        return msgspec.convert(event, Event)
    except msgspec.ValidationError as error:
        # msgspec names the field and the rule, and no value.
        allowed = ", ".join(field.name for field in msgspec.structs.fields(Event))
        raise InvalidEventError(f"The event cannot be read: {error}; the fields allowed are {allowed}.") from error
