"""What can go wrong, and how often it does in one run: one seeded source of chance for everything."""

from collections import Counter
from collections.abc import Mapping, Sequence
from enum import StrEnum
from random import Random
from typing import TypeVar

T = TypeVar("T")


class Trouble(StrEnum):
    """One kind of injected fault."""

    KILLED = "invocation killed"
    ACKNOWLEDGEMENT_LOST = "acknowledgement lost"
    WRITE_FAILED = "write failed before it was done"
    WRITE_ANSWER_LOST = "write failed after it was done"
    WRITE_REPEATED = "write done, answer lost, tried again by the SDK"
    WRITE_LATE = "write failed, and landed later"
    READ_FAILED = "read failed"
    PUBLISH_FAILED = "failure queue failed before it took a message"
    PUBLISH_ANSWER_LOST = "failure queue failed after it took a message"
    HAND_BACK_FAILED = "visibility change failed"
    SECRET_UNAVAILABLE = "secret unavailable"
    DELIVERED_TWICE = "message delivered to a second invocation"
    TWICE_IN_ONE_BATCH = "message twice in one batch"
    CAME_BACK = "deleted message came back"
    DELIVERED_LATE = "batch held back between receipt and invocation"
    REPEATED = "producer repeated a message"
    CALL_REPEATED = "producer repeated a call in another message"
    CONTENT_CHANGED = "producer gave an identity to other content"
    RETRIED = "producer retried a failed call"
    REPLAYED = "failure queue entry replayed"
    API_FAULT = "API's answer planned or spoiled"
    PUT_OFF = "API asked to try again later"
    NOT_CONNECTED = "connection refused"
    TOO_SLOW = "answer slower than the timeout"
    OUTLIVED = "request arrived after its sender was gone"
    OUTAGE = "API outage"
    EMPTY_ACCOUNT = "account empty"
    SECURITY_ID_ROTATED = "security id rotated"
    KEY_ROTATED = "RSA key rotated"
    SLOW_STEP = "step of up to a minute"
    SKEWED_CLOCK = "invocation with a skewed clock"


class Luck:
    """Draws. `rates` says how often each trouble strikes, at each opportunity; `struck` counts how often it did."""

    def __init__(self, random: Random, rates: Mapping[Trouble, float]) -> None:
        self.random = random
        self.struck: Counter[Trouble] = Counter()
        self._rates = dict(rates)

    def strikes(self, trouble: Trouble) -> bool:
        """Whether this trouble comes up now."""
        rate = self._rates.get(trouble, 0.0)
        if not rate or self.random.random() >= rate:
            return False
        self.struck[trouble] += 1
        return True

    def has(self, chance: float) -> bool:
        """True with this chance, from 0 to 1."""
        return self.random.random() < chance

    def shuffled(self, things: Sequence[T]) -> Sequence[T]:
        """The things in any order, often in their own."""
        if len(things) < 2 or self.random.random() < 0.7:
            return things
        return self.random.sample(things, len(things))

    def calm_down(self) -> None:
        """From now on nothing goes wrong any more."""
        self._rates.clear()
