"""The producers and the operator: messages of all sizes, repeated, changed, retried and replayed."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import partial

from sealed_relay.calls.message import Message
from sealed_relay.calls.outcome import Reason, Status
from tests.campaign.event_source import EventSource
from tests.campaign.luck import Trouble
from tests.campaign.surroundings import FLOW_IDS, Surroundings

_SERVICE_NUMBERS = ("205", "209", "210", "213", "400", "402")
_DEADLINES_SECONDS = (5.0, 60.0, 600.0, 3600.0)
_FOLLOW_UPS = 20
_FAILED = frozenset(status.value for status in Status if status.is_failure)

Call = dict[str, object]


class Traffic:
    """Sends the run's calls over its time, and now and then looks at what failed. `calls` counts identities."""

    def __init__(self, around: Surroundings, source: EventSource) -> None:
        self.calls = 0
        self.messages = 0
        self._around = around
        self._source = source
        self._bodies: list[tuple[str, list[Call]]] = []
        self._numbers = 0
        self._is_plain = around.profile.is_plain
        self._fill()
        for number in range(_FOLLOW_UPS):
            around.schedule.after(around.profile.storm_seconds * number / _FOLLOW_UPS, self._follow_up)

    def _fill(self) -> None:
        """Plan messages until they hold all the run's calls."""
        profile, random = self._around.profile, self._around.luck.random
        left = profile.calls
        while left > 0:
            size = min(left, random.randint(1, profile.max_calls_a_message))
            left -= size
            self._around.schedule.after(random.uniform(0.0, profile.traffic_seconds), partial(self._produce, size))

    def _produce(self, size: int) -> None:
        luck = self._around.luck
        flow_id = luck.random.choice(FLOW_IDS if self._is_plain else (*FLOW_IDS, *FLOW_IDS, *FLOW_IDS, "NOFLOW00"))
        calls = [self._new_call() for _ in range(size)]
        if self._bodies and luck.strikes(Trouble.CALL_REPEATED):
            flow_id, earlier = luck.random.choice(self._bodies[-10:])
            calls += luck.random.sample(earlier, luck.random.randint(1, len(earlier)))
            if luck.strikes(Trouble.CONTENT_CHANGED):
                calls[-1] = {**calls[-1], **self._content()}
        self._send(flow_id, calls)
        self._bodies.append((flow_id, calls))
        if luck.strikes(Trouble.REPEATED):
            seconds = luck.random.choice((0.0, 1.0, 100.0, 1000.0)) * luck.random.random()
            self._around.schedule.after(seconds, lambda: self._send(flow_id, calls))
        if luck.has(0.01) and not self._is_plain:
            self.send(f"no message {self._numbers}")

    def _follow_up(self) -> None:
        """Retry a failed call as a producer would, and send a failure queue entry again as an operator would."""
        around, luck = self._around, self._around.luck
        if luck.strikes(Trouble.RETRIED):
            failed = [key for key, item in around.table.items.items() if item.get("status") in _FAILED]
            for call_id in luck.random.sample(failed, min(len(failed), 3)):
                flow_id, _, name = call_id.partition("/")
                self._send(flow_id, [{"client-identifier": name, **self._content()}])
        if luck.strikes(Trouble.REPLAYED):
            published = around.failures.published
            for failure in luck.random.sample(published, min(len(published), 3)):
                if failure.reason != Reason.INVALID_MESSAGE and not self._was_taken(failure.body):
                    self.send(failure.body)

    def _was_taken(self, body: str) -> bool:
        """What the operator learns from the vendor before an unresolved call is replayed: whether it was delivered."""
        written = json.loads(body)
        names = [f"{written['flow-id']}/{call['client-identifier']}" for call in written["calls"]]
        return any(self._around.witness.evidence.acceptances.get(name) for name in names)

    def _send(self, flow_id: str, calls: list[Call]) -> None:
        self.send(json.dumps({"flow-id": flow_id, "calls": calls}))

    def send(self, body: str) -> None:
        """Put a message on the queue."""
        around = self._around
        self.messages += 1
        message_id = around.ingress.send(body)
        sent_at = datetime.fromtimestamp(around.schedule.now, UTC)
        message = Message(message_id, "", body, sent_at, 0)
        around.witness.asked(message, around.table.items, around.profile.limits.give_up_after)
        around.tell("{} is sent: {:.400}", message_id, body)
        self._source.wake(around.schedule.now)

    def _new_call(self) -> Call:
        self.calls += 1
        return {"client-identifier": f"call-{self.calls}", **self._content()}

    def _content(self) -> Mapping[str, object]:
        """The rest of a call, with a first number of its own, and in a few a second one that the API takes amiss."""
        luck = self._around.luck
        self._numbers += 1
        numbers = [f"9199{self._numbers:08}"]
        if luck.has(0.02) and not self._is_plain:
            numbers.append(f"910000000{luck.random.choice(_SERVICE_NUMBERS)}")
        content: dict[str, object] = {"contact-numbers": numbers}
        if luck.has(0.3):
            content["keys"] = [{"name": "$flow.key.amount", "value": str(self._numbers)}]
        if self._is_plain:
            return content
        now = datetime.fromtimestamp(self._around.schedule.now, UTC)
        if luck.has(0.1):
            seconds = luck.random.choice(_DEADLINES_SECONDS) * luck.random.random()
            content["not-after"] = (now + timedelta(seconds=seconds)).isoformat()
        if luck.has(0.02):
            content["start-time"] = (now + timedelta(days=luck.random.randint(-1, 1))).isoformat()
        return content
