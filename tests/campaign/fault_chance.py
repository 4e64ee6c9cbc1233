"""The kinds of injected faults, and one seeded source of random numbers that decides when each of them occurs."""

from collections import Counter
from collections.abc import Mapping, Sequence
from enum import StrEnum
from random import Random
from typing import TypeVar

T = TypeVar("T")
_MAX_SLOW_STEP_SECONDS = 60.0


class FaultKind(StrEnum):
    """One kind of injected fault."""

    KILLED = "invocation killed"
    ACKNOWLEDGEMENT_LOST = "acknowledgement lost"
    WRITE_FAILED = "write failed before it was done"
    WRITE_ANSWER_LOST = "write failed after it was done"
    WRITE_REPEATED = "write done, answer lost, tried again by the SDK"
    WRITE_LATE = "write failed, and landed later"
    WRITE_ANSWERED_LATE = "write done, answer late"
    READ_FAILED = "read failed"
    PUBLISH_FAILED = "failure queue failed before it took a message"
    PUBLISH_ANSWER_LOST = "failure queue failed after it took a message"
    DEFER_FAILED = "visibility change failed"
    SECRET_UNAVAILABLE = "secret unavailable"
    DELIVERED_TWICE = "message delivered to a second invocation"
    TWICE_IN_ONE_BATCH = "message twice in one batch"
    CAME_BACK = "deleted message came back"
    DELIVERED_LATE = "batch held back between receipt and invocation"
    MESSAGE_REPEATED = "producer repeated a message"
    CALL_REPEATED = "producer repeated a call in another message"
    CONTENT_CHANGED = "producer gave an identity to other content"
    RETRIED = "producer retried a failed call"
    REPLAYED = "failure queue replayed"
    REPLAY_KILLED = "replay killed"
    REPLAY_FAILED = "replay's read or effect failed"
    API_FAULT = "API's answer planned or spoiled"
    TRY_LATER = "API asked to try again later"
    NOT_CONNECTED = "connection refused"
    TOO_SLOW = "answer slower than the timeout"
    ARRIVED_LATE = "request arrived after its sender was gone"
    OUTAGE = "API outage"
    EMPTY_ACCOUNT = "account empty"
    PAUSED_BY_HAND = "operator paused or resumed, in part by hand"
    SECURITY_ID_ROTATED = "security id rotated"
    KEY_ROTATED = "RSA key rotated"
    HOURS_CHANGED = "calling hours changed"
    SLOW_STEP = "step of up to a minute"
    SKEWED_CLOCK = "invocation with a skewed clock"


class FaultChance:
    """Decides what occurs. `rates` has each probability at one opportunity, `counts` how often it occurred."""

    def __init__(self, random: Random, rates: Mapping[FaultKind, float]) -> None:
        self.random = random
        self.counts: Counter[FaultKind] = Counter()
        self._rates = dict(rates)

    def occurs(self, kind: FaultKind) -> bool:
        """Whether a fault of this kind occurs now."""
        rate = self._rates.get(kind, 0.0)
        if not rate or self.random.random() >= rate:
            return False
        self.counts[kind] += 1
        return True

    def kills(self, *, before_read: bool) -> bool:  # noqa: ARG002 - chance makes no difference between steps
        """Whether the invocation is killed now, before it reads or before it changes anything."""
        return self.occurs(FaultKind.KILLED)

    def delays_write(self, key: str) -> bool:  # noqa: ARG002 - chance makes no difference between items
        """Whether the write of this item fails now and lands later."""
        return self.occurs(FaultKind.WRITE_LATE)

    def pick(self, options: Sequence[T]) -> T:
        """Choose how a fault occurs."""
        return self.random.choice(options)

    def pause_seconds(self, probability: float, max_seconds: float) -> float | None:
        """How long to pause before a step, in most cases up to `max_seconds`; None for no pause."""
        if self.random.random() >= probability:
            return None
        is_slow = self.occurs(FaultKind.SLOW_STEP)
        return self.random.random() * (_MAX_SLOW_STEP_SECONDS if is_slow else max_seconds)

    def happens(self, probability: float) -> bool:
        """True with this probability, from 0 to 1."""
        return self.random.random() < probability

    def shuffled(self, things: Sequence[T]) -> Sequence[T]:
        """Return the things in a random order. In most cases the order stays."""
        if len(things) < 2 or self.random.random() < 0.7:
            return things
        return self.random.sample(things, len(things))

    def parts_of_read(self, keys: Sequence[T]) -> list[Sequence[T]]:
        """Return the keys of one read in the parts that are read at different moments: each by itself."""
        return [[key] for key in self.shuffled(keys)]

    def stop_faults(self) -> None:
        """Inject no more faults."""
        self._rates.clear()
