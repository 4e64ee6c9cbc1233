"""The services around the function, in memory: the clock, the table, the queues, the secrets and the API."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from local.simulator.audit import Audit
from local.simulator.flows import Flow as SimulatedFlow
from local.simulator.open_request import KeyWrap
from local.simulator.state import SimulatorState
from sealed_relay.calls.message import Lane, Message
from sealed_relay.calls.start_time import parse_calling_hours
from tests.campaign.fault_chance import FaultChance
from tests.campaign.hours import draw_hours
from tests.campaign.keys import key_pair
from tests.campaign.profile import Profile
from tests.campaign.protocol_monitor import ProtocolMonitor
from tests.campaign.virtual_time import Schedule
from tests.support.failure_queue import InMemoryFailureQueue
from tests.support.flows import make_flow, security_id_of
from tests.support.gateway import SimulatedGateway
from tests.support.queues import InMemoryFailures, InMemoryIngress
from tests.support.table import InMemoryTable

if TYPE_CHECKING:
    from local.simulator.faults import Fault
    from local.simulator.reply import CallDetail
    from sealed_relay.kairos.flow import Flow
    from tests.campaign.execution_environment import ExecutionEnvironment
    from tests.campaign.faulty_gateway import AnswerFault

START = datetime(2026, 11, 23, 4, 30, tzinfo=UTC).timestamp()
PATIENCE_SECONDS = 2 * 3600.0
"""After this time without faults every waiting call must be sent: the longest deferral, its probe, the rate limit."""
FLOW_IDS = ("FLOWAAAA", "FLOWBBBB", "FLOWCCCC")


class RememberingAudit(Audit):
    """The simulator's audit, which also keeps the phonon-uuids of the last request in `taken`."""

    def __init__(self) -> None:
        super().__init__()
        self.taken: dict[str, str] = {}

    def record_accepted(self, flow_id: str, request_id: str, details: "Sequence[CallDetail]") -> None:
        super().record_accepted(flow_id, request_id, details)
        self.taken = {detail.client_identifier: detail.phonon_uuid for detail in details}


class Services:
    """The services of one run. `trace` writes a line: a template and its values.

    `idle` are the execution environments that wait for an invocation, from any queue.
    `queues` are those that messages come from. `failures` has all that was ever published, `failure_entries` what is on
    the failure queue. `chance` decides which faults occur, `answer_fault` which of the API's answers are planned or
    spoiled.
    """

    def __init__(
        self,
        profile: Profile,
        chance: FaultChance,
        answer_fault: "AnswerFault",
        write_line: Callable[[str], None] | None,
    ) -> None:
        self.profile = profile
        self.chance = chance
        self.answer_fault = answer_fault
        self._write_line = write_line
        self.schedule = Schedule(START)
        self.monitor = ProtocolMonitor(self.schedule, self.trace, profile.lag_seconds, profile.limits.max_refusals)
        self.table = InMemoryTable()
        self.queues = {lane: InMemoryIngress(self.schedule, id_prefix=f"{lane}-") for lane in Lane}
        self.failures = InMemoryFailures()
        self.failure_entries = InMemoryFailureQueue(self.schedule)
        self.idle: list[ExecutionEnvironment] = []
        self.secrets: dict[str, Flow] = {}
        self.calling_hours = dict.fromkeys(FLOW_IDS, "")
        self.audit = RememberingAudit()
        self.simulator = SimulatorState(
            lambda: datetime.fromtimestamp(self.schedule.now, UTC), chance.random, audit=self.audit
        )
        self.simulator.settings = msgspec.structs.replace(
            self.simulator.settings,
            refusal_leaves_checksum=profile.refusal_leaves_checksum,
            checksum_over_body=profile.checksum_over_body,
            checksum_over_payload=profile.checksum_over_payload,
        )
        self.monitor.evidence.requests_per_minute = profile.requests_per_minute
        self.monitor.evidence.urgent_reserve = profile.urgent_reserve
        self.monitor.evidence.calm_from = START + profile.fault_seconds + PATIENCE_SECONDS
        self.outage: Fault | None = None
        self.codes: Counter[int] = Counter()
        self.identities = {flow_id: (security_id_of(flow_id), flow_id) for flow_id in FLOW_IDS}
        self.gateway = SimulatedGateway(self.simulator)
        for flow_id in FLOW_IDS:
            if profile.has_hours:
                self.calling_hours[flow_id] = draw_hours(chance.random, self.schedule.now)
            self.register(flow_id)
            self.keep_secret(flow_id)

    def send(self, body: str, lane: Lane = Lane.INGRESS) -> None:
        """Put a message on the queue of a lane."""
        message_id = self.queues[lane].send(body)
        sent_at = datetime.fromtimestamp(int(self.schedule.now * 1000) / 1000, UTC)  # SQS tells milliseconds
        message = Message(message_id, "", body, sent_at, 0)
        self.monitor.asked(message, lane, self.table.items, self.profile.limits.give_up_after)
        self.trace("{} is sent: {:.400}", message_id, body)

    def register(self, flow_id: str) -> None:
        """Register a flow at the API with its present identity: its security id, and the name of its key."""
        security_id, key_name = self.identities[flow_id]
        _, private_key = key_pair(key_name)
        self.simulator.flows[flow_id] = SimulatedFlow(
            flow_id, security_id, private_key, KeyWrap.RSA1_5, ("1.0",), "outbound"
        )

    def keep_secret(self, flow_id: str) -> None:
        """Put a flow's identity and calling hours in its secret.

        An invocation that has cached the former secret uses it for a while.
        """
        security_id, key_name = self.identities[flow_id]
        public_key, _ = key_pair(key_name)
        hours = self.calling_hours[flow_id]
        version = f"{security_id} {key_name} {hours}"
        self.monitor.hours.changed(flow_id, version, hours)
        self.secrets[flow_id] = replace(
            make_flow(flow_id, security_id=security_id),
            public_key=public_key,
            version=version,
            calling_hours=parse_calling_hours(hours) if hours else None,
        )

    def trace(self, template: str, *values: object) -> None:
        """Write a line of the trace, if there is one."""
        if self._write_line:
            self._write_line(f"{self.schedule.now - START:12.3f} {template.format(*values)}")
