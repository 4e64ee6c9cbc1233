"""The wire to the API: it takes time, it breaks both ways, and what is on it arrives also without a sender."""

import hashlib
from typing import TYPE_CHECKING

import msgspec

from local.simulator.faults import CodeAnswer, PlannedFault
from local.simulator.opening import SealedRequest as Envelope
from local.simulator.opening import open_payload
from sealed_relay.kairos.answer import Ambiguous, Answer, Answered, NotSent
from sealed_relay.ledger.items import SealedRequest
from tests.campaign.answers import answer_fault
from tests.campaign.evidence import Invariant
from tests.campaign.luck import Trouble
from tests.campaign.surroundings import Surroundings

if TYPE_CHECKING:
    from tests.campaign.environment import Environment

_LONGEST_ON_THE_WIRE_SECONDS = 5.0
_TIMED_OUT = Ambiguous("Read timeout.")


class FaultyGateway:
    """Two steps: while the request is on its way, and while its answer is."""

    def __init__(self, surroundings: Surroundings, environment: "Environment") -> None:
        self._around = surroundings
        self._environment = environment

    def send(self, endpoint: str, body: bytes, timeout_seconds: float) -> Answer:
        around, environment = self._around, self._environment
        sealed = around.witness.sealed.get(body)
        if sealed is None:
            around.witness.breach(Invariant.WRITE_AHEAD, "bytes were sent that are not stored")
            return NotSent("Nobody knows these bytes.")
        given_up_at = around.schedule.now + timeout_seconds
        with around.witness.sending(environment, sealed, timeout_seconds, around.table.items):
            around.tell("{} sends {} {}", environment.name, sealed.request_id[:6], sealed.client_identifiers)
            if around.luck.strikes(Trouble.OUTLIVED):
                # Within what the lease leaves for it.
                seconds = around.luck.random.uniform(0.0, _LONGEST_ON_THE_WIRE_SECONDS)
                around.schedule.after(seconds, lambda: self._arrive(endpoint, sealed, timeout_seconds))
                environment.die()
            environment.step("the request is on its way")
            if around.schedule.now >= given_up_at:
                return _TIMED_OUT
            around.gateway.refused_connections = int(around.luck.strikes(Trouble.NOT_CONNECTED))
            answer = self._arrive(endpoint, sealed, timeout_seconds)
            is_slow = around.luck.strikes(Trouble.TOO_SLOW)
            environment.pass_time(timeout_seconds if is_slow else around.luck.random.expovariate(5.0))
            if around.schedule.now >= given_up_at:
                answer = _TIMED_OUT
            around.witness.answered(sealed.request_id, answer)
        around.tell("{} is told of {}: {}", environment.name, sealed.request_id[:6], answer)
        return answer

    def _arrive(self, endpoint: str, sealed: SealedRequest, timeout_seconds: float) -> Answer:
        around = self._around
        simulator = around.simulator
        checksum = hashlib.sha256(sealed.body).digest()
        was_known = checksum in simulator.body_checksums
        is_first = not was_known and sealed.request_id in self._environment.stored
        fault = answer_fault(around, is_known=was_known, is_first=is_first)
        if fault:
            simulator.faults.plan(PlannedFault(fault=fault))
        around.audit.taken = {}
        flow = simulator.flows.get(sealed.flow_id)
        answer = around.gateway.send(endpoint, sealed.body, timeout_seconds)
        simulator.faults.clear()
        taken = around.audit.taken
        if taken and flow:
            envelope = msgspec.json.decode(sealed.body, type=Envelope)
            payload = msgspec.json.decode(open_payload(envelope, flow.private_key, flow.key_wrap))
            around.witness.accepted(sealed.request_id, sealed.flow_id, payload["calls"], taken)
        is_known = checksum in simulator.body_checksums
        if is_known and not was_known and len(taken) < len(sealed.client_identifiers):
            around.witness.evidence.undecidable.add(sealed.request_id)
        code = fault.code if isinstance(fault, CodeAnswer) else None
        around.tell("   the API: {} taken={} fault={} code={}", sealed.request_id[:6], len(taken), fault, code)
        if isinstance(answer, Answered):
            around.codes[answer.code] += 1
        return answer
