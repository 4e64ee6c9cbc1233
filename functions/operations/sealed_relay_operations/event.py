"""What an operator asks a run for: the function's event."""

import re
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

_Reason = Annotated[str, Meta(pattern=r"^[A-Z][A-Z_]*\Z", max_length=64)]
_FlowId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9]{8}\Z")]
_Seconds = Annotated[int, Meta(ge=0)]
# Without this an operator could read an empty list as "no condition", which chooses everything.
_NotEmpty = Meta(min_length=1)

DEFAULT_MIN_AGE_SECONDS = 60
"""A message sent within 30 seconds of a failure is no retry to the relay: it shares the failure, and returns here."""

_ALLOWED = {
    "reasons": "a list of one or more reasons in capital letters, such as NO_DATA_AVAILABLE",
    "codes": "a list of one or more whole numbers, such as 213",
    "flow_ids": "a list of one or more flow ids, each of 8 letters or digits",
    "min_age_seconds": "a whole number of seconds, 0 or more",
    "max_age_seconds": "a whole number of seconds, not below `min_age_seconds`",
    "dry_run": "true or false",
    "messages_per_second": "a whole number from 1 to 100",
    "max_messages": "a whole number, 1 or more",
}
_JSON_TYPES = {
    "str": "a text",
    "int": "a whole number",
    "float": "a number with a fraction",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}


class InvalidEventError(Exception):
    """The event is refused. Its text is one sentence: the field, what is wrong with it, and what is allowed."""


class Event(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to choose and how to move it. An entry must fit every field given; of a list it must fit one item."""

    reasons: Annotated[frozenset[_Reason], _NotEmpty] | None = None
    codes: Annotated[frozenset[int], _NotEmpty] | None = None
    flow_ids: Annotated[frozenset[_FlowId], _NotEmpty] | None = None
    min_age_seconds: _Seconds = DEFAULT_MIN_AGE_SECONDS
    max_age_seconds: _Seconds | None = None
    dry_run: bool = True
    messages_per_second: Annotated[int, Meta(ge=1, le=100)] = 10
    """The default is far below what the queues can take, so that an operator can watch the first calls and react."""
    max_messages: Annotated[int, Meta(ge=1)] | None = None
    """The run chooses no more entries than this."""

    def __post_init__(self) -> None:
        if self.max_age_seconds is not None and self.max_age_seconds < self.min_age_seconds:
            raise ValueError(
                f"`max_age_seconds` is below `min_age_seconds`, which is {self.min_age_seconds}: no entry fits both."
            )

    def names(self, reason: str) -> bool:
        """Whether the operator asked for this reason by its name."""
        return self.reasons is not None and reason in self.reasons


def read_event(event: object) -> Event:
    """The event, checked. Raises InvalidEventError."""
    try:
        return msgspec.convert(event, Event)
    except msgspec.ValidationError as error:
        raise InvalidEventError(_sentence(str(error))) from None  # msgspec's text may hold a regular expression


def _sentence(why: str) -> str:
    """One sentence for a person, made of msgspec's, such as "Expected `bool`, got `int` - at `$.dry_run`"."""
    path = re.search(r"`\$\.(\w+)(\[)?", why)
    if path is None:
        fields = ", ".join(_ALLOWED)
        if found := re.search(r"unknown field `(.*)`", why):
            return f"The event has the unknown field `{found[1]}`: allowed are {fields}."
        if "got `" in why:
            return f"The event is {_json_type(why)}: allowed is an object with any of the fields {fields}."
        return why
    name, is_item = path.groups()
    subject = f"an item of `{name}`" if is_item else f"`{name}`"
    return f"In the event {subject} {_problem(why)}: allowed is {_ALLOWED[name]}."


def _problem(why: str) -> str:
    if "got `" in why:
        return f"is {_json_type(why)}"
    if "of length >= 1" in why:
        return "is empty"
    return "has the wrong form" if "`str`" in why else "is out of range"


def _json_type(why: str) -> str:
    name = why.partition("got `")[2].partition("`")[0]
    return _JSON_TYPES.get(name, "of another type")
