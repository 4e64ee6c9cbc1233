"""Watches pauses from outside: whether a paused flow or account sends only probes, and at which intervals."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sealed_relay.kairos.answer import Answer, Answered
from sealed_relay.kairos.codes import Scope, Verdict, code_of
from sealed_relay.ports import Item
from tests.campaign.evidence import Invariant

if TYPE_CHECKING:
    from tests.campaign.execution_environment import ExecutionEnvironment

_PAUSE = "#pause/"
_ACCOUNT = "#pause/account"
_INTERVALS_SECONDS = (15.0, 45.0, 60.0, 120.0, 240.0, 300.0)
"""From the start of a pause to its first probe, from there to the second, and so on; the last for all others."""


@dataclass(slots=True)
class _Paused:
    """`due_at` is when a probe may go out; `rights` tell since when whose request may be the probe."""

    since_ms: int
    written_at: float
    due_at: float
    probes: int = 0
    rights: "dict[ExecutionEnvironment, float]" = field(default_factory=dict)
    probe: str = ""


class PauseMonitor:
    """Compares the pause items in the table with the requests that are sent.

    `lag_seconds` may pass between an invocation's look at its clock and the write that it looked for. Invocations that
    began before a pause was written may not know of it.
    """

    def __init__(
        self, clock: Callable[[], float], breach: Callable[[Invariant, str], None], lag_seconds: float
    ) -> None:
        self._clock = clock
        self._breach = breach
        self._lag_seconds = lag_seconds
        self._paused: dict[str, _Paused] = {}

    def wrote(self, environment: "ExecutionEnvironment", key: str, item: Item) -> None:
        """Record a change of a pause's item."""
        if not item.get("reason"):
            self._paused.pop(key, None)
            return
        now, since_ms, probes = self._clock(), int(item["since_ms"]), int(item["probes"])
        paused = self._paused.get(key)
        if paused is None or paused.since_ms != since_ms:
            paused = self._paused[key] = _Paused(since_ms, now, now + _INTERVALS_SECONDS[0])
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
            elif paused.written_at < environment.began_at:
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
