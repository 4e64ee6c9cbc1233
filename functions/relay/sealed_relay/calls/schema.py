"""The rules of a queue message's fields: one definition, for the relay's check and for the published JSON Schema."""

from typing import Any

import msgspec

MESSAGE_FIELDS = ("flow-id", "calls")
CALL_FIELDS = ("client-identifier", "contact-numbers", "start-time", "keys", "not-after")
REQUIRED_CALL_FIELDS = ("client-identifier", "contact-numbers")
FLOW_VARIABLE_FIELDS = ("name", "value")

FLOW_ID_LENGTH = 8
MAX_CLIENT_IDENTIFIER_LENGTH = 128
MIN_DIGITS, MAX_DIGITS = 10, 15

# Each pattern means the same to Python and to JSON Schema (ECMA 262), and matches the whole text.
FLOW_ID = "[A-Za-z0-9]{8}"
CONTACT_NUMBER = rf"\+?[0-9]{{{MIN_DIGITS},{MAX_DIGITS}}}"
FLOW_VARIABLE = r"\$flow\.key\.[^\n\r\u2028\u2029]+"
_NO_CONTROL_CHARACTERS = r"[^\u0000-\u001f\u007f-\u009f]+"


def json_schema() -> str:
    """The JSON Schema of the bare queue message.

    It cannot express these rules: the relay wants printable characters in a `client-identifier`, and each one once in a
    message; times with an offset, and `not-after` not before `start-time`; each field once in an object.
    """
    flow_variable = {
        "title": "FlowVariable",
        "description": "A flow variable.",
        "type": "object",
        "properties": {"name": _text(FLOW_VARIABLE), "value": {"type": "string"}},
        "required": FLOW_VARIABLE_FIELDS,
        "additionalProperties": False,
    }
    time = {"description": "ISO 8601 with an offset.", "type": "string", "format": "date-time"}
    call = {
        "title": "Call",
        "description": "A call to place. `flow-id` and `client-identifier` are its identity: it is delivered at most "
        "once.",
        "type": "object",
        "properties": {
            "client-identifier": _text(_NO_CONTROL_CHARACTERS)
            | {"description": "1 to 128 printable characters.", "maxLength": MAX_CLIENT_IDENTIFIER_LENGTH},
            "contact-numbers": {"type": "array", "items": _text(CONTACT_NUMBER), "minItems": 1},
            "start-time": time,
            "keys": {"type": "array", "items": flow_variable, "default": []},
            "not-after": time,
        },
        "required": REQUIRED_CALL_FIELDS,
        "additionalProperties": False,
    }
    message = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Message",
        "description": "What a producer puts on a queue: bare, in an SNS notification or in an EventBridge event's "
        "detail. One bad call refuses its whole message.",
        "type": "object",
        "properties": {
            "flow-id": _text(FLOW_ID) | {"description": "8 letters or digits."},
            "calls": {"type": "array", "items": call, "minItems": 1},
        },
        "required": MESSAGE_FIELDS,
        "additionalProperties": False,
    }
    return msgspec.json.format(msgspec.json.encode(message), indent=2).decode()


def _text(pattern: str) -> dict[str, Any]:
    # Python's `$` alone would let a final line feed through; JSON Schema has no `\Z`.
    return {"type": "string", "pattern": rf"^{pattern}$(?!\n)"}
