"""The flows' secrets, unavailable at times, and cached as long as the product caches them."""

from typing import TYPE_CHECKING

from sealed_relay.kairos.flow import Flow, UnknownFlowError, UnusableFlowError
from tests.campaign.fault_chance import FaultKind
from tests.campaign.services import Services

if TYPE_CHECKING:
    from tests.campaign.execution_environment import ExecutionEnvironment

_KEEP_SECONDS = 300.0


class FaultyFlows:
    """Keeps the promises of `ports.Flows`, which allow for a secret that cannot be read now."""

    def __init__(self, services: Services, environment: "ExecutionEnvironment") -> None:
        self._services = services
        self._environment = environment
        self._cached: dict[str, tuple[Flow, float]] = {}

    def get(self, flow_id: str, *, fresh: bool = False) -> Flow:
        cached, until = self._cached.get(flow_id, (None, 0.0))
        if cached and not fresh and self._environment.clock() < until:
            return cached
        self._environment.step(flow_id, is_read=True)
        if self._services.chance.occurs(FaultKind.SECRET_UNAVAILABLE):
            raise UnusableFlowError("the secret cannot be read now")
        flow = self._services.secrets.get(flow_id)
        if flow is None:
            raise UnknownFlowError("there is no such secret")
        self._cached[flow_id] = (flow, self._environment.clock() + _KEEP_SECONDS)
        return flow
