"""Dependencies that die at a chosen step: between any two effects, or half-way through one."""

from collections.abc import Mapping, Sequence

from sealed_relay.kairos.answer import Answer
from sealed_relay.kairos.flow import Flow
from sealed_relay.ports import Change, Failure, Item
from tests.support.flows import InMemoryFlows
from tests.support.gateway import SimulatedGateway
from tests.support.queues import InMemoryFailures, InMemoryIngress
from tests.support.table import InMemoryTable


class Killed(BaseException):
    """The function is gone. Not an Exception: nothing may catch it."""


class Steps:
    """Counts what is done to the dependencies, and kills the function right before step number `fatal`."""

    def __init__(self, fatal: int) -> None:
        self.taken = 0
        self._fatal = fatal

    def take(self) -> None:
        self.taken += 1
        if self.taken == self._fatal:
            raise Killed


class CrashingTable:
    """Each single write of a batch is a step: a batch may be done in part."""

    def __init__(self, table: InMemoryTable, steps: Steps) -> None:
        self._table = table
        self._steps = steps

    def insert(self, items: Sequence[Item]) -> list[bool]:
        done = []
        for item in items:
            self._steps.take()
            done += self._table.insert([item])
        return done

    def update(self, changes: Sequence[Change]) -> list[bool]:
        done = []
        for change in changes:
            self._steps.take()
            done += self._table.update([change])
        return done

    def read(self, keys: Sequence[str]) -> dict[str, Item]:
        self._steps.take()
        return self._table.read(keys)


class CrashingFlows:
    def __init__(self, flows: InMemoryFlows, steps: Steps) -> None:
        self._flows = flows
        self._steps = steps

    def get(self, flow_id: str, *, fresh: bool = False) -> Flow:
        self._steps.take()
        return self._flows.get(flow_id, fresh=fresh)


class CrashingGateway:
    """Two steps: before the request leaves, and when its answer is on the way back."""

    def __init__(self, gateway: SimulatedGateway, steps: Steps) -> None:
        self._gateway = gateway
        self._steps = steps

    def send(self, endpoint: str, body: bytes, timeout_seconds: float) -> Answer:
        self._steps.take()
        answer = self._gateway.send(endpoint, body, timeout_seconds)
        self._steps.take()
        return answer


class CrashingFailures:
    def __init__(self, failures: InMemoryFailures, steps: Steps) -> None:
        self._failures = failures
        self._steps = steps

    def publish(self, failures: Sequence[Failure]) -> None:
        for failure in failures:
            self._steps.take()
            self._failures.publish([failure])


class CrashingIngress:
    def __init__(self, ingress: InMemoryIngress, steps: Steps) -> None:
        self._ingress = ingress
        self._steps = steps

    def defer(self, delays_seconds: Mapping[str, float]) -> None:
        for receipt_handle, seconds in delays_seconds.items():
            self._steps.take()
            self._ingress.defer({receipt_handle: seconds})
