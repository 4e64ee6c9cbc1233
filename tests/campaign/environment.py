"""One of the function's environments: the product's relay over ports that fail, and what SQS makes of its answers."""

from collections.abc import Sequence
from datetime import timedelta
from typing import NoReturn

from sealed_relay.admission.control import Admission
from sealed_relay.batch.process_batch import relay
from sealed_relay.calls.message import Message
from sealed_relay.dependencies import Dependencies
from sealed_relay.kairos.flow import UnusableFlowError
from sealed_relay.ledger.call_records import Ledger
from sealed_relay.ledger.request_log import LeaseLostError, RequestLog
from sealed_relay.observability.events import Observation, RequestSent, WorkFailed
from tests.campaign.evidence import Invariant
from tests.campaign.executor import CoroutineExecutor, Killed
from tests.campaign.faulty_flows import FaultyFlows
from tests.campaign.faulty_gateway import FaultyGateway
from tests.campaign.faulty_queues import FaultyFailures, FaultyIngress
from tests.campaign.faulty_table import FaultyTable
from tests.campaign.injected import InjectedError
from tests.campaign.luck import Trouble
from tests.campaign.surroundings import Surroundings

FUNCTION_TIMEOUT_SECONDS = 60.0
_LARGEST_SKEW_SECONDS = 1.5
_EXPECTED_ERRORS = (InjectedError, LeaseLostError, UnusableFlowError)


class Environment:
    """Composed once, as the handler does it, for one invocation after the other; gone once one of them is killed.

    Of the invocation that runs in it: `name`; `began_at` and `deadline` in true time, where `clock` is as its machine
    tells it; the ids of `leases` it took, and of requests it `stored`.
    """

    def __init__(self, surroundings: Surroundings) -> None:
        self._around = surroundings
        luck = surroundings.luck
        is_skewed = luck.strikes(Trouble.SKEWED_CLOCK)
        self._skew_seconds = luck.random.uniform(-1.0, 1.0) * _LARGEST_SKEW_SECONDS if is_skewed else 0.0
        self.is_killed = False
        self.requests_sent = 0
        self._dependencies = self._compose()

    def clock(self) -> float:
        """Seconds since 1970 by its own clock."""
        return self._around.schedule.now + self._skew_seconds

    def step(self, what: str) -> None:
        """Before each effect: time may pass, others may go on, and this environment may be killed."""
        luck = self._around.luck
        if luck.strikes(Trouble.KILLED):
            self._around.tell("{} is killed before {}", self.name, what)
            self.die()
        if luck.random.random() < self._around.profile.pause_chance:
            slow = luck.strikes(Trouble.SLOW_STEP)
            self.pass_time(luck.random.random() * (60.0 if slow else self._around.profile.pause_seconds))
        else:
            self.die_if_over()

    def pass_time(self, seconds: float) -> None:
        """Wait for something that takes so long; no longer than there is time."""
        self._around.schedule.sleep(max(0.0, min(seconds, self.deadline - self._around.schedule.now)))
        self.die_if_over()

    def die(self) -> NoReturn:
        """End here, and every other piece of its work where it next comes to a step."""
        self.is_killed = True
        raise Killed

    def die_if_over(self) -> None:
        """End here if it was killed in another piece of its work, or its time is over."""
        if self.is_killed or self._around.schedule.now >= self.deadline:
            self.die()

    def invoke(self, number: int, messages: Sequence[Message]) -> None:
        """Relay a batch, and let the event source take off the queue what was not kept."""
        tell = self._around.tell
        self.name = f"#{number}"
        self.began_at = self._around.schedule.now
        self.deadline = self.began_at + FUNCTION_TIMEOUT_SECONDS
        self.leases: set[str] = set()
        self.stored: set[str] = set()
        try:
            kept = relay(self._dependencies, messages, self.deadline + self._skew_seconds)
            self.step("its answer")
            tell("{} keeps {}", self.name, kept)
            self._acknowledge(messages, kept)
        except Killed:
            tell("{} is gone", self.name)
        except Exception as error:  # noqa: BLE001 - as Lambda does it: the whole batch comes back
            tell("{} fails: {!r}", self.name, error)
            self._judge_error(error)

    def _compose(self) -> Dependencies:
        around = self._around
        limits = around.profile.limits
        table = FaultyTable(around, self)
        return Dependencies(
            ledger=Ledger(table, self.clock, b"a content hash key", timedelta(days=90)),
            requests=RequestLog(
                table,
                self.clock,
                keep_outcomes=timedelta(days=90),
                keep_envelopes=limits.give_up_after + timedelta(days=1),
            ),
            admission=Admission(table, self.clock, self._pause, self._observe, around.profile.requests_per_minute),
            flows=FaultyFlows(around, self),
            gateway=FaultyGateway(around, self),
            failures=FaultyFailures(around, self),
            ingress=FaultyIngress(around, self),
            limits=limits,
            clock=self.clock,
            random_bytes=around.luck.random.randbytes,
            draw=lambda: around.luck.random.random() ** around.profile.haste,
            executor=CoroutineExecutor(around.schedule),
            observe=self._observe,
        )

    def _pause(self, at_most_seconds: float) -> None:
        self.pass_time(self._around.luck.random.random() * at_most_seconds)

    def _observe(self, observation: Observation) -> None:
        if isinstance(observation, WorkFailed):
            self._around.tell("{} has work that failed: {!r}", self.name, observation.error)
            self._judge_error(observation.error)
        elif isinstance(observation, RequestSent):
            self.requests_sent += 1

    def _judge_error(self, error: BaseException) -> None:
        if not isinstance(error, _EXPECTED_ERRORS):
            self._around.witness.breach(Invariant.NOTHING_UNEXPECTED, repr(error))

    def _acknowledge(self, messages: Sequence[Message], kept: Sequence[str]) -> None:
        luck, ingress = self._around.luck, self._around.ingress
        for message in messages:
            if message.message_id in kept or not ingress.holds(message.message_id):
                continue
            is_stale = ingress.receive_count(message.message_id) != message.receive_count
            if luck.strikes(Trouble.ACKNOWLEDGEMENT_LOST) or (is_stale and luck.has(0.5)):
                self._around.tell("{} acknowledges {}, which nobody hears", self.name, message.message_id)
            else:
                ingress.delete(message.message_id)
                self._around.tell("{} acknowledges {}", self.name, message.message_id)
