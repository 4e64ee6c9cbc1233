"""An operator who replays the failure queue while the relay works: the operator's own function, over faulty queues."""

from collections.abc import Callable, Collection, Mapping, Sequence

from sealed_relay_replay.entry import UNRESOLVED, Entry
from sealed_relay_replay.event import read_event
from sealed_relay_replay.ports import Dependencies
from sealed_relay_replay.replay import Run
from tests.campaign.coroutine_executor import Killed
from tests.campaign.evidence import Invariant
from tests.campaign.fault_chance import FaultKind
from tests.campaign.injected_error import InjectedError
from tests.campaign.services import Services

_LOOKS = 10
_LONGEST_POLL_SECONDS = 1.0
_TIMEOUT_SECONDS = 300.0


class ReplayRuns:
    """Starts runs at random times until the run's `fault_seconds` are over. `send` puts a message on the queue."""

    def __init__(self, services: Services, send: Callable[[str], object]) -> None:
        self._services = services
        self._send = send
        for number in range(_LOOKS):
            services.schedule.after(services.profile.fault_seconds * number / _LOOKS, self._look)

    def _look(self) -> None:
        if self._services.chance.occurs(FaultKind.REPLAYED):
            self._services.schedule.start(self._run)

    def _run(self) -> None:
        services = self._services
        asked: dict[str, object] = {"dry_run": False, "messages_per_second": 100}
        if services.chance.happens(0.3):
            asked["reasons"] = [UNRESOLVED]
        services.trace("*** a replay begins: {}", asked)
        queues = _FaultyQueues(services, self._send)
        dependencies = Dependencies(queues, queues, queues, services.schedule, services.schedule.sleep)
        run = Run(dependencies, read_event(asked), services.schedule.now + _TIMEOUT_SECONDS)
        try:
            run.execute()
        except (InjectedError, Killed):
            services.trace("*** the replay is cut short")
        services.trace("*** the replay ends: {}", run.answer.total)


class _FaultyQueues:
    """The failure queue, the queue that entries return to, and the records. Each effect may fail, or be the last."""

    def __init__(self, services: Services, send: Callable[[str], object]) -> None:
        self._services = services
        self._queue = services.failure_entries
        self._send = send
        self._taken: set[str] = set()
        self._is_killed = False

    def receive(self, max_entries: int, visibility_timeout_seconds: int) -> list[Entry]:
        self._step()
        received = self._queue.receive(max_entries, visibility_timeout_seconds)
        if not received:
            self._services.schedule.sleep(_LONGEST_POLL_SECONDS)
        return received

    def send(self, bodies: Mapping[str, str]) -> set[str]:
        taken: set[str] = set()
        for message_id, body in bodies.items():
            self._step()
            if self._services.chance.happens(0.9):
                self._send(body)
                taken.add(message_id)
        self._taken |= taken
        self._step()
        return taken

    def delete(self, receipt_handles: Collection[str]) -> None:
        for receipt_handle in receipt_handles:
            self._step()
            message_id = receipt_handle.partition("/")[0]
            if message_id not in self._taken:
                self._services.monitor.breach(Invariant.REPLAY, f"{message_id} was in no other queue")
            if self._services.chance.happens(0.9):
                self._queue.delete([receipt_handle])

    def release(self, receipt_handles: Collection[str]) -> None:
        self._step()
        self._queue.release(receipt_handles)

    def statuses(self, call_ids: Sequence[str]) -> dict[str, str]:
        self._step()
        items = self._services.table.items
        return {call_id: str(items[call_id]["status"]) for call_id in call_ids if call_id in items}

    def _step(self) -> None:
        """Time passes. The function may be killed, or the next effect fails."""
        chance = self._services.chance
        self._is_killed = self._is_killed or chance.occurs(FaultKind.REPLAY_KILLED)
        if self._is_killed:
            raise Killed
        self._services.schedule.sleep(chance.random.random() * self._services.profile.pause_seconds)
        if chance.occurs(FaultKind.REPLAY_FAILED):
            raise InjectedError("the replay cannot go on")
