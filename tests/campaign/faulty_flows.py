"""The flows' secrets, out of reach now and then."""

from typing import TYPE_CHECKING

from sealed_relay.flow import Flow, UnusableFlowError
from tests.campaign.luck import Trouble
from tests.campaign.surroundings import Surroundings

if TYPE_CHECKING:
    from tests.campaign.invocation import Invocation


class FaultyFlows:
    """Keeps the promises of `ports.Flows`, which allow for a secret that cannot be read now."""

    def __init__(self, surroundings: Surroundings, invocation: "Invocation") -> None:
        self._around = surroundings
        self._invocation = invocation

    def get(self, flow_id: str, *, fresh: bool = False) -> Flow:
        self._invocation.step(flow_id)
        if self._around.luck.strikes(Trouble.SECRET_UNAVAILABLE):
            raise UnusableFlowError("the secret cannot be read now")
        return self._around.flows.get(flow_id, fresh=fresh)
