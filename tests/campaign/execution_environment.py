"""One execution environment of the function: the relay over ports that fail, and how SQS handles its answers."""

from collections.abc import Sequence
from typing import NoReturn

from sealed_relay.admission.rate_limiter import CLOCKS_DIFFER_SECONDS
from sealed_relay.batch.process_batch import process_batch
from sealed_relay.calls.message import Lane, Message
from sealed_relay.dependencies import Dependencies
from sealed_relay.kairos.flow import UnusableFlowError
from sealed_relay.ledger.request_log import LeaseLostError
from sealed_relay.observability.events import Observation, RequestSent, WorkFailed
from tests.campaign.coroutine_executor import CoroutineExecutor, Killed
from tests.campaign.evidence import Invariant
from tests.campaign.fault_chance import FaultKind
from tests.campaign.faulty_flows import FaultyFlows
from tests.campaign.faulty_gateway import FaultyGateway
from tests.campaign.faulty_queues import FaultyFailures, FaultyQueue
from tests.campaign.faulty_table import FaultyTable
from tests.campaign.injected_error import InjectedError
from tests.campaign.services import Services
from tests.support.compose import Adapters, compose

FUNCTION_TIMEOUT_SECONDS = 60.0
_MAX_SKEW_SECONDS = CLOCKS_DIFFER_SECONDS / 2
"""Each clock is at most so far off the true time: the difference that the rate limit allows for, at its full size."""
_EXPECTED_ERRORS = (InjectedError, LeaseLostError, UnusableFlowError)


class ExecutionEnvironment:
    """Composed once, as the handler does it. Runs one invocation after another, and ends when one of them is killed.

    Of the invocation that runs in it: `name` and `lane`; `began_at` and `deadline` in true time, where `clock` is as
    its machine tells it; the ids of `leases` it took, and of requests it `stored`; how many requests it sent, and how
    many start times in them calling hours had moved.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._skew_seconds = self._draw_skew_seconds()
        self.is_killed = False
        self._dependencies = self._compose()

    def _draw_skew_seconds(self) -> float:
        chance = self._services.chance
        if not chance.occurs(FaultKind.SKEWED_CLOCK):
            return 0.0
        return chance.random.choice((-1.0, 1.0, chance.random.uniform(-1.0, 1.0))) * _MAX_SKEW_SECONDS

    def clock(self) -> float:
        """Seconds since 1970 by its own clock."""
        return self._services.schedule.now + self._skew_seconds

    def step(self, what: str, *, is_read: bool = False) -> None:
        """Called before each read and effect: time may pass, other work may go on, or this environment is killed."""
        chance = self._services.chance
        if chance.kills(before_read=is_read):
            self._services.trace("{} is killed before {}", self.name, what)
            self.die()
        profile = self._services.profile
        seconds = chance.pause_seconds(profile.pause_chance, profile.pause_seconds)
        if seconds is None:
            self.die_if_over()
        else:
            self.pass_time(seconds)

    def pass_time(self, seconds: float) -> None:
        """Wait so many seconds, at most until the deadline."""
        self._services.schedule.sleep(max(0.0, min(seconds, self.deadline - self._services.schedule.now)))
        self.die_if_over()

    def die(self) -> NoReturn:
        """End here. Every other piece of its work ends at its next step."""
        self.is_killed = True
        raise Killed

    def die_if_over(self) -> None:
        """End here if another piece of its work was killed, or if its time is over."""
        if self.is_killed or self._services.schedule.now >= self.deadline:
            self.die()

    def invoke(self, number: int, messages: Sequence[Message], lane: Lane) -> None:
        """Relay a batch from the queue of a lane, and delete from that queue what the relay did not keep."""
        trace = self._services.trace
        self.name = f"#{number}" if lane is Lane.INGRESS else f"#{number}u"
        self.lane = lane
        self.requests_sent = self.starts_moved = 0
        trace("{} gets {}", self.name, [message.receipt_handle for message in messages])
        self.began_at = self._services.schedule.now
        self.deadline = self.began_at + FUNCTION_TIMEOUT_SECONDS
        self.leases: set[str] = set()
        self.stored: set[str] = set()
        try:
            kept = process_batch(self._dependencies, messages, self.deadline + self._skew_seconds, lane)
            self.step("its answer")
            trace("{} keeps {}", self.name, kept)
            self._acknowledge(messages, kept)
        except Killed:
            trace("{} is gone", self.name)
        except Exception as error:  # noqa: BLE001 - as Lambda does it: the whole batch comes back
            trace("{} fails: {!r}", self.name, error)
            self._judge_error(error)

    def _compose(self) -> Dependencies:
        services = self._services
        return compose(
            Adapters(
                table=FaultyTable(services, self),
                flows=FaultyFlows(services, self),
                gateway=FaultyGateway(services, self),
                failure_queue=FaultyFailures(services, self),
                source_queue=FaultyQueue(services, self, Lane.INGRESS),
                urgent_queue=FaultyQueue(services, self, Lane.URGENT),
            ),
            clock=self.clock,
            sleep=self._pause,
            random_bytes=services.chance.random.randbytes,
            draw=lambda: services.chance.random.random() ** services.profile.haste,
            executor=CoroutineExecutor(services.schedule),
            observe=self._observe,
            limits=services.profile.limits,
            requests_per_minute=services.profile.requests_per_minute,
            urgent_reserve=services.profile.urgent_reserve,
        )

    def _pause(self, at_most_seconds: float) -> None:
        self.pass_time(self._services.chance.random.random() * at_most_seconds)

    def _observe(self, observation: Observation) -> None:
        if isinstance(observation, WorkFailed):
            self._services.trace("{} has work that failed: {!r}", self.name, observation.error)
            self._judge_error(observation.error)
        elif isinstance(observation, RequestSent):
            self.requests_sent += 1
            self.starts_moved += observation.start_times_moved

    def _judge_error(self, error: BaseException) -> None:
        if not isinstance(error, _EXPECTED_ERRORS):
            self._services.monitor.breach(Invariant.NOTHING_UNEXPECTED, repr(error))

    def _acknowledge(self, messages: Sequence[Message], kept: Sequence[str]) -> None:
        chance, queue = self._services.chance, self._services.queues[self.lane]
        for message in messages:
            if message.message_id in kept or not queue.holds(message.message_id):
                continue
            self._services.monitor.left_queue(message, self._services.table.items)
            is_stale = queue.receive_count(message.message_id) != message.receive_count
            if chance.occurs(FaultKind.ACKNOWLEDGEMENT_LOST) or (is_stale and chance.happens(0.5)):
                self._services.trace("{} acknowledges {}, which nobody hears", self.name, message.message_id)
            else:
                queue.delete(message.message_id)
                self._services.trace("{} acknowledges {}", self.name, message.message_id)
