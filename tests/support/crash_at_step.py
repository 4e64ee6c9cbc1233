"""Adapters that end the function at a chosen step: between any two effects, or half-way through one."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from sealed_relay.kairos.answer import Answer, NotSent
from sealed_relay.kairos.flow import Flow
from sealed_relay.ports import Connection, Failure, FailureQueue, Flows, Gateway, SourceQueue
from tests.support.compose import Adapters
from tests.support.scripted_table import ScriptedTable, before


class Killed(BaseException):
    """The function is gone. It is no Exception, so that nothing catches it."""


class Steps:
    """Counts the steps, and ends the function before step number `fatal`: nothing is done from there on.

    With an `error`, it raises this at that step alone, and the function goes on.
    """

    def __init__(self, fatal: int, error: BaseException | None = None) -> None:
        self.taken = 0
        self._fatal = fatal
        self._error = error

    def take(self) -> None:
        """Take one step."""
        self.taken += 1
        if self._error is not None and self.taken == self._fatal:
            raise self._error
        if self._error is None and self.taken >= self._fatal:
            raise Killed


def crashing(adapters: Adapters, steps: Steps) -> Adapters:
    """The same adapters, until the fatal step. Each single write of a batch is a step: a batch may be done in part."""
    table = ScriptedTable(adapters.table)
    table.at_write(before(steps.take))
    table.at_read(steps.take)
    return Adapters(
        table=table,
        flows=_Flows(adapters.flows, steps),
        gateway=_Gateway(adapters.gateway, steps),
        failure_queue=_FailureQueue(adapters.failure_queue, steps),
        source_queue=_SourceQueue(adapters.source_queue, steps),
        urgent_queue=_SourceQueue(adapters.urgent_queue, steps) if adapters.urgent_queue else None,
    )


class _Flows:
    def __init__(self, flows: Flows, steps: Steps) -> None:
        self._flows = flows
        self._steps = steps

    def get(self, flow_id: str, *, fresh: bool = False) -> Flow:
        self._steps.take()
        return self._flows.get(flow_id, fresh=fresh)


class _Gateway:
    """Three steps: before it connects, before the request leaves, and when its answer is on the way back."""

    def __init__(self, gateway: Gateway, steps: Steps) -> None:
        self._gateway = gateway
        self._steps = steps

    @contextmanager
    def connect(self, timeout_seconds: float) -> Iterator[Connection | NotSent]:
        self._steps.take()
        with self._gateway.connect(timeout_seconds) as connection:
            yield connection if isinstance(connection, NotSent) else _Connection(connection, self._steps)


class _Connection:
    def __init__(self, connection: Connection, steps: Steps) -> None:
        self._connection = connection
        self._steps = steps

    def send(self, endpoint: str, body: bytes) -> Answer:
        self._steps.take()
        answer = self._connection.send(endpoint, body)
        self._steps.take()
        return answer


class _FailureQueue:
    def __init__(self, queue: FailureQueue, steps: Steps) -> None:
        self._queue = queue
        self._steps = steps

    def publish(self, failures: Sequence[Failure]) -> None:
        for failure in failures:
            self._steps.take()
            self._queue.publish([failure])


class _SourceQueue:
    def __init__(self, queue: SourceQueue, steps: Steps) -> None:
        self._queue = queue
        self._steps = steps

    def defer(self, delays_seconds: Mapping[str, float]) -> None:
        for receipt_handle, seconds in delays_seconds.items():
            self._steps.take()
            self._queue.defer({receipt_handle: seconds})
