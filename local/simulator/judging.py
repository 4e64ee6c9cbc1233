"""The verdict on a request that has reached the API. The order of the checks is explained in `api.py`."""

import hashlib
from dataclasses import dataclass

import msgspec

from local.simulator.calls import PARTIAL_SUCCESS, Call, checked_call, first_contact_number
from local.simulator.faults import CodeAnswer, Fault, PartialSuccess
from local.simulator.flows import Flow
from local.simulator.payload import calls_in
from local.simulator.refusal import CODE_NAMED, RefusedError, refused
from local.simulator.state import SimulatorState
from sealed_relay.kairos.codes import Code, code_of

SUCCESS = CODE_NAMED["SUCCESS"]
_EVERY_SECOND = PartialSuccess(accept_every=2)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A request as far as it could be read: what could not is None. `endpoint` and `source_ip` are the client's."""

    endpoint: str
    source_ip: str
    body: bytes
    flow_id: str | None
    flow: Flow | None
    payload: bytes | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """200 or 209, with the calls accepted."""

    code: Code
    accepted: list[Call]


def judge(state: SimulatorState, arrival: Arrival, fault: Fault) -> Verdict:
    """Accept calls or raise RefusedError; either way remember the checksums and charge the account."""
    try:
        verdict = _judge(state, arrival, fault)
    except RefusedError:
        if state.settings.refusal_leaves_checksum:
            _remember_checksums(state, arrival)
        raise
    _remember_checksums(state, arrival)
    return verdict


def _judge(state: SimulatorState, arrival: Arrival, fault: Fault) -> Verdict:
    flow, payload = _opened(state, arrival)
    calls = calls_in(payload, flow)
    number_to_quote = first_contact_number(calls[0])
    if isinstance(fault, CodeAnswer) and fault.code not in {SUCCESS.number, PARTIAL_SUCCESS.number}:
        raise RefusedError(code_of(fault.code), number_to_quote)
    if _is_repeated(state, arrival):
        raise refused("CHECKSUM_REPEATED", number_to_quote)
    now = state.now()
    verdict = _listed(state, [checked_call(call, now) for call in calls], fault)
    _charge(state, len(verdict.accepted), number_to_quote)
    return verdict


def _opened(state: SimulatorState, arrival: Arrival) -> tuple[Flow, bytes]:
    if arrival.flow_id is None:
        raise refused("INVALID_FORMAT")
    if arrival.flow is None or arrival.flow.endpoint != arrival.endpoint:
        raise refused("INVALID_FLOW_ID")
    if arrival.source_ip not in state.settings.source_ips:
        raise refused("IP_NOT_WHITELISTED")
    if arrival.payload is None:
        raise refused("INVALID_FORMAT")
    return arrival.flow, arrival.payload


def _listed(state: SimulatorState, calls: list[Call], fault: Fault) -> Verdict:
    """Leave out the calls that a test number or a planned partial success wants left out."""
    accepted = [call for call in calls if not call.left_out]
    if isinstance(fault, CodeAnswer) and fault.code == PARTIAL_SUCCESS.number:
        fault = _EVERY_SECOND
    if isinstance(fault, PartialSuccess):
        chance = fault.accept_chance
        if chance is None:
            return Verdict(PARTIAL_SUCCESS, accepted[:: fault.accept_every])
        return Verdict(PARTIAL_SUCCESS, [call for call in accepted if state.chance.random() < chance])
    return Verdict(SUCCESS if len(accepted) == len(calls) else PARTIAL_SUCCESS, accepted)


def _charge(state: SimulatorState, calls: int, number_to_quote: str | None) -> None:
    balance_calls = state.settings.balance_calls
    if balance_calls is None:
        return
    if calls > balance_calls:
        raise refused("INSUFFICIENT_BALANCE", number_to_quote)
    state.settings = msgspec.structs.replace(state.settings, balance_calls=balance_calls - calls)


def _is_repeated(state: SimulatorState, arrival: Arrival) -> bool:
    body, payload = _checksums(arrival)
    return (state.settings.checksum_over_body and body in state.body_checksums) or (
        state.settings.checksum_over_payload and payload in state.payload_checksums
    )


def _remember_checksums(state: SimulatorState, arrival: Arrival) -> None:
    body, payload = _checksums(arrival)
    state.body_checksums.add(body)
    if payload is not None:
        state.payload_checksums.add(payload)


def _checksums(arrival: Arrival) -> tuple[bytes, bytes | None]:
    payload = arrival.payload
    return hashlib.sha256(arrival.body).digest(), payload if payload is None else hashlib.sha256(payload).digest()
