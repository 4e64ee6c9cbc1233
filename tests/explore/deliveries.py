"""Producers and Lambda's event source: what is visible is delivered at once, and by deviation twice or late."""

import math

from sealed_relay.calls.message import Lane, Message
from tests.campaign.execution_environment import ExecutionEnvironment
from tests.campaign.fault_chance import FaultKind
from tests.campaign.services import Services
from tests.explore.scheduled_faults import ScheduledFaults

_BATCHING_WINDOW_SECONDS = 1.0
_SECOND_DELIVERIES_SECONDS = (0.1, 40.0, 75.0, 200.0)
_HELD_BACK_SECONDS = (75.0, 450.0)
_COME_BACK_SECONDS = (5.0, 100.0, 700.0)


class Deliveries:
    """Starts an invocation for each batch of up to `batch_size` messages from the queue of a lane."""

    def __init__(self, services: Services, chance: ScheduledFaults, batch_size: int, lane: Lane) -> None:
        self._services = services
        self._queue = services.queues[lane]
        self._lane = lane
        self._chance = chance
        self._batch_size = batch_size
        self._invocations = 0
        self._next_poll_at = math.inf

    def send(self, body: str) -> None:
        """Put a message on the queue."""
        self._services.send(body, self._lane)
        self._wake()

    def _wake(self) -> None:
        visible_at = self._queue.next_visible_at
        if visible_at is None:
            return
        at = max(visible_at, self._services.schedule.now) + _BATCHING_WINDOW_SECONDS
        if at < self._next_poll_at:
            self._next_poll_at = at
            self._services.schedule.at(at, self._poll)

    def _poll(self) -> None:
        services = self._services
        if services.schedule.now < self._next_poll_at:
            return
        self._next_poll_at = math.inf
        while visible := self._queue.visible_ids[: self._batch_size]:
            self._deliver(visible)
            twice = self._chance.deviate("second delivery after", _SECOND_DELIVERIES_SECONDS)
            if twice is not None:
                services.schedule.after(twice, lambda ids=visible: self._deliver(ids))  # type: ignore[misc]
        self._wake()

    def _deliver(self, message_ids: list[str]) -> None:
        services, chance = self._services, self._chance
        queue = self._queue
        messages = queue.receive_these([message_id for message_id in message_ids if queue.holds(message_id)])
        if not messages:
            return
        if chance.occurs(FaultKind.TWICE_IN_ONE_BATCH):
            messages.append(messages[0])
        self._invocations += 1
        number = self._invocations
        seconds = chance.deviate("invocation late by", _HELD_BACK_SECONDS) or 0.0
        services.schedule.after(seconds, lambda: services.schedule.start(lambda: self._invoke(number, messages)))

    def _invoke(self, number: int, messages: list[Message]) -> None:
        services = self._services
        environment = services.idle.pop() if services.idle else ExecutionEnvironment(services)
        held_before = set(self._queue.message_ids)
        environment.invoke(number, messages, self._lane)
        for message in messages:
            message_id = message.message_id
            if message_id in held_before and not self._queue.holds(message_id):
                held_before.remove(message_id)
                self._may_come_back(message_id)
        if not environment.is_killed:
            services.idle.append(environment)
        self._wake()

    def _may_come_back(self, message_id: str) -> None:
        seconds = self._chance.deviate("deleted message comes back after", _COME_BACK_SECONDS)
        if seconds is not None:
            self._services.schedule.after(seconds, lambda: self._bring_back(message_id))

    def _bring_back(self, message_id: str) -> None:
        self._services.trace("*** {} comes back", message_id)
        self._queue.bring_back(message_id)
        self._wake()
