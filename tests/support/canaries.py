"""Personal data and secrets that cannot be mistaken for anything else, and the search for them in any spelling."""

import base64
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from types import MappingProxyType
from urllib.parse import quote, quote_plus

from cryptography.hazmat.primitives.asymmetric import rsa

from tests.support.flows import private_pem, public_pem, rsa_key
from tests.support.messages import message_body

NUMBER = "917390461528"
ALTERNATE_NUMBER = "+4915738204691"
NUMBER_IN_GROUPS = "91-7390-461-529"
REFUSED_NUMBER = "910000000205"  # one of the simulator's test numbers, which its answer quotes
VARIABLE_NAME = "$flow.key.canaryVariable"
VARIABLE_VALUE = 'Zoë "Kanarienvogel" & Söhne/7%'
NAME = "Kanarienvogel"
SECURITY_ID = "CanarySecurityId" * 4

KEYS = [{"name": VARIABLE_NAME, "value": VARIABLE_VALUE}]


def message_of(flow_id: str, *names: str, number: str = NUMBER, **fields: object) -> str:
    """A bare queue message full of canaries. Fields of the calls are given with underscores for dashes."""
    content: dict[str, object] = {"contact_numbers": [number, ALTERNATE_NUMBER], "keys": KEYS}
    return message_body(*names, flow_id=flow_id, **content | fields)


UNREADABLE: Mapping[str, str] = MappingProxyType(
    {
        "no JSON": f"call {NUMBER}, {VARIABLE_VALUE}",
        "broken JSON": message_of("ALERTS01", "broken")[:-2],
        "a number of another form": message_of("ALERTS01", "form", number=NUMBER_IN_GROUPS),
        "a number as the flow": message_of(NUMBER, "flow"),
        "a number as a time": message_of("ALERTS01", "time", not_after=NUMBER),
        "variables by name": message_of("ALERTS01", "by-name", keys={VARIABLE_NAME: VARIABLE_VALUE}),
        "an unknown field with a value": message_of("ALERTS01", "value", contact_number=NUMBER),
        "a number as the name of a field": message_of("ALERTS01", "field", **{NUMBER: ""}),
        "a number in groups as the name of a field": json.dumps({NUMBER_IN_GROUPS: 1}),
        "a name as the name of a field": message_of("ALERTS01", "field", **{NAME: NUMBER}),
        "a name as the name of a variable's field": message_of("ALERTS01", "field", keys=[{**KEYS[0], NAME: ""}]),
        "a variable as the name of a field": message_of("ALERTS01", "field", **{VARIABLE_VALUE: ""}),
        "a security id as the name of a field": message_of("ALERTS01", "field", **{SECURITY_ID: ""}),
    }
)
"""Messages that are none, by what is wrong with them."""


def flow_secret(**fields: object) -> str:
    """A flow's secret full of canaries. Fields are given with underscores for dashes."""
    secret = {"security-id": SECURITY_ID, "public-key": public_pem(rsa_key())}
    return json.dumps(secret | {name.replace("_", "-"): value for name, value in fields.items()})


UNUSABLE_SECRETS: Mapping[str, str] = MappingProxyType(
    {
        "BADJSON1": flow_secret()[:-1],
        "BADSECID": flow_secret(security_id=SECURITY_ID + "!"),
        "BADFIELD": flow_secret(**{SECURITY_ID: 1}),
        "BADWRAP1": flow_secret(key_wrap=SECURITY_ID),
        "BADKEY01": flow_secret(public_key=private_pem(rsa_key())),
        "BADKEY02": flow_secret(public_key=SECURITY_ID),
    }
)
"""Secrets that break the contract, by the flow."""


def found_in(*texts: str, beside: Iterable[str] = ()) -> list[str]:
    """The canaries, and what is given `beside` them, that stand somewhere in these texts in any spelling."""
    wanted = {*_CANARIES, *beside}
    return sorted(canary for canary in wanted if any(form in text for form in _spellings(canary) for text in texts))


def text_of(value: object) -> str:
    """Any value as text to search; bytes as they are, and inflated where they can be."""
    if isinstance(value, bytes):
        return value.decode("latin-1") + _inflated(value)
    if isinstance(value, Mapping):
        return "\n".join(f"{text_of(name)}: {text_of(inner)}" for name, inner in value.items())
    return str(value)


def _inflated(data: bytes) -> str:
    try:
        return "\n" + zlib.decompress(data).decode("latin-1")
    except zlib.error:
        return ""


@cache
def _spellings(text: str) -> frozenset[str]:
    escaped = (text, json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1])
    twice = {json.dumps(form, ensure_ascii=ascii_only)[1:-1] for form in escaped for ascii_only in (True, False)}
    return frozenset(spelling for form in {*escaped, *twice} for spelling in _encoded(form))


def _encoded(text: str) -> Iterator[str]:
    data = text.encode()
    yield from (text, data.decode("latin-1"), repr(text)[1:-1], repr(data)[2:-1])
    yield from (quote(text), quote(text, safe=""), quote_plus(text), data.hex(), data.hex().upper())
    for form in _in_base64(data):
        yield form
        yield form.translate(str.maketrans("+/", "-_"))
        yield from _in_base64(form.encode())


def _in_base64(data: bytes) -> Iterator[str]:
    """What base64 of a text that holds `data` somewhere must hold: the same data at each of the three offsets."""
    for offset in range(3):
        encoded = base64.b64encode(bytes(offset) + data).decode()
        yield encoded[-(-offset * 8 // 6) : (offset + len(data)) * 8 // 6]


def _of_key(key: rsa.RSAPrivateKey) -> Iterator[str]:
    """Lines from the middle of both PEM texts, which say nothing but this key, and what the key is made of."""
    yield public_pem(key).splitlines()[3]
    yield private_pem(key).splitlines()[5]
    numbers = key.private_numbers()
    yield from (str(numbers.public_numbers.n), f"{numbers.public_numbers.n:x}", str(numbers.d), f"{numbers.d:x}")


_CANARIES = (
    *(NUMBER, ALTERNATE_NUMBER.removeprefix("+"), NUMBER_IN_GROUPS, REFUSED_NUMBER),
    *(VARIABLE_NAME.removeprefix("$flow.key."), VARIABLE_VALUE, NAME, SECURITY_ID),
    *_of_key(rsa_key()),
)
