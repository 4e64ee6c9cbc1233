"""What every peer does with one message: seal it for the API just as the relay does, and read the answer.

Each sends one request a message. Nothing is asked of them that would cost them time: messages are not checked against
the contract, no line is logged and no metric is counted for a call, and the API's rate is not kept.
"""

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from sealed_relay.calls.start_time import service_time
from sealed_relay.kairos.flow import Flow
from sealed_relay.kairos.seal import NONCE_BYTES, body_of, encrypt, make_secret_text, payload_of, wrap

HEADERS = {"Accept": "application/json", "Content-Type": "application/json"}
TIMEOUT_SECONDS = 30.0
_SUCCESS = 200

Message = Mapping[str, Any]
Outcome = dict[str, Any]


class NotAcceptedError(Exception):
    """The API answered with another code than 200; the message goes back to the queue."""


def seal(flow: Flow, message: Message) -> bytes:
    """The outer body of the one request that holds the message's calls."""
    now = service_time(datetime.now(UTC))
    payload = payload_of(
        [{"start-time": now, "keys": [], **call} for call in message["calls"]],
        flow_id=flow.flow_id,
        security_id=flow.security_id,
        api_version=flow.api_version,
        nonce=os.urandom(NONCE_BYTES),
    )
    secret_text = make_secret_text(os.urandom)
    return body_of(encrypt(payload, secret_text), wrap(secret_text, flow.public_key, flow.key_wrap), flow.flow_id)


def outcome_of(answer: bytes) -> Outcome:
    """What goes on record for the message. Raises NotAcceptedError."""
    decoded = msgspec.json.decode(answer)
    if decoded["api-response-code"] != _SUCCESS:
        raise NotAcceptedError(decoded["api-response-code"])
    return {
        "status": "ACCEPTED",
        "request_id": decoded["request-id"],
        "phonon_uuids": {call["client-identifier"]: call["phonon-uuid"] for call in decoded["call-details"]},
    }
