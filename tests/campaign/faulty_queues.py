"""The failure queue and the ingress queue as the network makes them."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from sealed_relay.ports import Failure
from tests.campaign.injected import InjectedError
from tests.campaign.luck import Trouble
from tests.campaign.surroundings import Surroundings

if TYPE_CHECKING:
    from tests.campaign.environment import Environment


class FaultyFailures:
    """Each message is a step, and a batch may be taken in part."""

    def __init__(self, surroundings: Surroundings, environment: "Environment") -> None:
        self._around = surroundings
        self._environment = environment

    def publish(self, failures: Sequence[Failure]) -> None:
        around = self._around
        for failure in around.luck.shuffled(failures):
            self._environment.step("the failure queue")
            if around.luck.strikes(Trouble.PUBLISH_FAILED):
                raise InjectedError("the failure queue took nothing")
            around.failures.publish([failure])
            around.witness.published(failure)
            around.tell("{} publishes {} for {}", self._environment.name, failure.reason, failure.source_message_id)
            if around.luck.strikes(Trouble.PUBLISH_ANSWER_LOST):
                raise InjectedError("the failure queue took it, and its answer was lost")


class FaultyIngress:
    """Each message is a step."""

    def __init__(self, surroundings: Surroundings, environment: "Environment") -> None:
        self._around = surroundings
        self._environment = environment

    def defer(self, delays_seconds: Mapping[str, float]) -> None:
        around = self._around
        for receipt_handle, seconds in delays_seconds.items():
            self._environment.step("a visibility timeout")
            if around.luck.strikes(Trouble.HAND_BACK_FAILED):
                if around.luck.has(0.5):
                    raise InjectedError("the visibility timeouts stay as they are")
                continue
            around.ingress.defer({receipt_handle: int(max(0.0, seconds)) + 1.0})  # whole seconds, as the adapter
            around.tell("{} hands back {} for {:.1f} s", self._environment.name, receipt_handle, seconds)
