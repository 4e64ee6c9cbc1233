"""The connection to the API: slow, may break before or after the API, and delivers requests of killed senders."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

import msgspec

from local.simulator.faults import CodeAnswer, Fault, PlannedFault
from local.simulator.open_request import SealedRequest as Envelope
from local.simulator.open_request import open_payload
from sealed_relay.kairos.answer import Ambiguous, Answer, Answered, NotSent
from sealed_relay.kairos.seal import SealedRequest
from sealed_relay.ports import Connection
from tests.campaign.evidence import Invariant
from tests.campaign.fault_chance import FaultKind
from tests.campaign.services import Services
from tests.support.gateway import StandingConnection

if TYPE_CHECKING:
    from tests.campaign.execution_environment import ExecutionEnvironment

_LONGEST_ON_THE_WIRE_SECONDS = 5.0
_TIMED_OUT = Ambiguous("Read timeout.")


class AnswerFault(Protocol):
    """Plans or spoils the API's answer to a request that arrives; None leaves it as it is.

    `names` are the request's client identifiers. `is_known`: the API has received these bytes before. `is_first`:
    their sender knows that nothing went before.
    """

    def __call__(self, services: Services, names: Sequence[str], *, is_known: bool, is_first: bool) -> Fault | None: ...


class FaultyGateway:
    """Three steps: while it connects, while the request is on its way, and while its answer is."""

    def __init__(self, services: Services, environment: "ExecutionEnvironment") -> None:
        self._services = services
        self._environment = environment

    @contextmanager
    def connect(self, timeout_seconds: float) -> Iterator[Connection | NotSent]:
        ends_at = self._services.schedule.now + timeout_seconds
        self._environment.step("it connects")
        if self._services.chance.occurs(FaultKind.NOT_CONNECTED):
            yield NotSent("Connection refused.")
            return
        schedule = self._services.schedule
        yield StandingConnection(lambda endpoint, body: self._send(endpoint, body, ends_at - schedule.now))

    def _send(self, endpoint: str, body: bytes, timeout_seconds: float) -> Answer:
        services, environment = self._services, self._environment
        sealed = services.monitor.sealed.get(body)
        if sealed is None:
            services.monitor.breach(Invariant.WRITE_AHEAD, "bytes were sent that are not stored")
            return NotSent("Nobody knows these bytes.")
        given_up_at = services.schedule.now + timeout_seconds
        with services.monitor.sending(environment, sealed, timeout_seconds, services.table.items):
            services.trace("{} sends {} {}", environment.name, sealed.request_id[:6], sealed.client_identifiers)
            if services.chance.occurs(FaultKind.ARRIVED_LATE):
                # Within what the lease leaves for it.
                seconds = services.chance.random.uniform(0.0, _LONGEST_ON_THE_WIRE_SECONDS)
                services.schedule.after(seconds, lambda: self._arrive(endpoint, sealed, timeout_seconds))
                environment.die()
            environment.step("the request is on its way")
            if services.schedule.now >= given_up_at:
                return _TIMED_OUT
            answer = self._arrive(endpoint, sealed, timeout_seconds)
            is_slow = services.chance.occurs(FaultKind.TOO_SLOW)
            environment.pass_time(
                timeout_seconds if is_slow else services.chance.random.expovariate(1 / services.profile.answer_seconds)
            )
            if services.schedule.now >= given_up_at:
                answer = _TIMED_OUT
            services.monitor.answered(sealed, answer)
        services.trace("{} is told of {}: {}", environment.name, sealed.request_id[:6], answer)
        return answer

    def _arrive(self, endpoint: str, sealed: SealedRequest, timeout_seconds: float) -> Answer:
        services = self._services
        simulator = services.simulator
        checksum = hashlib.sha256(sealed.body).digest()
        was_known = checksum in simulator.body_checksums
        is_first = not was_known and sealed.request_id in self._environment.stored
        fault = services.answer_fault(services, sealed.client_identifiers, is_known=was_known, is_first=is_first)
        if fault:
            simulator.faults.plan(PlannedFault(fault=fault))
        services.audit.taken = {}
        flow = simulator.flows.get(sealed.flow_id)
        answer = services.gateway.send(endpoint, sealed.body, timeout_seconds)
        simulator.faults.clear()
        taken = services.audit.taken
        if taken and flow:
            envelope = msgspec.json.decode(sealed.body, type=Envelope)
            payload = msgspec.json.decode(open_payload(envelope, flow.private_key, flow.key_wrap))
            services.monitor.accepted(sealed, payload["calls"], taken)
        is_known = checksum in simulator.body_checksums
        if is_known and not was_known and len(taken) < len(sealed.client_identifiers):
            services.monitor.evidence.undecidable.add(sealed.request_id)
        code = fault.code if isinstance(fault, CodeAnswer) else None
        services.trace("   the API: {} taken={} fault={} code={}", sealed.request_id[:6], len(taken), fault, code)
        if isinstance(answer, Answered):
            services.codes[answer.code] += 1
        return answer
