"""Checks one call of a request, and knows the test numbers: contact numbers that provoke a code."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from types import MappingProxyType
from typing import TypeGuard

from local.simulator.refusal import CODE_BY_NAME, RefusedError, refused
from sealed_relay.kairos.codes import CODES, Code, Scope

SERVICE_TIME_ZONE = timezone(timedelta(hours=5, minutes=30))
PARTIAL_SUCCESS = CODE_BY_NAME["PARTIAL_SUCCESS"]

# 910000000205 provokes 205, 910000000210 provokes 210, and so on for every code whose scope is a call.
TEST_NUMBERS: Mapping[str, Code] = MappingProxyType(
    {f"910000000{code.number}": code for code in CODES.values() if code.scope is Scope.CALL}
)

_CONTACT_NUMBER = re.compile(r"\+?[0-9]{10,15}")
_START_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{3})?\+05:30")


@dataclass(frozen=True, slots=True)
class Call:
    """A call that passed every check. `left_out` is true if a test number asks for a 209 that does not list it."""

    client_identifier: str
    left_out: bool


def check_call(call: object, now: datetime) -> Call:
    """Check a call and return what the simulator needs of it. Raise RefusedError if the API would refuse it.

    The order: mandatory parameters (210), contact numbers (205), start time and keys (400 for a wrong form, 210 for a
    past date), test numbers.
    """
    if not isinstance(call, dict):
        raise refused("INVALID_FORMAT")
    client_identifier, start_time = call.get("client-identifier"), call.get("start-time")
    contact_numbers = call.get("contact-numbers")
    number_to_quote = first_contact_number(call)
    if not (_is_filled_text(client_identifier) and _is_filled_text(start_time) and contact_numbers):
        raise refused("INVALID_MANDATORY_PARAMETERS", number_to_quote)
    if not isinstance(contact_numbers, list):
        raise refused("INVALID_FORMAT", number_to_quote)
    for number in contact_numbers:
        if not isinstance(number, str) or not _CONTACT_NUMBER.fullmatch(number):
            raise refused("INVALID_CONTACT_NUMBER", str(number))
    # The code for a past date is not documented. 210 fits: a mandatory parameter has the right form and a forbidden
    # value. 211 does not: its scope is the account.
    if _start_date(start_time, number_to_quote) < now.astimezone(SERVICE_TIME_ZONE).date():
        raise refused("INVALID_MANDATORY_PARAMETERS", number_to_quote)
    if not _are_keys(call.get("keys", [])):
        raise refused("INVALID_FORMAT", number_to_quote)
    return Call(client_identifier, left_out=_left_out(contact_numbers))


def first_contact_number(call: object) -> str | None:
    """Return the contact number that a refusal quotes if no single number is at fault; None if there is no number."""
    match call:
        case {"contact-numbers": [str() as number, *_]}:
            return number
        case _:
            return None


def _is_filled_text(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and bool(value)


def _start_date(start_time: str, number_to_quote: str | None) -> date:
    if not _START_TIME.fullmatch(start_time):
        raise refused("INVALID_FORMAT", number_to_quote)
    try:
        return datetime.fromisoformat(start_time).date()
    except ValueError as error:
        raise refused("INVALID_FORMAT", number_to_quote) from error


def _are_keys(keys: object) -> bool:
    return isinstance(keys, list) and all(_is_key(key) for key in keys)


def _is_key(key: object) -> bool:
    match key:
        case {"name": str() as name, "value": str()}:
            return name.removeprefix("$flow.key.") not in {"", name}
        case _:
            return False


def _left_out(contact_numbers: list[str]) -> bool:
    provoked = [(TEST_NUMBERS.get(number.removeprefix("+")), number) for number in contact_numbers]
    for code, number in provoked:
        if code is not None and code is not PARTIAL_SUCCESS:
            raise RefusedError(code, number)
    return any(code is PARTIAL_SUCCESS for code, _ in provoked)
