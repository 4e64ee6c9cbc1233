"""A batch of messages as its calls, and what is still open on each message. Pure."""

from collections.abc import Sequence

from sealed_relay.calls.message import Call, InvalidMessageError, Message, read
from sealed_relay.delivery.backoff import shortest_seconds

MAX_CALLS = 10_000
"""What one invocation takes on: Lambda hands over up to 6 MB, and so more calls than its time and memory are for."""


class Inbox:
    """The messages of one invocation.

    calls: the calls to deliver, one an identity. rivals: later calls with the identity of one of them, each with
    that one. unreadable: messages that are none, each with the reason. A message stays open until it was closed,
    or each of its calls was finished. Once `max_calls` are reached, further messages go back unread.
    """

    def __init__(self, messages: Sequence[Message], max_calls: int = MAX_CALLS) -> None:
        self.calls: list[Call] = []
        self.rivals: list[tuple[Call, Call]] = []
        self.unreadable: list[tuple[Message, str]] = []
        self._open: dict[str, set[str]] = {}
        self._delays_seconds: dict[str, float] = {}
        first: dict[str, Call] = {}
        self._messages = {message.message_id: message for message in messages}  # SQS may deliver one twice at once
        taken = 0
        for message in self._messages.values():
            if taken >= max_calls:  # unread, it stays open
                self._open[message.message_id] = {""}
                self._delays_seconds[message.message_id] = shortest_seconds(message.receive_count)
                continue
            try:
                calls = read(message)
            except InvalidMessageError as error:
                self.unreadable.append((message, str(error)))
                self._open[message.message_id] = {""}
                continue
            taken += len(calls)
            self._open[message.message_id] = {call.call_id for call in calls}
            for call in calls:
                earlier = first.setdefault(call.call_id, call)
                if earlier is call:
                    self.calls.append(call)
                else:
                    self.rivals.append((call, earlier))

    def finish(self, call: Call) -> None:
        """Nothing more is to be done about a call on account of its message."""
        self._open[call.message_id].discard(call.call_id)

    def close(self, message_id: str) -> None:
        """Nothing more is to be done about a message."""
        self._open[message_id].clear()

    def delay(self, message_id: str, seconds: float) -> None:
        """Keep a message out of sight for so long, if it has to go back; the longest of several delays holds."""
        self._delays_seconds[message_id] = max(seconds, self._delays_seconds.get(message_id, 0.0))

    @property
    def open_message_ids(self) -> list[str]:
        """The messages that must stay in the queue."""
        return [message_id for message_id, call_ids in self._open.items() if call_ids]

    def delays_seconds(self, otherwise: float) -> dict[str, float]:
        """How long each message that goes back is kept out of sight, by receipt handle."""
        going_back = [self._messages[message_id] for message_id in self.open_message_ids]
        return {
            message.receipt_handle: self._delays_seconds.get(
                message.message_id, max(otherwise, shortest_seconds(message.receive_count))
            )
            for message in going_back
        }
