"""The queue message as producers write it: one definition, for the check and for the published JSON Schema."""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

# `$` alone would let a final line feed through; JSON Schema has no `\Z`.
_CONTACT_NUMBER = r"^\+?[0-9]{10,15}$(?!\n)"
_FLOW_VARIABLE = r"^\$flow\.key\..+$(?!\n)"
_NO_CONTROL_CHARACTERS = "^[^\\u0000-\\u001f\\u007f-\\u009f]+$(?!\\n)"

FlowId = Annotated[str, Meta(pattern="^[A-Za-z0-9]{8}$", max_length=8, description="8 letters or digits.")]
_Instant = Annotated[str, Meta(description="ISO 8601 with an offset.", extra_json_schema={"format": "date-time"})]


class FlowVariable(Struct, forbid_unknown_fields=True):
    """A flow variable."""

    name: Annotated[str, Meta(pattern=_FLOW_VARIABLE)]
    value: str


class WrittenCall(Struct, rename="kebab", forbid_unknown_fields=True):
    """A call to place. `flow-id` and `client-identifier` are its identity: it is delivered at most once."""

    client_identifier: Annotated[str, Meta(pattern=_NO_CONTROL_CHARACTERS, max_length=128)]
    contact_numbers: Annotated[list[Annotated[str, Meta(pattern=_CONTACT_NUMBER)]], Meta(min_length=1)]
    start_time: _Instant | UnsetType = UNSET
    keys: list[FlowVariable] = []
    not_after: _Instant | UnsetType = UNSET


class WrittenMessage(Struct, rename="kebab", forbid_unknown_fields=True):
    """What a producer puts on the ingress queue: bare, in an SNS notification or in an EventBridge event's detail."""

    flow_id: FlowId
    calls: Annotated[list[WrittenCall], Meta(min_length=1)]


def json_schema() -> str:
    """The JSON Schema of the bare queue message, made from the very types that messages are checked with."""
    schema = msgspec.json.schema(WrittenMessage)
    return msgspec.json.format(msgspec.json.encode(schema), indent=2).decode()
