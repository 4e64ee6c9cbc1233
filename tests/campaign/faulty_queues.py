"""The failure queue, and the queues that messages come from, over a faulty network."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from sealed_relay.calls.message import Lane
from sealed_relay.ports import Failure
from tests.campaign.evidence import Invariant
from tests.campaign.fault_chance import FaultKind
from tests.campaign.injected_error import InjectedError
from tests.campaign.services import Services

if TYPE_CHECKING:
    from tests.campaign.execution_environment import ExecutionEnvironment


class FaultyFailures:
    """Each message is a step, and a batch may be taken in part."""

    def __init__(self, services: Services, environment: "ExecutionEnvironment") -> None:
        self._services = services
        self._environment = environment

    def publish(self, failures: Sequence[Failure]) -> None:
        services = self._services
        for failure in services.chance.shuffled(failures):
            self._environment.step("the failure queue")
            if services.chance.occurs(FaultKind.PUBLISH_FAILED):
                raise InjectedError("the failure queue took nothing")
            services.failures.publish([failure])
            services.failure_entries.put(failure.body, failure.reason, failure.code, 0.0, failure.source_queue)
            services.monitor.published(failure)
            services.trace("{} publishes {} for {}", self._environment.name, failure.reason, failure.source_message_id)
            if services.chance.occurs(FaultKind.PUBLISH_ANSWER_LOST):
                raise InjectedError("the failure queue took it, and its answer was lost")


class FaultyQueue:
    """The queue of a lane. Each message is a step."""

    def __init__(self, services: Services, environment: "ExecutionEnvironment", lane: Lane) -> None:
        self._services = services
        self._environment = environment
        self._lane = lane

    def defer(self, delays_seconds: Mapping[str, float]) -> None:
        services = self._services
        if self._lane is not self._environment.lane:
            services.monitor.breach(Invariant.OWN_QUEUE, f"{self._environment.name} defers in {self._lane}")
        for receipt_handle, seconds in delays_seconds.items():
            self._environment.step("a visibility timeout")
            if services.chance.occurs(FaultKind.DEFER_FAILED):
                if services.chance.happens(0.5):
                    raise InjectedError("the visibility timeouts stay as they are")
                continue
            services.queues[self._lane].defer(
                {receipt_handle: int(max(0.0, seconds)) + 1.0}
            )  # whole seconds, as the adapter
            services.trace("{} hands back {} for {:.1f} s", self._environment.name, receipt_handle, seconds)
