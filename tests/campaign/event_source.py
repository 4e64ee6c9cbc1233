"""Lambda's event source: takes batches off the queue and starts invocations, more than once for a message at times."""

import math

from sealed_relay.calls.message import Message
from tests.campaign.environment import Environment
from tests.campaign.luck import Trouble
from tests.campaign.surroundings import Surroundings

_CHANCE_OF_RECYCLING = 0.1
_LONGEST_HELD_BACK_SECONDS = 500.0


class EventSource:
    """Polls while there is anything to come. `invocations` counts those it started."""

    def __init__(self, around: Surroundings) -> None:
        self.invocations = 0
        self.requests = 0
        self._around = around
        self._running = 0
        self._idle: list[Environment] = []
        self._next_poll_at = math.inf

    def wake(self, at: float) -> None:
        """Poll then, unless it polls sooner."""
        if at < self._next_poll_at:
            self._next_poll_at = at
            self._around.schedule.at(at, self._poll_if_due)

    def _poll_if_due(self) -> None:
        if self._around.schedule.now >= self._next_poll_at:
            self._next_poll_at = math.inf
            self._poll()

    def _poll(self) -> None:
        around, luck = self._around, self._around.luck
        if self._running >= around.profile.concurrency:
            return  # whoever ends polls again
        ingress = around.ingress
        if visible := ingress.visible_ids:
            batch = luck.random.sample(visible, min(len(visible), luck.random.randint(1, around.profile.batch_size)))
            self._start(ingress.receive_these(batch))
        if luck.strikes(Trouble.DELIVERED_TWICE):
            flying = [message_id for message_id in ingress.message_ids if ingress.receive_count(message_id)]
            self._start(ingress.receive_these(luck.random.sample(flying, min(len(flying), 3))))
        if luck.strikes(Trouble.CAME_BACK) and ingress.deleted_ids:
            message_id = luck.random.choice(ingress.deleted_ids)
            around.tell("*** {} comes back", message_id)
            ingress.bring_back(message_id)
        if ingress.next_visible_at is not None:
            self.wake(
                max(ingress.next_visible_at, around.schedule.now) + luck.random.random() * around.profile.poll_seconds
            )

    def _start(self, messages: list[Message]) -> None:
        around, luck = self._around, self._around.luck
        if not messages:
            return
        if luck.strikes(Trouble.TWICE_IN_ONE_BATCH):
            messages.append(messages[0])
        self.invocations += 1
        self._running += 1
        number = self.invocations
        held_back = luck.strikes(Trouble.DELIVERED_LATE)
        seconds = luck.random.uniform(0.0, _LONGEST_HELD_BACK_SECONDS) if held_back else 0.0
        around.schedule.after(seconds, lambda: around.schedule.start(lambda: self._invoke(number, messages)))

    def _invoke(self, number: int, messages: list[Message]) -> None:
        around = self._around
        environment = self._idle.pop() if self._idle else Environment(around)
        around.tell("#{} gets {}", number, [message.receipt_handle for message in messages])
        sent_before = environment.requests_sent
        environment.invoke(number, messages)
        self.requests += environment.requests_sent - sent_before
        self._running -= 1
        if not environment.is_killed and not around.luck.has(_CHANCE_OF_RECYCLING):
            self._idle.append(environment)
        self.wake(around.schedule.now)
