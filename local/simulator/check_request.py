"""Checks a request that has reached the API, and accepts or refuses it. `answer_request.py` lists the order."""

import hashlib
from dataclasses import dataclass

import msgspec

from local.simulator.check_call import PARTIAL_SUCCESS, Call, check_call, first_contact_number
from local.simulator.check_payload import check_payload
from local.simulator.faults import CodeAnswer, Fault, PartialSuccess
from local.simulator.flows import Flow
from local.simulator.refusal import CODE_BY_NAME, RefusedError, refused
from local.simulator.state import SimulatorState
from sealed_relay.kairos.codes import Code, code_of

SUCCESS = CODE_BY_NAME["SUCCESS"]
_EVERY_SECOND = PartialSuccess(accept_every=2)


@dataclass(frozen=True, slots=True)
class ReceivedRequest:
    """A request as far as it could be read; unreadable parts are None. `endpoint` and `source_ip` are the client's."""

    endpoint: str
    source_ip: str
    body: bytes
    flow_id: str | None
    flow: Flow | None
    payload: bytes | None


@dataclass(frozen=True, slots=True)
class AcceptedCalls:
    """The code, 200 or 209, and the accepted calls."""

    code: Code
    calls: list[Call]


def check_request(state: SimulatorState, received: ReceivedRequest, fault: Fault) -> AcceptedCalls:
    """Accept calls and charge the account, or raise RefusedError. Remember the checksums of the request."""
    try:
        accepted = _checked(state, received, fault)
    except RefusedError:
        if state.settings.refusal_leaves_checksum:
            _remember_checksums(state, received)
        raise
    _remember_checksums(state, received)
    return accepted


def _checked(state: SimulatorState, received: ReceivedRequest, fault: Fault) -> AcceptedCalls:
    flow, payload = _check_envelope(state, received)
    calls = check_payload(payload, flow)
    number_to_quote = first_contact_number(calls[0])
    if isinstance(fault, CodeAnswer) and fault.code not in {SUCCESS.number, PARTIAL_SUCCESS.number}:
        raise RefusedError(code_of(fault.code), number_to_quote)
    if _is_repeated(state, received):
        raise refused("CHECKSUM_REPEATED", number_to_quote)
    now = state.now()
    accepted = _accepted_calls(state, [check_call(call, now) for call in calls], fault)
    _charge(state, len(accepted.calls), number_to_quote)
    return accepted


def _check_envelope(state: SimulatorState, received: ReceivedRequest) -> tuple[Flow, bytes]:
    if received.flow_id is None:
        raise refused("INVALID_FORMAT")
    if received.flow is None or received.flow.endpoint != received.endpoint:
        raise refused("INVALID_FLOW_ID")
    if received.source_ip not in state.settings.source_ips:
        raise refused("IP_NOT_WHITELISTED")
    if received.payload is None:
        raise refused("INVALID_FORMAT")
    return received.flow, received.payload


def _accepted_calls(state: SimulatorState, calls: list[Call], fault: Fault) -> AcceptedCalls:
    """Leave out the calls that a test number or a planned partial success excludes."""
    accepted = [call for call in calls if not call.left_out]
    if isinstance(fault, CodeAnswer) and fault.code == PARTIAL_SUCCESS.number:
        fault = _EVERY_SECOND
    if isinstance(fault, PartialSuccess):
        chance = fault.accept_chance
        if chance is None:
            return AcceptedCalls(PARTIAL_SUCCESS, accepted[:: fault.accept_every])
        return AcceptedCalls(PARTIAL_SUCCESS, [call for call in accepted if state.chance.random() < chance])
    return AcceptedCalls(SUCCESS if len(accepted) == len(calls) else PARTIAL_SUCCESS, accepted)


def _charge(state: SimulatorState, calls: int, number_to_quote: str | None) -> None:
    balance_calls = state.settings.balance_calls
    if balance_calls is None:
        return
    if calls > balance_calls:
        raise refused("INSUFFICIENT_BALANCE", number_to_quote)
    state.settings = msgspec.structs.replace(state.settings, balance_calls=balance_calls - calls)


def _is_repeated(state: SimulatorState, received: ReceivedRequest) -> bool:
    body, payload = _checksums(received)
    return (state.settings.checksum_over_body and body in state.body_checksums) or (
        state.settings.checksum_over_payload and payload in state.payload_checksums
    )


def _remember_checksums(state: SimulatorState, received: ReceivedRequest) -> None:
    body, payload = _checksums(received)
    state.body_checksums.add(body)
    if payload is not None:
        state.payload_checksums.add(payload)


def _checksums(received: ReceivedRequest) -> tuple[bytes, bytes | None]:
    payload = received.payload
    return hashlib.sha256(received.body).digest(), payload if payload is None else hashlib.sha256(payload).digest()
