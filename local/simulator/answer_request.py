"""Answers a request: takes its bytes, and returns a reply. Without network and without sleeping, so tests can call it.

The order of the checks. The real API's order is not documented.

    edge      rate (HTTP 429), planned fault before accepting, body size (HTTP 413)
    envelope  outer shape (400), flow known at this endpoint (301), source IP (401), opens (400)
    payload   JSON object (400), security id (202), API version (203), flow id (301), calls (302, 303)
    planned   a code planned through the control endpoint
    repeat    checksum of the body or of the payload seen before (201)
    calls     each in turn, see `check_call.py` (210, 205, 400, and the test numbers)
    account   balance (212)
"""

from dataclasses import replace
from uuid import UUID

import msgspec

from local.simulator.check_request import ReceivedRequest, check_request
from local.simulator.faults import NO_PLAN, Fault, PlannedFault
from local.simulator.flows import Flow
from local.simulator.network_edge import apply_fault, enforce_rate_limit, refuse_at_edge
from local.simulator.open_request import SealedRequest, UnopenableError, open_payload
from local.simulator.refusal import RefusedError
from local.simulator.reply import ApiResponse, CallDetail, Delivery, Reply, api_reply
from local.simulator.state import SimulatorState


def answer_request(state: SimulatorState, *, endpoint: str, source_ip: str, body: bytes) -> Reply:
    """Answer one POST as the API would. Thread-safe; the RSA operation runs outside the state's lock.

    `endpoint` is "outbound" or "outbounddialer", `source_ip` the client's address.
    """
    sealed = _sealed_request(body)
    flow_id = sealed.flow_id if sealed else None
    with state.lock:
        state.audit.count_received(state.now())
        refused_at_edge, planned = _at_the_edge(state, flow_id, body)
        flow = state.flows.get(flow_id) if flow_id else None
    payload = _payload(sealed, flow) if sealed and flow and not refused_at_edge else None
    received = ReceivedRequest(endpoint, source_ip, body, flow_id, flow, payload)
    with state.lock:
        reply = refused_at_edge or apply_fault(_api_reply(state, received, planned.fault), planned.fault)
        _count(state, reply)
    return replace(reply, latency_seconds=planned.latency_milliseconds / 1000)


def _at_the_edge(state: SimulatorState, flow_id: str | None, body: bytes) -> tuple[Reply | None, PlannedFault]:
    too_many = enforce_rate_limit(state)
    if too_many:
        return too_many, NO_PLAN
    planned = state.faults.take(flow_id)
    return refuse_at_edge(body, planned.fault), planned


def _api_reply(state: SimulatorState, received: ReceivedRequest, fault: Fault) -> Reply:
    request_id = _uuid(state)
    try:
        accepted = check_request(state, received, fault)
    except RefusedError as refusal:
        # Some vendors quote what they refuse. So does the simulator, to let tests prove that the relay does not log it.
        quoted = f": {refusal.contact_number}" if refusal.contact_number else ""
        message = refusal.code.name + quoted
        return api_reply(ApiResponse(refusal.code.number, message, request_id, None))
    details = tuple(CallDetail(call.client_identifier, _uuid(state)) for call in accepted.calls)
    if details and received.flow_id:
        state.audit.record_accepted(received.flow_id, request_id, details)
    return api_reply(ApiResponse(accepted.code.number, accepted.code.name, request_id, details))


def _sealed_request(body: bytes) -> SealedRequest | None:
    try:
        return msgspec.json.decode(body, type=SealedRequest)
    except (msgspec.DecodeError, RecursionError):
        return None


def _payload(sealed: SealedRequest, flow: Flow) -> bytes | None:
    try:
        return open_payload(sealed, flow.private_key, flow.key_wrap)
    except UnopenableError:
        return None


def _count(state: SimulatorState, reply: Reply) -> None:
    if reply.delivery is not Delivery.WHOLE:
        state.audit.count_without_verdict(reply.delivery.value)
    elif reply.code is None:
        state.audit.count_without_verdict(f"HTTP {reply.http_status}")
    else:
        state.audit.count_code(reply.code)


def _uuid(state: SimulatorState) -> str:
    return str(UUID(int=state.chance.getrandbits(128), version=4))
