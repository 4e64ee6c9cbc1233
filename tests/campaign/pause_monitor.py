"""Watches pauses from outside: whether a paused flow or account sends only probes, and at which intervals."""

import math
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sealed_relay.admission.rate_limiter import USE_WITHIN_SECONDS
from sealed_relay.admission.shared_item import FRESH_SECONDS
from sealed_relay.kairos.answer import Answer, Answered
from sealed_relay.kairos.codes import Scope, Verdict, code_of
from sealed_relay.ports import Item
from tests.campaign.evidence import Invariant

if TYPE_CHECKING:
    from tests.campaign.execution_environment import ExecutionEnvironment

_PAUSE = "#pause/"
_ACCOUNT = "#pause/account"
_TRIES_FOR_A_PERMIT = 16
_LONGEST_WAIT_SECONDS = 0.08
_INTERVALS_SECONDS = (15.0, 45.0, 60.0, 120.0, 240.0, 300.0)
"""From the start of a pause to its first probe, from there to the second, and so on; the last for all others."""


@dataclass(slots=True)
class PausedNow:
    """`due_at` is when a probe may go out; `rights` tell since when whose request may be the probe.

    `known_to` are the environments that have read of it.
    """

    since_ms: int
    written_at: float
    due_at: float
    is_by_hand: bool = False
    probes: int = 0
    rights: "dict[ExecutionEnvironment, float]" = field(default_factory=dict)
    known_to: "set[ExecutionEnvironment]" = field(default_factory=set)
    probe: str = ""


class PauseMonitor:
    """Compares the pause items in the table with the requests that are sent.

    `lag_seconds` may pass between an invocation's look at its clock and the write that it looked for. An invocation
    that began before a pause, and has not read of it, may send for a short time: as long as its last look may count,
    and while it takes a permit. Each of its tries to take one is a write, a random wait and a read.
    """

    def __init__(
        self, clock: Callable[[], float], breach: Callable[[Invariant, str], None], lag_seconds: float
    ) -> None:
        self._clock = clock
        self._breach = breach
        self._lag_seconds = lag_seconds
        self._unknown_seconds = (
            FRESH_SECONDS + USE_WITHIN_SECONDS + _TRIES_FOR_A_PERMIT * (2 * lag_seconds + _LONGEST_WAIT_SECONDS)
        )
        self._paused: dict[str, PausedNow] = {}

    def put_by_hand(self, key: str) -> None:
        """A person wrote a pause, over any that there was: nothing leaves, and the relay does not touch it."""
        self._paused[key] = PausedNow(0, self._clock(), math.inf, is_by_hand=True)

    def removed_by_hand(self, key: str) -> None:
        """A person resumed what was paused."""
        self._paused.pop(key, None)

    def now(self, keys: Collection[str]) -> "list[PausedNow]":
        """What is paused now, of these keys of the table."""
        return [self._paused[key] for key in keys if key in self._paused]

    def wrote(self, environment: "ExecutionEnvironment", key: str, item: Item) -> None:
        """Record a change of a pause's item."""
        if key in self._paused and self._paused[key].is_by_hand:
            self._breach(Invariant.PAUSED, f"{key} was put by hand, and the relay changed it")
            return
        if not item.get("reason"):
            self._paused.pop(key, None)
            return
        now, since_ms, probes = self._clock(), int(item["since_ms"]), int(item["probes"])
        paused = self._paused.get(key)
        if paused is None or paused.since_ms != since_ms:
            paused = self._paused[key] = PausedNow(since_ms, now, now + _INTERVALS_SECONDS[0])
        if probes > paused.probes:
            early_seconds = paused.due_at - self._lag_seconds - now
            if early_seconds > 0:
                self._breach(Invariant.PAUSED, f"probe {probes} of {key} is {early_seconds:.3f} s early")
            paused.probes = probes
            paused.rights[environment] = now

    def left(self, environment: "ExecutionEnvironment", request_id: str, flow_id: str) -> None:
        """Check a request that is sent during a pause: it must be a probe that its sender was allowed to send."""
        for key in (_ACCOUNT, f"{_PAUSE}flow/{flow_id}"):
            paused = self._paused.get(key)
            if paused is None:
                continue
            taken_at = paused.rights.pop(environment, None)
            if taken_at is not None:
                if paused.probe and self._lag_seconds < _INTERVALS_SECONDS[0]:
                    self._breach(Invariant.PAUSED, f"two probes of {key} are under way")
                paused.probe = request_id
                paused.due_at = taken_at + _INTERVALS_SECONDS[min(paused.probes, len(_INTERVALS_SECONDS) - 1)]
            elif environment in paused.known_to or paused.written_at < max(
                environment.began_at, self._clock() - self._unknown_seconds
            ):
                self._breach(Invariant.PAUSED, f"{request_id[:6]} left through {key}, and is no probe")

    def answered(self, request_id: str, answer: Answer) -> None:
        """Record the answer to a probe: if it is about its calls, another probe may follow at once."""
        for key, paused in self._paused.items():
            scope = Scope.ACCOUNT if key == _ACCOUNT else Scope.FLOW
            if paused.probe == request_id and isinstance(answer, Answered):
                code = code_of(answer.code)
                if code.verdict is not Verdict.PAUSE or code.scope is not scope:
                    paused.due_at = self._clock()

    def ended(self, request_id: str) -> None:
        """Record that a sender stopped waiting for an answer."""
        for paused in self._paused.values():
            if paused.probe == request_id:
                paused.probe = ""
