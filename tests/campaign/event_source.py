"""Lambda's event source: takes batches off the queue and starts invocations, sometimes twice for one message."""

import math

from sealed_relay.calls.message import Lane, Message
from tests.campaign.execution_environment import ExecutionEnvironment
from tests.campaign.fault_chance import FaultKind
from tests.campaign.services import Services

_CHANCE_OF_RECYCLING = 0.1
_LONGEST_DELIVERY_DELAY_SECONDS = 500.0


class EventSource:
    """Polls the queue of a lane as long as messages can come.

    `invocations` counts what it started, `requests` what these sent, and `starts_moved` the start times in them that
    calling hours had moved.
    """

    def __init__(self, services: Services, lane: Lane) -> None:
        self.invocations = 0
        self.requests = 0
        self.starts_moved = 0
        self._services = services
        self._lane = lane
        self._queue = services.queues[lane]
        self._running = 0
        self._next_poll_at = math.inf

    def wake(self, at: float) -> None:
        """Poll then, unless it polls sooner."""
        if at < self._next_poll_at:
            self._next_poll_at = at
            self._services.schedule.at(at, self._poll_if_due)

    def _poll_if_due(self) -> None:
        if self._services.schedule.now >= self._next_poll_at:
            self._next_poll_at = math.inf
            self._poll()

    def _poll(self) -> None:
        services, chance = self._services, self._services.chance
        if self._running >= services.profile.concurrency:
            return  # the next invocation that ends polls again
        queue = self._queue
        if visible := queue.visible_ids:
            batch = chance.random.sample(
                visible, min(len(visible), chance.random.randint(1, services.profile.batch_size))
            )
            self._start(queue.receive_these(batch))
        if chance.occurs(FaultKind.DELIVERED_TWICE):
            flying = [message_id for message_id in queue.message_ids if queue.receive_count(message_id)]
            self._start(queue.receive_these(chance.random.sample(flying, min(len(flying), 3))))
        if chance.occurs(FaultKind.CAME_BACK) and queue.deleted_ids:
            message_id = chance.random.choice(queue.deleted_ids)
            services.trace("*** {} comes back", message_id)
            queue.bring_back(message_id)
        if queue.next_visible_at is not None:
            self.wake(
                max(queue.next_visible_at, services.schedule.now)
                + chance.random.random() * services.profile.poll_seconds
            )

    def _start(self, messages: list[Message]) -> None:
        services, chance = self._services, self._services.chance
        if not messages:
            return
        if chance.occurs(FaultKind.TWICE_IN_ONE_BATCH):
            messages.append(messages[0])
        self.invocations += 1
        self._running += 1
        number = self.invocations
        held_back = chance.occurs(FaultKind.DELIVERED_LATE)
        seconds = chance.random.uniform(0.0, _LONGEST_DELIVERY_DELAY_SECONDS) if held_back else 0.0
        services.schedule.after(seconds, lambda: services.schedule.start(lambda: self._invoke(number, messages)))

    def _invoke(self, number: int, messages: list[Message]) -> None:
        services = self._services
        environment = services.idle.pop() if services.idle else ExecutionEnvironment(services)
        environment.invoke(number, messages, self._lane)
        self.requests += environment.requests_sent
        self.starts_moved += environment.starts_moved
        self._running -= 1
        if not environment.is_killed and not services.chance.happens(_CHANCE_OF_RECYCLING):
            services.idle.append(environment)
        self.wake(services.schedule.now)
