"""What the API checks in each call, and the test numbers: contact numbers that provoke a code."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from types import MappingProxyType
from typing import TypeGuard

from local.simulator.refusal import CODE_NAMED, RefusedError, refused
from sealed_relay.kairos.codes import CODES, Code, Scope

SERVICE_TIME_ZONE = timezone(timedelta(hours=5, minutes=30))
PARTIAL_SUCCESS = CODE_NAMED["PARTIAL_SUCCESS"]

# 910000000205 provokes 205, 910000000210 provokes 210, and so on for every code that is about a call.
TEST_NUMBERS: Mapping[str, Code] = MappingProxyType(
    {f"910000000{code.number}": code for code in CODES.values() if code.scope is Scope.CALL}
)

_CONTACT_NUMBER = re.compile(r"\+?[0-9]{10,15}")
_START_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\+05:30")


@dataclass(frozen=True, slots=True)
class Call:
    """A call that passed every check; `left_out` when a test number asks that 209 does not list it."""

    client_identifier: str
    left_out: bool


def checked_call(call: object, now: datetime) -> Call:
    """Return what the simulator needs of a call, or raise RefusedError.

    In order: mandatory parameters (210), contact numbers (205), start time and keys (400 for their
    form, 210 for a date that is over), test numbers.
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
    # Which code an earlier date gets is not documented. 210, since a mandatory parameter's value is not
    # allowed while its form is right; not 211, whose scope is the account: the account's own validity.
    if _start_date(start_time, number_to_quote) < now.astimezone(SERVICE_TIME_ZONE).date():
        raise refused("INVALID_MANDATORY_PARAMETERS", number_to_quote)
    if not _are_keys(call.get("keys", [])):
        raise refused("INVALID_FORMAT", number_to_quote)
    return Call(client_identifier, left_out=_left_out(contact_numbers))


def first_contact_number(call: object) -> str | None:
    """Return the number that a refusal quotes when the fault is not in one number, if there is any."""
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
