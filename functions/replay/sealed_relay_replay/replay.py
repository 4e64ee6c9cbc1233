"""The story of a run: look through the failure queue, move what is chosen, bring the rest back into sight.

Nothing is lost, wherever the function dies: an entry leaves the failure queue only after the ingress queue has taken
it, and what was received and not moved comes back into sight by itself. Dying between the two leaves an entry in both
queues. To the relay it is then a call that it has met before; the next run finds in the records what became of it.

A run sees each entry once: what it has received stays out of sight until it ends. It has seen them all when SQS finds
none, several times in a row and on all of its servers (long polling).
"""

import math
from collections.abc import Sequence

from sealed_relay_replay.answer import Answer
from sealed_relay_replay.entry import Entry
from sealed_relay_replay.event import Event
from sealed_relay_replay.packing import MAX_ENTRIES, in_batches
from sealed_relay_replay.ports import Dependencies
from sealed_relay_replay.selection import Choice, choose, is_asked_for

MARGIN_SECONDS = 30.0
"""What a run keeps of its time for the entries in its hands: at the lowest rate ten take ten seconds."""
_SECONDS_TO_HAND_BACK_ONE = 0.005
_OUT_OF_SIGHT_MARGIN_SECONDS = 10
_EMPTY_RECEIVES = 2


def replay(dependencies: Dependencies, event: Event, answer: Answer, deadline: float) -> None:
    """Move what the event asks for, and count it in `answer` on the way, so that the counts outlive a fault.

    `deadline` is when the invocation is ended, in seconds since 1970; the run ends by itself before that.
    """
    run = _Run(dependencies, event, answer, deadline)
    try:
        run.look_through()
    finally:
        run.release()


class _Run:
    def __init__(self, dependencies: Dependencies, event: Event, answer: Answer, deadline: float) -> None:
        self._dependencies = dependencies
        self._event = event
        self._answer = answer
        self._deadline = deadline
        self._began_at = self._next_send_at = dependencies.clock()
        self._kept: dict[str, str] = {}  # message id -> its latest receipt handle
        self._moved: set[str] = set()

    def look_through(self) -> None:
        """Handle entries until all were seen, as many were chosen as may be, or the time is up."""
        found_none = 0
        while found_none < _EMPTY_RECEIVES:
            most = self._most_to_receive()
            if not most or not self._has_time():
                return
            out_of_sight_seconds = math.ceil(self._deadline - self._dependencies.clock()) + _OUT_OF_SIGHT_MARGIN_SECONDS
            received = self._dependencies.failure_queue.receive(most, out_of_sight_seconds)
            found_none = 0 if received else found_none + 1
            self._handle(self._new_among(received))
        self._answer.complete = True

    def release(self) -> None:
        """Bring into sight again what stays in the failure queue."""
        self._dependencies.failure_queue.release(list(self._kept.values()))

    def _most_to_receive(self) -> int:
        if self._event.max_messages is None:
            return MAX_ENTRIES
        return min(MAX_ENTRIES, self._event.max_messages - self._answer.total.chosen)

    def _has_time(self) -> bool:
        needed_seconds = MARGIN_SECONDS + len(self._kept) * _SECONDS_TO_HAND_BACK_ONE
        return self._dependencies.clock() + needed_seconds < self._deadline

    def _new_among(self, received: Sequence[Entry]) -> list[Entry]:
        """Leave out what SQS delivers twice, which it may; of what was moved, take the copy off too."""
        copies = [entry.receipt_handle for entry in received if entry.message_id in self._moved]
        if copies:
            self._dependencies.failure_queue.delete(copies)
        rest = {entry.message_id: entry for entry in received if entry.message_id not in self._moved}
        new = [entry for message_id, entry in rest.items() if message_id not in self._kept]
        self._kept |= {message_id: entry.receipt_handle for message_id, entry in rest.items()}
        return new

    def _handle(self, entries: Sequence[Entry]) -> None:
        asked_for = [entry for entry in entries if is_asked_for(self._event, entry, self._began_at)]
        call_ids = [call_id for entry in asked_for for call_id in entry.calls.call_ids]
        # Read right before they are acted on: what becomes UNRESOLVED later than a message is sent, the relay leaves
        # alone for that message.
        statuses = self._dependencies.records.statuses(call_ids) if call_ids else {}
        chosen = []
        for entry in entries:
            choice = choose(self._event, entry, self._began_at, statuses)
            self._answer.see(entry, choice)
            if choice is Choice.MOVE:
                chosen.append(entry)
        if not self._event.dry_run:
            for batch in in_batches(chosen):
                self._move(batch)

    def _move(self, batch: Sequence[Entry]) -> None:
        self._wait_turn(len(batch))
        taken = self._dependencies.ingress_queue.send({entry.message_id: entry.body for entry in batch})
        moved = [entry for entry in batch if entry.message_id in taken]
        for entry in moved:
            self._answer.move(entry)
        self._dependencies.moved(moved)
        # From here on the ingress queue holds them, and its copy is the one that counts. Not a moment sooner: until
        # it has said so, this entry may be all that is left of the calls.
        self._dependencies.failure_queue.delete([self._kept.pop(entry.message_id) for entry in moved])
        self._moved |= {entry.message_id for entry in moved}

    def _wait_turn(self, messages: int) -> None:
        pause = self._next_send_at - self._dependencies.clock()
        if pause > 0:
            self._dependencies.sleep(pause)
        self._next_send_at = self._dependencies.clock() + messages / self._event.messages_per_second
