"""From the text of a body to the JSON value of its queue message, out of an SNS or EventBridge wrapping. Pure.

The standard library's decoder costs 1.4 µs a call more than msgspec's, but it shows a field that is written twice.
"""

import json
from collections import Counter
from typing import Any, NamedTuple

from sealed_relay.calls.invalid_message import InvalidMessageError, kind_of

SNS_NOTIFICATION = "the SNS notification"
EVENT_BRIDGE_EVENT = "the EventBridge event"

_BYTE_ORDER_MARK = "\ufeff"
_PROBLEMS = {
    "Extra data": "more text follows the end of the JSON value",
    "Invalid \\": "a backslash begins no valid escape",
    "Invalid control character": "a control character is not escaped",
    "Unterminated string": "a text begins that does not end",
}
"""What the decoder's errors mean, by how they begin."""


def unwrap(body: str) -> tuple[Any, str]:
    """The JSON value that stands for the queue message, and the wrapping around it ("" if there is none).

    Raises InvalidMessageError for what is not JSON, for a wrapping inside a wrapping, and for a well-known message of
    AWS that carries no queue message.
    """
    outer = decode(body, "the body")
    match outer:
        case {"Type": "Notification", "Message": str(text)}:
            wrapping = SNS_NOTIFICATION
            try:
                inner = decode(text, "`Message`")
            except InvalidMessageError as error:
                raise error.within(wrapping) from None
        case {"Type": "Notification", "Message": other}:
            raise InvalidMessageError(f"`Message` is {kind_of(other)}; text is allowed", SNS_NOTIFICATION)
        case {"detail-type": _, "detail": inner}:
            wrapping = EVENT_BRIDGE_EVENT
        case _:
            if name := _well_known(outer):
                raise InvalidMessageError(
                    f"this is {name}; a queue message is allowed, bare, in an SNS notification or in an EventBridge "
                    "event"
                )
            return outer, ""
    if name := _well_known(inner):
        raise InvalidMessageError(f"this is {name}; a queue message is allowed, in one wrapping at most", wrapping)
    return inner, wrapping


def _well_known(value: Any) -> str:  # noqa: ANN401 - any JSON value
    """The name of a message that another service makes, "" for any other value.

    The fields are those of the documentation of SNS, EventBridge and S3, and of the CloudEvents specification 1.0.
    """
    match value:
        case {"Type": "Notification", "Message": _}:
            name = "an SNS notification"
        case {"Type": "SubscriptionConfirmation"}:
            name = "an SNS subscription confirmation"
        case {"Type": "UnsubscribeConfirmation"}:
            name = "an SNS unsubscribe confirmation"
        case {"detail-type": _, "detail": _}:
            name = "an EventBridge event"
        case {"Records": [{"eventSource": "aws:s3"}, *_]}:
            name = "an S3 event"
        case {"Event": "s3:TestEvent"}:
            name = "an S3 test event"
        case {"specversion": _}:
            name = "a CloudEvents event"
        case _:
            name = ""
    return name


class FieldTwice(NamedTuple):
    """Stands in the place of an object that has one field twice. `pairs` are its fields as they are written."""

    pairs: list[tuple[str, Any]]

    @property
    def field(self) -> str:
        """The field that is there most often."""
        [(name, _)] = Counter(name for name, _ in self.pairs).most_common(1)
        return name


def decode(text: str, what: str) -> Any:  # noqa: ANN401 - any JSON value
    """The JSON value in `text`. Numbers become floats: the contract has no numbers, and long integers are slow.

    An object that has a field twice becomes a `FieldTwice`. `what` names the text in a sentence: "the body".
    Raises InvalidMessageError for a text that is not JSON.
    """
    if text.startswith(_BYTE_ORDER_MARK):
        raise InvalidMessageError(f"{what} begins with a byte-order mark (U+FEFF); JSON begins without one")
    if not text.strip(" \t\r\n"):
        raise InvalidMessageError(f"{what} is empty; a JSON object is allowed")
    try:
        return json.loads(text, object_pairs_hook=_object, parse_int=float, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise InvalidMessageError(f"{what} is not JSON: {_problem(error)}") from None
    except RecursionError:
        raise InvalidMessageError(f"{what} nests lists or objects too deeply; a queue message has 5 levels") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any] | FieldTwice:
    fields = dict(pairs)
    return fields if len(fields) == len(pairs) else FieldTwice(pairs)


def _refuse_constant(name: str) -> None:
    raise InvalidMessageError(f"the text holds {name}, which JSON does not have; null is allowed")


def _problem(error: json.JSONDecodeError) -> str:
    # The decoder's own words are not passed on: some of them quote the text.
    problem = next((words for start, words in _PROBLEMS.items() if error.msg.startswith(start)), "")
    if not problem:
        ends_early = not error.doc[error.pos :].strip()
        problem = "the text ends too early" if ends_early else "this is not what JSON allows here"
    return f"line {error.lineno}, column {error.colno}: {problem}"
