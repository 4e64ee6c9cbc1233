"""A batch of messages as its calls, and what is still open on each message. Pure."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sealed_relay.calls.invalid_message import InvalidMessageError
from sealed_relay.calls.message import Message, read
from sealed_relay.delivery.backoff import min_deferral_seconds
from sealed_relay.delivery.request import WorkResult

if TYPE_CHECKING:
    from sealed_relay.calls.call import Call

MAX_CALLS = 10_000
"""What one invocation takes on. Lambda hands over up to 6 MB, and so more calls than its time and memory allow."""

_THE_WHOLE_MESSAGE = ""
"""Stands for the calls of a message that was not read."""


class Inbox:
    """The messages of one invocation.

    `calls` are those to deliver, one for each identity. `unreadable` are messages that cannot be read, each with the
    reason. `duplicates` are calls with the identity of one of `calls`, each beside that call. A message stays open
    until it is closed, or until each of its calls is finished. After `max_calls`, further messages stay open unread.
    """

    def __init__(self, messages: Sequence[Message], max_calls: int = MAX_CALLS) -> None:
        self.calls: list[Call] = []
        self.duplicates: list[tuple[Call, Call]] = []
        self.unreadable: list[tuple[Message, str]] = []
        self._open: dict[str, set[str]] = {}
        self._delays_seconds: dict[str, float] = {}
        self._messages = {message.message_id: message for message in messages}  # SQS may deliver one twice at once
        first: dict[str, Call] = {}
        calls_read = 0
        for message in self._messages.values():
            self._open[message.message_id] = {_THE_WHOLE_MESSAGE}
            if calls_read >= max_calls:
                self.delay(message.message_id, min_deferral_seconds(message.receive_count))
                continue
            try:
                calls = read(message)
            except InvalidMessageError as error:
                self.unreadable.append((message, str(error)))
                continue
            calls_read += len(calls)
            self._open[message.message_id] = {call.call_id for call in calls}
            for call in calls:
                if call.call_id in first:
                    self.duplicates.append((call, first[call.call_id]))
                else:
                    first[call.call_id] = call
                    self.calls.append(call)

    def apply(self, result: WorkResult) -> None:
        """Take calls and messages off the list of what is open, and note how long messages are deferred."""
        for call in result.finished:
            self._open[call.message_id].discard(call.call_id)
        for message_id in result.closed:
            self._open[message_id].clear()
        for message_id, seconds in result.delays_seconds.items():
            self.delay(message_id, seconds)

    def delay(self, message_id: str, seconds: float) -> None:
        """Defer a message for so long if it stays; the longest of several delays holds."""
        self._delays_seconds[message_id] = max(seconds, self._delays_seconds.get(message_id, 0.0))

    @property
    def open_message_ids(self) -> list[str]:
        """The messages that must stay in the queue."""
        return [message_id for message_id, call_ids in self._open.items() if call_ids]

    def delays_seconds(self, otherwise: float) -> dict[str, float]:
        """How long each message that stays is deferred, by receipt handle; `otherwise` where no delay was noted."""
        staying = [self._messages[message_id] for message_id in self.open_message_ids]
        return {
            message.receipt_handle: self._delays_seconds.get(
                message.message_id, max(otherwise, min_deferral_seconds(message.receive_count))
            )
            for message in staying
        }
