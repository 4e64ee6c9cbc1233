"""An operator who replays the failure queue while the relay works: the operator's own function, over faulty queues."""

from collections.abc import Callable, Collection, Sequence

from sealed_relay.calls.message import Lane
from sealed_relay_operations.ports import Dependencies
from sealed_relay_operations.reasons import UNRESOLVED
from sealed_relay_operations.replay.entry import Entry
from sealed_relay_operations.replay.run import Run
from sealed_relay_operations.request import Replay, read_request
from tests.campaign.coroutine_executor import Killed
from tests.campaign.evidence import Invariant
from tests.campaign.fault_chance import FaultKind
from tests.campaign.injected_error import InjectedError
from tests.campaign.operator_pauses import TablePauses
from tests.campaign.services import Services

_LOOKS = 10
_LONGEST_POLL_SECONDS = 1.0
_TIMEOUT_SECONDS = 300.0

Send = Callable[[str, Lane], object]


class ReplayRuns:
    """Starts runs at random times until the run's `fault_seconds` are over. `send` puts a message on a lane's queue."""

    def __init__(self, services: Services, send: Send) -> None:
        self._services = services
        self._send = send
        for number in range(_LOOKS):
            services.schedule.after(services.profile.fault_seconds * number / _LOOKS, self._look)

    def _look(self) -> None:
        if self._services.chance.occurs(FaultKind.REPLAYED):
            self._services.schedule.start(self._run)

    def _run(self) -> None:
        services = self._services
        asked: dict[str, object] = {"action": "replay", "dry_run": False, "messages_per_second": 100}
        if services.chance.happens(0.3):
            asked["reasons"] = [UNRESOLVED]
        services.trace("*** a replay begins: {}", asked)
        request = read_request(asked)
        assert isinstance(request, Replay)
        queues = _FaultyQueues(services, self._send)
        dependencies = Dependencies(
            failure_queue=queues,
            source_queues={lane.value: _FaultySourceQueue(queues, lane) for lane in Lane},
            records=queues,
            pauses=TablePauses(services),
            count_messages=dict,
            clock=services.schedule,
            sleep=services.schedule.sleep,
        )
        run = Run(dependencies, request, services.schedule.now + _TIMEOUT_SECONDS)
        try:
            run.execute()
        except (InjectedError, Killed):
            services.trace("*** the replay is cut short")
        services.trace("*** the replay ends: {}", run.answer.total)


class _FaultyQueues:
    """The failure queue and the records. Each effect may fail, or be the last."""

    def __init__(self, services: Services, send: Send) -> None:
        self.services = services
        self.send = send
        self.taken: set[str] = set()
        self._queue = services.failure_entries
        self._is_killed = False

    def receive(self, max_entries: int, visibility_timeout_seconds: int) -> list[Entry]:
        self.step()
        received = self._queue.receive(max_entries, visibility_timeout_seconds)
        if not received:
            self.services.schedule.sleep(_LONGEST_POLL_SECONDS)
        return received

    def delete(self, receipt_handles: Collection[str]) -> None:
        for receipt_handle in receipt_handles:
            self.step()
            message_id = receipt_handle.partition("/")[0]
            if message_id not in self.taken:
                self.services.monitor.breach(Invariant.REPLAY, f"{message_id} was in no other queue")
            if self.services.chance.happens(0.9):
                self._queue.delete([receipt_handle])

    def release(self, receipt_handles: Collection[str]) -> None:
        self.step()
        self._queue.release(receipt_handles)

    def statuses(self, call_ids: Sequence[str]) -> dict[str, str]:
        self.step()
        items = self.services.table.items
        return {call_id: str(items[call_id]["status"]) for call_id in call_ids if call_id in items}

    def step(self) -> None:
        """Time passes. The function may be killed, or the next effect fails."""
        chance = self.services.chance
        self._is_killed = self._is_killed or chance.occurs(FaultKind.REPLAY_KILLED)
        if self._is_killed:
            raise Killed
        self.services.schedule.sleep(chance.random.random() * self.services.profile.pause_seconds)
        if chance.occurs(FaultKind.REPLAY_FAILED):
            raise InjectedError("the replay cannot go on")


class _FaultySourceQueue:
    """A queue that entries return to. It may take a part of them, and its answer may be lost."""

    def __init__(self, queues: _FaultyQueues, lane: Lane) -> None:
        self._queues = queues
        self._lane = lane

    def send(self, entries: Sequence[Entry]) -> set[str]:
        taken: set[str] = set()
        for entry in entries:
            self._queues.step()
            if self._queues.services.chance.happens(0.9):
                self._check_queue(entry)
                self._queues.send(entry.body, self._lane)
                taken.add(entry.message_id)
        self._queues.taken |= taken
        self._queues.step()
        return taken

    def _check_queue(self, entry: Entry) -> None:
        if entry.source_queue != self._lane:
            detail = f"{entry.message_id} came from {entry.source_queue}, and returns to {self._lane}"
            self._queues.services.monitor.breach(Invariant.REPLAY, detail)
