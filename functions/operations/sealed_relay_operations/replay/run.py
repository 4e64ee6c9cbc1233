"""One run: look through the failure queue, move the chosen entries, make the others visible again.

No entry is lost if the function dies. An entry leaves the failure queue only after the queue that it came from has
taken it, and an entry that was received but not moved becomes visible again by itself. If the function dies between
the two queues, the entry is in both. The relay then meets a call that it knows, and the next run finds its outcome in
the records.

A run sees each entry once, because the entries that it has received stay invisible until it ends. It has seen them all
when two long polls in a row, which ask all servers of SQS, find nothing.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from sealed_relay_operations.ports import MAX_BATCH_BYTES, MAX_BATCH_ENTRIES, Dependencies, SourceQueue
from sealed_relay_operations.replay.answer import Answer, empty_answer
from sealed_relay_operations.replay.entry import INGRESS, Entry
from sealed_relay_operations.replay.selection import Choice, choose
from sealed_relay_operations.request import Replay

MARGIN_SECONDS = 30.0
"""The time that a run keeps for the entries it has received: at the lowest rate, ten of them take ten seconds."""
_SECONDS_TO_RELEASE_AN_ENTRY = 0.005
_VISIBILITY_MARGIN_SECONDS = 10
_EMPTY_RECEIVES = 2


class Run:
    """One run for this request. `answer` says what the run has done so far; it stays true if `execute` raises.

    `deadline` is when Lambda ends the invocation, in seconds since 1970. The run ends by itself before that.
    """

    def __init__(self, dependencies: Dependencies, request: Replay, deadline: float) -> None:
        self.answer = empty_answer(request)
        self._dependencies = dependencies
        self._request = request
        self._deadline = deadline
        self._began_at = self._next_send_at = dependencies.clock()
        self._receipt_handles: dict[str, str] = {}  # the latest of each entry that stays, by message id
        self._moved_ids: set[str] = set()

    def execute(self) -> Answer:
        """Move what was asked for. Raises what the dependencies raise; entries not moved become visible again."""
        try:
            self.answer.complete = self._look_through()
        finally:
            self._dependencies.failure_queue.release(list(self._receipt_handles.values()))
        return self.answer

    def _look_through(self) -> bool:
        """Handle entries. True once all were seen; False if the time or the number of messages is used up first."""
        empty_receives = 0
        while empty_receives < _EMPTY_RECEIVES:
            max_entries = self._max_entries_to_receive()
            if not max_entries or not self._has_time():
                return False
            remaining_seconds = self._deadline - self._dependencies.clock()
            visibility_timeout_seconds = math.ceil(remaining_seconds) + _VISIBILITY_MARGIN_SECONDS
            received = self._dependencies.failure_queue.receive(max_entries, visibility_timeout_seconds)
            empty_receives = 0 if received else empty_receives + 1
            self._handle(self._new_among(received))
        return True

    def _max_entries_to_receive(self) -> int:
        if self._request.max_messages is None:
            return MAX_BATCH_ENTRIES
        return min(MAX_BATCH_ENTRIES, self._request.max_messages - self.answer.total.chosen)

    def _has_time(self) -> bool:
        needed_seconds = MARGIN_SECONDS + len(self._receipt_handles) * _SECONDS_TO_RELEASE_AN_ENTRY
        return self._dependencies.clock() + needed_seconds < self._deadline

    def _new_among(self, received: Sequence[Entry]) -> list[Entry]:
        """The entries that this run has not seen yet. SQS may deliver an entry twice, even after its deletion."""
        moved = [entry for entry in received if entry.message_id in self._moved_ids]
        if moved:
            self._dependencies.failure_queue.delete([entry.receipt_handle for entry in moved])
        staying = {entry.message_id: entry for entry in received if entry.message_id not in self._moved_ids}
        new = [entry for message_id, entry in staying.items() if message_id not in self._receipt_handles]
        self._receipt_handles |= {message_id: entry.receipt_handle for message_id, entry in staying.items()}
        return new

    def _handle(self, entries: Sequence[Entry]) -> None:
        candidates = [entry for entry in entries if choose(self._request, entry, self._began_at) is Choice.MOVE]
        call_ids = [call_id for entry in candidates for call_id in entry.calls.call_ids]
        # The records are read just before the run acts on them. If a call becomes UNRESOLVED after the entry was
        # moved, the relay does not send the call again for this entry.
        statuses = self._dependencies.records.statuses(call_ids) if call_ids else {}
        chosen = []
        for entry in entries:
            choice = choose(self._request, entry, self._began_at, statuses)
            self.answer.see(entry, choice)
            if choice is Choice.MOVE:
                chosen.append(entry)
        if not self._request.dry_run:
            chosen.sort(key=lambda entry: entry.source_queue)
            for _, entries_of_queue in groupby(chosen, key=self._source_queue):
                for batch in _in_batches(entries_of_queue):
                    self._move(batch)

    def _move(self, batch: Sequence[Entry]) -> None:
        self._wait_for_rate(len(batch))
        taken = self._source_queue(batch[0]).send(batch)
        moved = [entry for entry in batch if entry.message_id in taken]
        for entry in moved:
            self.answer.move(entry)
        # Delete only now: until the other queue has confirmed, this entry may be the only copy of its calls.
        self._dependencies.failure_queue.delete([self._receipt_handles.pop(entry.message_id) for entry in moved])
        self._moved_ids |= {entry.message_id for entry in moved}

    def _source_queue(self, entry: Entry) -> SourceQueue:
        queues = self._dependencies.source_queues
        return queues.get(entry.source_queue, queues[INGRESS])

    def _wait_for_rate(self, messages: int) -> None:
        wait_seconds = self._next_send_at - self._dependencies.clock()
        if wait_seconds > 0:
            self._dependencies.sleep(wait_seconds)
        self._next_send_at = self._dependencies.clock() + messages / self._request.messages_per_second


def _in_batches(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    """The entries in order, as many at a time as SQS takes."""
    batch: list[Entry] = []
    batch_bytes = 0
    for entry in entries:
        body_bytes = len(entry.body.encode())
        if batch and (len(batch) == MAX_BATCH_ENTRIES or batch_bytes + body_bytes > MAX_BATCH_BYTES):
            yield batch
            batch, batch_bytes = [], 0
        batch.append(entry)
        batch_bytes += body_bytes
    if batch:
        yield batch
