"""What watches the protocol tells a first send from a resend, and so which calling hours a request is held to."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

from sealed_relay.calls.message import Lane
from sealed_relay.kairos.seal import SealedRequest
from sealed_relay.ledger.items import envelope_item, envelope_key
from tests.campaign.evidence import Invariant
from tests.campaign.protocol_monitor import ProtocolMonitor

if TYPE_CHECKING:
    from tests.campaign.execution_environment import ExecutionEnvironment

FLOW = "FLOWAAAA"
NOON = datetime(2026, 11, 23, 6, 30, tzinfo=UTC).timestamp()
"""12:00 in +05:30."""
START_TIME = "2026-11-23T09:00:00+05:30"
SEALED = SealedRequest("r1", FLOW, "outbound", "old", START_TIME, b"{}", ("a",), int(NOON * 1000) + 60_000)


@dataclass
class Sender:
    clock: Callable[[], float]
    deadline: float = NOON + 60.0
    lane: Lane = Lane.INGRESS
    stored: set[str] = field(default_factory=set)
    leases: set[str] = field(default_factory=set)


class Scene:
    """It is noon. A request was sealed with hours that are over, and then its flow got hours without an end."""

    def __init__(self) -> None:
        self.monitor = ProtocolMonitor(lambda: NOON, lambda *_: None, lag_seconds=0.0, max_refusals=1)
        self.monitor.hours.changed(FLOW, "old", "09:00-11:00")
        self.monitor.hours.changed(FLOW, "new", "")

    def sender(self) -> "ExecutionEnvironment":
        return cast("ExecutionEnvironment", Sender(lambda: NOON))

    def store(self, sender: "ExecutionEnvironment") -> None:
        self.monitor.wrote(sender, envelope_key("r1"), None, envelope_item(SEALED, int(NOON)), {})

    def hours_breaches_of_send(self, sender: "ExecutionEnvironment") -> int:
        calls = [{"client-identifier": "a", "contact-numbers": ["919900000001"], "start-time": START_TIME}]
        with self.monitor.sending(sender, SEALED, 1.0, {}):
            self.monitor.accepted(SEALED, calls, {"a": "uuid"})
        return sum(violation.invariant is Invariant.HOURS for violation in self.monitor.violations)


def test_request_of_its_own_sender_is_held_to_the_hours_it_was_sealed_with() -> None:
    scene = Scene()
    sender = scene.sender()
    scene.store(sender)

    assert scene.hours_breaches_of_send(sender) == 1


def test_request_whose_sender_died_before_it_sent_is_held_to_the_hours_of_now() -> None:
    scene = Scene()
    scene.store(scene.sender())

    assert scene.hours_breaches_of_send(scene.sender()) == 0
