"""The published schemas, made from the code: `make schemas` writes docs/schemas. A test tells when they are old."""

import json
from collections.abc import Mapping
from typing import Any

from local.stack.paths import REPOSITORY
from sealed_relay.calls import schema
from sealed_relay.calls.outcome import Reason, Status
from sealed_relay.kairos.codes import CODES, UNKNOWN_CODE

FOLDER = REPOSITORY / "docs/schemas"

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_UTC = "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}\\+00:00"
_WHOLE_NUMBER = "0|[1-9][0-9]*"
_NO_CONTROL_CHARACTERS = r"[^\u0000-\u001f\u007f-\u009f]+"
_NAMES_OF_CODES = [*(code.name for code in CODES.values()), UNKNOWN_CODE]
_FAILURE_REASONS = [
    *_NAMES_OF_CODES,
    Reason.INVALID_MESSAGE,
    Reason.UNKNOWN_FLOW,
    Reason.CLIENT_IDENTIFIER_REUSED,
    Reason.EXPIRED,
    Reason.UNRESOLVED,
]

Schema = dict[str, Any]


def queue_message() -> Schema:
    """The JSON Schema of the bare queue message.

    It cannot express these rules: the relay wants printable characters in a `client-identifier`, whole characters in a
    flow variable, each `client-identifier` once in a message, `not-after` not before `start-time`, and each field once
    in an object.
    """
    flow_variable = _object(
        "A flow variable.",
        {"name": _text(schema.FLOW_VARIABLE), "value": {"type": "string"}},
        schema.FLOW_VARIABLE_FIELDS,
    )
    time = _text(schema.TIME, "ISO 8601 with an offset.") | {"maxLength": schema.MAX_TIME_LENGTH}
    call = _object(
        "A call to place. `flow-id` and `client-identifier` are its identity: it is delivered at most once.",
        {
            "client-identifier": _text(_NO_CONTROL_CHARACTERS, "1 to 128 printable characters.")
            | {"maxLength": schema.MAX_CLIENT_IDENTIFIER_LENGTH},
            "contact-numbers": {"type": "array", "items": _text(schema.CONTACT_NUMBER), "minItems": 1},
            "start-time": time,
            "keys": {"type": "array", "items": flow_variable, "default": []},
            "not-after": time,
        },
        schema.REQUIRED_CALL_FIELDS,
    )
    return {"$schema": _DIALECT, "title": "Queue message"} | _object(
        "What a producer puts on a queue: bare, in an SNS notification or in an EventBridge event's detail. One bad "
        "call refuses its whole message.",
        {
            "flow-id": _text(schema.FLOW_ID, "8 letters or digits."),
            "calls": {"type": "array", "items": call, "minItems": 1},
        },
        schema.MESSAGE_FIELDS,
    )


def failure_entry() -> Schema:
    """The JSON Schema of an entry of the failure queue: its body, and the values of its message attributes."""
    attributes = {
        "reason": {"enum": _FAILURE_REASONS},
        "detail": {"description": "One sentence for a person.", "type": "string"},
        "source_message_id": {"description": "The message that held the calls.", "type": "string"},
        "source_queue": {"description": "The queue that it came from.", "enum": ["ingress", "urgent"]},
        "code": _text(f"-?({_WHOLE_NUMBER})", "The API's code, if there is one. Its data type is Number."),
        "request_id": {"description": "The relay's name for the request, if there is one.", "type": "string"},
        "api_request_id": {"description": "The API's own name for the request, if it answered.", "type": "string"},
    }
    body = {
        "description": "A queue message with just the failed calls. With the reason INVALID_MESSAGE, or without a "
        "reason: the original body.",
        "type": "string",
        "contentMediaType": "application/json",
        "contentSchema": {"$ref": "queue-message.schema.json"},
    }
    return {"$schema": _DIALECT, "title": "Failure entry"} | _object(
        "What the failure queue holds. No attribute is there for sure: SQS itself also moves messages here, and a body "
        "of the maximum size leaves no room. A consumer ignores attributes that it does not know.",
        {"body": body, "attributes": {"type": "object", "properties": attributes}},
        ("body", "attributes"),
    )


def outcome_event() -> Schema:
    """The JSON Schema of the detail of an outcome event."""
    details = {
        "flow-id": _text(schema.FLOW_ID),
        "client-identifier": _text(
            '[^"\\\\\\u0000-\\u001f\\u007f-\\u009f]+',
            'As in the message, but with %22 for ", %5C for a backslash and %25 for a percent sign.',
        ),
        "status": {"enum": [status for status in Status if status.is_final]},
        "code": _text(f"(-?({_WHOLE_NUMBER}))?", "The API's code."),
        "reason": {"enum": ["", *_FAILURE_REASONS]},
        "request-id": _text("[0-9a-f]+", "The relay's name for the request."),
        "api-request-id": {"description": "The API's own name for the request.", "type": "string"},
        "phonon-uuid": {"description": "The API's name for the call.", "type": "string"},
        "attempts": _text(_WHOLE_NUMBER, "How often the call was sent, as far as is on record."),
        "message-id": {"description": "The SQS message that the outcome belongs to.", "type": "string"},
        "created-at": _text(_UTC),
        "updated-at": _text(_UTC, "When the call ended."),
        "expires-at": _text(_WHOLE_NUMBER, "When the record is removed, in seconds since 1970."),
    }
    return {"$schema": _DIALECT, "title": "Outcome event"} | _object(
        "The detail of an EventBridge event with the source `sealed-relay` and the detail type `Call outcome`. Each "
        "value is a text, numbers too. It is empty where there is none. An event may come twice: `request-id` and "
        "`updated-at` are the same then.",
        details,
        tuple(details),
    )


def asyncapi() -> Schema:
    """The AsyncAPI 3 document: the queues and the bus, and what is on them."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Sealed Relay",
            "version": "1.0.0",
            "description": "Calls for the Kairos encrypted outbound API, from a queue. See docs/message-contract.md.",
        },
        "defaultContentType": "application/json",
        "channels": {
            "ingress": _channel("The ingress queue, SQS: the output IngressQueueUrl.", "queueMessage"),
            "urgent": _channel("The urgent queue, SQS: the output UrgentQueueUrl.", "queueMessage"),
            "failures": _channel("The failure queue, SQS: the output FailureQueueUrl.", "failureEntry"),
            "outcomes": _channel("The EventBridge bus, with OutcomeEvents=yes.", "outcomeEvent"),
        },
        "operations": {
            "takeCalls": _operation("receive", "ingress", "The relay delivers each call at most once."),
            "takeUrgentCalls": _operation("receive", "urgent", "The same, without waiting behind the ingress queue."),
            "publishFailure": _operation("send", "failures", "Calls that failed, and messages that cannot be read."),
            "publishOutcome": _operation("send", "outcomes", "Each final outcome of a call, at least once."),
        },
        "components": {
            "messages": {
                "queueMessage": {"payload": {"$ref": "queue-message.schema.json"}},
                "failureEntry": {
                    "headers": {"$ref": "failure-entry.schema.json#/properties/attributes"},
                    "payload": {"$ref": "failure-entry.schema.json#/properties/body"},
                },
                "outcomeEvent": {"payload": {"$ref": "outcome-event.schema.json"}},
            },
        },
    }


def published() -> dict[str, str]:
    """The text of each file in docs/schemas, by name."""
    documents = {
        "queue-message.schema.json": queue_message(),
        "failure-entry.schema.json": failure_entry(),
        "outcome-event.schema.json": outcome_event(),
        "asyncapi.json": asyncapi(),
    }
    return {name: json.dumps(document, indent=2) + "\n" for name, document in documents.items()}


def _object(description: str, properties: Mapping[str, Schema], required: tuple[str, ...]) -> Schema:
    return {
        "description": description,
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


def _text(pattern: str, description: str = "") -> Schema:
    # Python's `$` alone would let a final line feed through; JSON Schema has no `\Z`.
    described = {"description": description} if description else {}
    return described | {"type": "string", "pattern": rf"^(?:{pattern})$(?!\n)"}


def _channel(description: str, message: str) -> Schema:
    return {"description": description, "messages": {message: {"$ref": f"#/components/messages/{message}"}}}


def _operation(action: str, channel: str, summary: str) -> Schema:
    return {"action": action, "channel": {"$ref": f"#/channels/{channel}"}, "summary": summary}


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, text in published().items():
        (FOLDER / name).write_text(text, "utf-8")
