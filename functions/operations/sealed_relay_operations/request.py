"""What an operator asks for: the function's event."""

import re
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from sealed_relay_operations.reasons import FAILURES, PAUSES, WAITS

_FlowId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9]{8}\Z")]
_Reason = Annotated[str, Meta(pattern=r"^[A-Z][A-Z0-9_]{0,63}\Z")]
_Seconds = Annotated[int, Meta(ge=0)]
# Without this an operator could read an empty list as "no condition", which chooses everything.
_NotEmpty = Meta(min_length=1)

DEFAULT_MIN_AGE_SECONDS = 60
"""A message sent within 30 seconds of a failure is no retry to the relay: it shares the failure, and returns here."""

_ALLOWED = {
    "reasons": f"a list of one or more of {', '.join(sorted(FAILURES))}",
    "codes": "a list of one or more whole numbers, such as 213",
    "flow_ids": "a list of one or more flow ids, each of 8 letters or digits",
    "min_age_seconds": "a whole number of seconds, 0 or more",
    "max_age_seconds": "a whole number of seconds, not below `min_age_seconds`",
    "dry_run": "true or false",
    "messages_per_second": "a whole number from 1 to 100",
    "max_messages": "a whole number, 1 or more",
    "flow": "a flow id of 8 letters or digits; leave it out for the account",
    "reason": "1 to 64 capital letters, digits and underscores, such as MAINTENANCE, but no reason of the relay's own",
}
_LONE_SURROGATE = re.compile(r"[\ud800-\udfff]")
_JSON_TYPES = {
    "str": "a text",
    "int": "a whole number",
    "float": "a number with a fraction",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}


class InvalidRequestError(Exception):
    """The request is refused. Its text is one sentence: the field, what is wrong with it, and what is allowed."""


class Replay(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to choose and how to move it. An entry must fit every field given; of a list it must fit one item."""

    reasons: Annotated[frozenset[str], _NotEmpty] | None = None
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
        if not FAILURES.issuperset(self.reasons or ()):
            raise ValueError(f"In the request an item of `reasons` is unknown: allowed is {_ALLOWED['reasons']}.")
        if self.max_age_seconds is not None and self.max_age_seconds < self.min_age_seconds:
            raise ValueError(
                f"`max_age_seconds` is below `min_age_seconds`, which is {self.min_age_seconds}: no entry fits both."
            )

    def names(self, reason: str, code: int | None = None) -> bool:
        """Whether the operator asked for this reason by its name, or by its code."""
        return (self.reasons is not None and reason in self.reasons) or (self.codes is not None and code in self.codes)


class Pause(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Stop sending for a flow, or for the account if `flow` is empty."""

    flow: _FlowId = ""
    reason: _Reason

    def __post_init__(self) -> None:
        if self.reason in PAUSES | FAILURES | WAITS:
            raise ValueError(
                f"In the request `reason` is a reason of the relay's own: allowed is {_ALLOWED['reason']}."
            )


class Resume(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """End the pause of a flow, or of the account if `flow` is empty."""

    flow: _FlowId = ""


class Status(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Tell what is paused, and how many messages each queue has."""


Request = Replay | Pause | Resume | Status

_ACTIONS: dict[str, type[Request]] = {"replay": Replay, "pause": Pause, "resume": Resume, "status": Status}


def read_request(event: object) -> Request:
    """The request, checked. Raises InvalidRequestError."""
    if not isinstance(event, dict):
        raise InvalidRequestError("The request is no object: allowed is an object with the field `action`.")
    action = event.get("action")
    kind = _ACTIONS.get(action) if isinstance(action, str) else None
    if kind is None:
        problem = "has the wrong value" if "action" in event else "is missing"
        raise InvalidRequestError(f"In the request `action` {problem}: allowed is one of {', '.join(_ACTIONS)}.")
    if any(_LONE_SURROGATE.search(name) for name in event):  # neither msgspec nor Lambda can write it
        raise InvalidRequestError("The name of a field has a lone surrogate, which is half of a character.")
    fields: dict[str, Any] = {name: value for name, value in event.items() if name != "action"}
    try:
        return msgspec.convert(fields, kind)
    except msgspec.ValidationError as error:
        raise InvalidRequestError(_sentence(str(error), kind)) from None  # msgspec's text may hold an expression


def _sentence(why: str, kind: type[Request]) -> str:
    """One sentence for a person, made of msgspec's, such as "Expected `bool`, got `int` - at `$.dry_run`"."""
    if found := re.search(r"unknown field `(.*)`", why, re.DOTALL):
        fields = ", ".join(["action", *kind.__struct_fields__])
        return f"The request has the unknown field `{found[1]}`: allowed are {fields}."
    if found := re.search(r"missing required field `(\w+)`", why):
        return f"In the request `{found[1]}` is missing: allowed is {_ALLOWED[found[1]]}."
    path = re.search(r"`\$\.(\w+)(\[)?", why)
    if path is None:
        return why
    name, is_item = path.groups()
    subject = f"an item of `{name}`" if is_item else f"`{name}`"
    return f"In the request {subject} {_problem(why)}: allowed is {_ALLOWED[name]}."


def _problem(why: str) -> str:
    if "got `" in why:
        name = why.partition("got `")[2].partition("`")[0]
        return f"is {_JSON_TYPES.get(name, 'of another type')}"
    if "of length >= 1" in why:
        return "is empty"
    return "has the wrong form" if "`str`" in why else "is out of range"
