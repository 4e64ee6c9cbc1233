"""The producers: messages of all sizes, repeated, changed and retried."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import partial

from sealed_relay.calls.message import Lane
from sealed_relay.calls.outcome import Status
from tests.campaign.event_source import EventSource
from tests.campaign.fault_chance import FaultKind
from tests.campaign.services import FLOW_IDS, Services

_SERVICE_NUMBERS = ("205", "209", "210", "213", "400", "402")
_DEADLINES_SECONDS = (5.0, 60.0, 600.0, 3600.0)
_FOLLOW_UPS = 20
_FAILED = frozenset(status.value for status in Status if status.is_failure)

Call = dict[str, object]


class Producers:
    """Sends the run's calls over its time, and sometimes retries what failed. `calls` counts identities.

    Each message goes to one of the queues, so that a call that is repeated may be in both.
    """

    def __init__(self, services: Services, sources: Mapping[Lane, EventSource]) -> None:
        self.calls = 0
        self.messages = 0
        self.urgent_messages = 0
        self._services = services
        self._sources = sources
        self._bodies: list[tuple[str, list[Call]]] = []
        self._numbers = 0
        self._is_plain = services.profile.is_plain
        self._fill()
        for number in range(_FOLLOW_UPS):
            services.schedule.after(services.profile.fault_seconds * number / _FOLLOW_UPS, self._follow_up)

    def _fill(self) -> None:
        """Plan messages until they hold all the run's calls."""
        profile, random = self._services.profile, self._services.chance.random
        left = profile.calls
        while left > 0:
            size = min(left, random.randint(1, profile.max_calls_a_message))
            left -= size
            self._services.schedule.after(random.uniform(0.0, profile.traffic_seconds), partial(self._produce, size))

    def _produce(self, size: int) -> None:
        chance = self._services.chance
        flow_id = chance.random.choice(FLOW_IDS if self._is_plain else (*FLOW_IDS, *FLOW_IDS, *FLOW_IDS, "NOFLOW00"))
        calls = [self._new_call() for _ in range(size)]
        if self._bodies and chance.occurs(FaultKind.CALL_REPEATED):
            flow_id, earlier = chance.random.choice(self._bodies[-10:])
            calls += chance.random.sample(earlier, chance.random.randint(1, len(earlier)))
            if chance.occurs(FaultKind.CONTENT_CHANGED):
                calls[-1] = {**calls[-1], **self._content()}
        self._send(flow_id, calls)
        self._bodies.append((flow_id, calls))
        if chance.occurs(FaultKind.MESSAGE_REPEATED):
            self._repeat(flow_id, calls)
        if chance.happens(0.01) and not self._is_plain:
            self.send(f"no message {self._numbers}", self._lane())

    def _repeat(self, flow_id: str, calls: list[Call]) -> None:
        chance = self._services.chance
        longest_seconds = chance.random.choice((0.0, 1.0, 100.0, 1000.0))
        for _ in range(chance.random.randint(1, self._services.profile.max_copies)):
            copies = calls
            if self._services.profile.max_copies > 1 and chance.occurs(FaultKind.CONTENT_CHANGED):
                copies = [*calls[:-1], {**calls[-1], **self._content()}]
            seconds = longest_seconds * chance.random.random()
            self._services.schedule.after(seconds, partial(self._send, flow_id, copies))

    def _follow_up(self) -> None:
        """Retry failed calls with other content, as a producer may."""
        services, chance = self._services, self._services.chance
        if chance.occurs(FaultKind.RETRIED):
            failed = [key for key, item in services.table.items.items() if item.get("status") in _FAILED]
            for call_id in chance.random.sample(failed, min(len(failed), 3)):
                flow_id, _, name = call_id.partition("/")
                self._send(flow_id, [{"client-identifier": name, **self._content()}])

    def _send(self, flow_id: str, calls: list[Call]) -> None:
        self.send(json.dumps({"flow-id": flow_id, "calls": calls}), self._lane())

    def send(self, body: str, lane: Lane) -> None:
        """Put a message on the queue of a lane."""
        self.messages += 1
        self.urgent_messages += lane is Lane.URGENT
        self._services.send(body, lane)
        self._sources[lane].wake(self._services.schedule.now)

    def _lane(self) -> Lane:
        return Lane.URGENT if self._services.chance.happens(self._services.profile.urgent_share) else Lane.INGRESS

    def _new_call(self) -> Call:
        self.calls += 1
        return {"client-identifier": f"call-{self.calls}", **self._content()}

    def _content(self) -> Mapping[str, object]:
        """The rest of a call, with a first number of its own, and in a few a second one that the API takes amiss."""
        chance = self._services.chance
        self._numbers += 1
        numbers = [f"9199{self._numbers:08}"]
        if chance.happens(0.02) and not self._is_plain:
            numbers.append(f"910000000{chance.random.choice(_SERVICE_NUMBERS)}")
        content: dict[str, object] = {"contact-numbers": numbers}
        if chance.happens(0.3):
            content["keys"] = [{"name": "$flow.key.amount", "value": str(self._numbers)}]
        if self._is_plain:
            return content
        now = datetime.fromtimestamp(self._services.schedule.now, UTC)
        if chance.happens(0.1):
            seconds = chance.random.choice(_DEADLINES_SECONDS) * chance.random.random()
            content["not-after"] = (now + timedelta(seconds=seconds)).isoformat()
        if chance.happens(0.05):
            days = chance.random.choice((-1.0, 0.0, 1.0, chance.random.uniform(-0.5, 0.5)))
            content["start-time"] = (now + timedelta(days=days)).isoformat()
            content.pop("not-after", None)
        return content
