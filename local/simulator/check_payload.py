"""Checks an opened payload before its single calls: security id, API version, flow id, number of calls."""

import msgspec

from local.simulator.flows import Flow
from local.simulator.refusal import refused

MAX_CALLS_PER_REQUEST = 500


def check_payload(payload: bytes, flow: Flow) -> list[object]:
    """Check the payload and return its calls, still unchecked. Raise RefusedError if the API would refuse it.

    The order: JSON object (400), security id (202), API version (203), flow id (301), calls (302, 303).
    """
    try:
        document = msgspec.json.decode(payload)
    except (msgspec.DecodeError, RecursionError) as error:
        raise refused("INVALID_FORMAT") from error
    if not isinstance(document, dict):
        raise refused("INVALID_FORMAT")
    if document.get("security-id") != flow.security_id:
        raise refused("INVALID_SECURITY_ID")
    if document.get("api-version") not in flow.api_versions:
        raise refused("INVALID_API_VERSION")
    if document.get("flow-id") != flow.flow_id:
        raise refused("INVALID_FLOW_ID")
    calls = document.get("calls")
    if not calls:
        raise refused("EMPTY_CALL_LIST")
    if not isinstance(calls, list):
        raise refused("INVALID_FORMAT")
    if len(calls) > MAX_CALLS_PER_REQUEST:
        raise refused("MAX_DATA_LIST_SIZE_EXCEEDED")
    return calls
