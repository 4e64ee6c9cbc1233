"""The failure queue and the ingress queue in memory, as the replay meets them."""

import itertools
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from sealed_relay_replay.entry import Entry, calls_in
from sealed_relay_replay.event import REDRIVEN


@dataclass
class _Held:
    body: str
    reason: str
    code: int | None
    sent_at: float
    visible_at: float
    receipts: int = 0


class InMemoryFailureQueue:
    """Keeps the promises of `ports.FailureQueue`; the oldest entry comes first. `clock` tells seconds since 1970."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._ids = itertools.count(1)
        self._held: dict[str, _Held] = {}

    def put(self, body: str, reason: str = "", code: int | None = None, age_seconds: float = 1.0) -> str:
        """Put an entry there as the relay does; without a reason, as SQS does. Its message id."""
        message_id = f"entry-{next(self._ids)}"
        self._held[message_id] = _Held(body, reason or REDRIVEN, code, self._clock() - age_seconds, self._clock())
        return message_id

    def receive(self, most: int, out_of_sight_seconds: int) -> list[Entry]:
        assert 1 <= most <= 10
        visible = [(id_, held) for id_, held in self._held.items() if held.visible_at <= self._clock()][:most]
        return [self._receive(message_id, held, out_of_sight_seconds) for message_id, held in visible]

    def delete(self, receipt_handles: Collection[str]) -> None:
        for handle in receipt_handles:
            self._held.pop(_id_in(handle), None)

    def release(self, receipt_handles: Collection[str]) -> None:
        for handle in receipt_handles:
            if _id_in(handle) in self._held:
                self._held[_id_in(handle)].visible_at = self._clock()

    @property
    def bodies(self) -> dict[str, str]:
        """What is there, in sight or not, by message id."""
        return {message_id: held.body for message_id, held in self._held.items()}

    @property
    def next_visible_at(self) -> float:
        """When all that is there can be received, in seconds since 1970."""
        return max((held.visible_at for held in self._held.values()), default=self._clock())

    def all_in_sight(self) -> bool:
        """Whether each entry can be received now."""
        return self.next_visible_at <= self._clock()

    def _receive(self, message_id: str, held: _Held, out_of_sight_seconds: int) -> Entry:
        held.visible_at = self._clock() + out_of_sight_seconds
        held.receipts += 1
        return Entry(
            message_id=message_id,
            receipt_handle=f"{message_id}/{held.receipts}",
            body=held.body,
            reason=held.reason,
            code=held.code,
            sent_at=held.sent_at,
            calls=calls_in(held.body),
        )


class InMemoryIngressEnd:
    """Keeps the promises of `ports.IngressQueue`; `put` puts a body on the queue behind it."""

    def __init__(self, put: Callable[[str], object]) -> None:
        self._put = put

    def send(self, bodies: Mapping[str, str]) -> set[str]:
        assert 1 <= len(bodies) <= 10
        assert sum(len(body.encode()) for body in bodies.values()) <= 1_048_576
        for body in bodies.values():
            self._put(body)
        return set(bodies)


def _id_in(receipt_handle: str) -> str:
    return receipt_handle.partition("/")[0]
