"""The check of single fields: a text that breaks its rule is refused, and the sentence says how. Pure."""

import re
from collections.abc import Sequence
from datetime import datetime
from difflib import get_close_matches
from typing import Any

from sealed_relay.calls.invalid_message import InvalidMessageError, kind_of
from sealed_relay.calls.schema import (
    CONTACT_NUMBER,
    FLOW_ID,
    FLOW_ID_LENGTH,
    FLOW_VARIABLE,
    MAX_CLIENT_IDENTIFIER_LENGTH,
    MAX_DIGITS,
    MAX_TIME_LENGTH,
    MIN_DIGITS,
    TIME,
    YEAR_OUT_OF_RANGE,
)
from sealed_relay.calls.wrapping import FieldTwice

_FLOW_ID = re.compile(FLOW_ID)
_CONTACT_NUMBER = re.compile(CONTACT_NUMBER)
_FLOW_VARIABLE = re.compile(FLOW_VARIABLE)
_LETTER = re.compile(r"[^\W\d_]")
_TIME = re.compile(TIME)
_YEAR_OUT_OF_RANGE = re.compile(f"(?:{YEAR_OUT_OF_RANGE}|[+-]?[0-9]{{5,}})-")
_FIELD_NAME = re.compile("[A-Za-z_-]+")
_SURROGATE = re.compile(r"[\ud800-\udfff]")

_IS_CLOSE = 0.75

_FLOW_ID_RULE = "8 letters or digits are allowed"
_CLIENT_IDENTIFIER_RULE = "1 to 128 printable characters are allowed"
_CONTACT_NUMBER_RULE = "10 to 15 digits with an optional leading + are allowed"
_FLOW_VARIABLE_RULE = "`$flow.key.` and the variable's name, on one line, are allowed"
_TIME_RULE = "ISO 8601 with an offset is allowed, as in 2026-11-23T10:30:00+05:30"


def check_object(value: Any, what: str, known: Sequence[str], required: Sequence[str]) -> dict[str, Any]:  # noqa: ANN401
    """`value` as an object with no field but the known ones, each once, and with all required ones."""
    if isinstance(value, FieldTwice):
        name = f"`{value.field}`" if value.field in known else "a field"
        raise InvalidMessageError(f"{name} is written twice; each field is allowed once")
    if not isinstance(value, dict):
        raise InvalidMessageError(f"{what} is {kind_of(value)}; an object with {_listed(known)} is allowed")
    if not value.keys() <= set(known):
        raise InvalidMessageError(_unknown_field(next(name for name in value if name not in known), known))
    for name in required:
        if name not in value:
            raise InvalidMessageError(f"`{name}` is missing; it is required")
    return value


def check_list(value: Any, field: str, min_length: int = 0) -> list[Any]:  # noqa: ANN401
    """`value` as a list that is long enough."""
    if not isinstance(value, list):
        raise InvalidMessageError(f"`{field}` is {kind_of(value)}; a list is allowed")
    if len(value) < min_length:
        raise InvalidMessageError(f"`{field}` is empty; {min_length} or more are allowed")
    return value


def check_flow_id(value: Any) -> str:  # noqa: ANN401
    """`value` as a flow id."""
    text = _text(value, "flow-id", _FLOW_ID_RULE)
    if not _FLOW_ID.fullmatch(text):
        problem = (
            _length_problem(len(text), FLOW_ID_LENGTH, FLOW_ID_LENGTH, "characters")
            or "has other characters than the letters A to Z and a to z and the digits 0 to 9"
        )
        raise InvalidMessageError(f"`flow-id` {problem}; {_FLOW_ID_RULE}")
    return text


def check_client_identifier(value: Any) -> str:  # noqa: ANN401
    """`value` as a client identifier."""
    text = _text(value, "client-identifier", _CLIENT_IDENTIFIER_RULE)
    problem = _length_problem(len(text), 1, MAX_CLIENT_IDENTIFIER_LENGTH, "characters")
    if not problem and not text.isprintable():
        problem = _surrogate_problem(text) or "has a character that cannot be printed"
    if problem:
        raise InvalidMessageError(f"`client-identifier` {problem}; {_CLIENT_IDENTIFIER_RULE}")
    return text


def check_contact_number(value: Any) -> None:  # noqa: ANN401
    """That `value` is a contact number."""
    if not isinstance(value, str) or not _CONTACT_NUMBER.fullmatch(value):
        problem = _contact_number_problem(value) if isinstance(value, str) else f"is {kind_of(value)}, not text"
        raise InvalidMessageError(f"the number {problem}; {_CONTACT_NUMBER_RULE}")


def check_flow_variable(value: Any) -> None:  # noqa: ANN401
    """That `value` is an object's `name` and `value`."""
    variable = check_object(value, "the flow variable", ("name", "value"), ("name", "value"))
    name = _text(variable["name"], "name", _FLOW_VARIABLE_RULE)
    text = _text(variable["value"], "value", "text is allowed")
    for field, each in (("name", name), ("value", text)):
        if not each.isascii() and (problem := _surrogate_problem(each)):
            raise InvalidMessageError(f"`{field}` {problem}; whole characters are allowed")
    if not _FLOW_VARIABLE.fullmatch(name):
        if not name.startswith("$flow.key."):
            problem = "does not begin with `$flow.key.`"
        elif name == "$flow.key.":
            problem = "has nothing after `$flow.key.`"
        else:
            problem = "has a line break"
        raise InvalidMessageError(f"`name` {problem}; {_FLOW_VARIABLE_RULE}")


def check_time(value: Any, field: str) -> datetime:  # noqa: ANN401
    """`value` as a time with an offset."""
    text = _text(value, field, _TIME_RULE)
    problem = _length_problem(len(text), 1, MAX_TIME_LENGTH, "characters")
    if not problem and _TIME.fullmatch(text):
        return datetime.fromisoformat(text)
    if not problem and _YEAR_OUT_OF_RANGE.match(text):
        raise InvalidMessageError(f"`{field}` has a year out of range; the years 0002 to 9998 are allowed")
    is_without_offset = _TIME.fullmatch(f"{text}Z") or _TIME.fullmatch(f"{text}T00Z")
    problem = problem or ("has no offset from UTC" if is_without_offset else "is not a time")
    raise InvalidMessageError(f"`{field}` {problem}; {_TIME_RULE}")


def is_like_contact_number(text: str) -> bool:
    """Whether a text could be a contact number, which no sentence may quote."""
    return _CONTACT_NUMBER.fullmatch(text) is not None


def _contact_number_problem(text: str) -> str:
    digits = text.removeprefix("+")
    if _LETTER.search(text):
        return "has letters"
    if "+" in digits:
        return "has a + after its beginning"
    if digits and not (digits.isascii() and digits.isdigit()):
        return "has other characters than the digits 0 to 9"
    return _length_problem(len(digits), MIN_DIGITS, MAX_DIGITS, "digits")


def _text(value: Any, field: str, rule: str) -> str:  # noqa: ANN401
    if not isinstance(value, str):
        raise InvalidMessageError(f"`{field}` is {kind_of(value)}, not text; {rule}")
    return value


def _length_problem(length: int, min_length: int, max_length: int, unit: str) -> str:
    if length == 0 and min_length == 1:
        return "is empty"
    if length < min_length:
        return f"is too short: {length} of at least {min_length} {unit}"
    return f"is too long: {length} of at most {max_length} {unit}" if length > max_length else ""


def _surrogate_problem(text: str) -> str:
    return "has a lone surrogate, which is half of a character" if _SURROGATE.search(text) else ""


def _unknown_field(name: str, known: Sequence[str]) -> str:
    """A name is told only if it is near to a known one. Any other may be a contact number or a customer's name."""
    if len(name) <= max(map(len, known)) and _FIELD_NAME.fullmatch(name):
        close = get_close_matches(name.lower(), known, n=1, cutoff=_IS_CLOSE)
        if close:
            return f"`{name}` is an unknown field; did you mean `{close[0]}`?"
    return f"there is an unknown field; {_listed(known)} are allowed"


def _listed(names: Sequence[str]) -> str:
    *others, last = (f"`{name}`" for name in names)
    return f"{', '.join(others)} and {last}"
