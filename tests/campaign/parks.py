"""Watches the gate from outside: whether what is parked stays so, and how its probes come."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sealed_relay.kairos.answer import Answer, Answered
from sealed_relay.kairos.codes import Scope, Verdict, code_of
from sealed_relay.ports import Item
from tests.campaign.evidence import Invariant

if TYPE_CHECKING:
    from tests.campaign.environment import Environment

_PARK = "#park/"
_ACCOUNT = "#park/account"
_INTERVALS_SECONDS = (15.0, 45.0, 60.0, 120.0, 240.0, 300.0)
"""From the beginning of a park to its first probe, from there to the second, and so on; the last one for all others."""


@dataclass(slots=True)
class _Parked:
    """`due_at` is when a probe may go out; `rights` tell since when whose request may be the probe."""

    since_ms: int
    written_at: float
    due_at: float
    probes: int = 0
    rights: "dict[Environment, float]" = field(default_factory=dict)
    probe: str = ""


class Parks:
    """What is parked, as its items in the table say, and what leaves all the same.

    `lag_seconds` may pass between an invocation's look at its clock and the write that it looked for. Invocations that
    began before a park was written may not know of it.
    """

    def __init__(
        self, clock: Callable[[], float], breach: Callable[[Invariant, str], None], lag_seconds: float
    ) -> None:
        self._clock = clock
        self._breach = breach
        self._lag_seconds = lag_seconds
        self._parked: dict[str, _Parked] = {}

    def wrote(self, environment: "Environment", key: str, item: Item) -> None:
        """A park's item changed."""
        if not item.get("reason"):
            self._parked.pop(key, None)
            return
        now, since_ms, probes = self._clock(), int(item["since_ms"]), int(item["probes"])
        parked = self._parked.get(key)
        if parked is None or parked.since_ms != since_ms:
            parked = self._parked[key] = _Parked(since_ms, now, now + _INTERVALS_SECONDS[0])
        if probes > parked.probes:
            early_seconds = parked.due_at - self._lag_seconds - now
            if early_seconds > 0:
                self._breach(Invariant.PARKED, f"probe {probes} of {key} is {early_seconds:.3f} s early")
            parked.probes = probes
            parked.rights[environment] = now

    def left(self, environment: "Environment", request_id: str, flow_id: str) -> None:
        """A request left: as a probe, if its sender took the right to send one, or against the rules."""
        for key in (_ACCOUNT, f"{_PARK}flow/{flow_id}"):
            parked = self._parked.get(key)
            if parked is None:
                continue
            taken_at = parked.rights.pop(environment, None)
            if taken_at is not None:
                if parked.probe and self._lag_seconds < _INTERVALS_SECONDS[0]:
                    self._breach(Invariant.PARKED, f"two probes of {key} are under way")
                parked.probe = request_id
                parked.due_at = taken_at + _INTERVALS_SECONDS[min(parked.probes, len(_INTERVALS_SECONDS) - 1)]
            elif parked.written_at < environment.began_at:
                self._breach(Invariant.PARKED, f"{request_id[:6]} left through {key}, and is no probe")

    def answered(self, request_id: str, answer: Answer) -> None:
        """A request that may be a probe got its answer: one about its calls lets another probe follow at once."""
        for key, parked in self._parked.items():
            scope = Scope.ACCOUNT if key == _ACCOUNT else Scope.FLOW
            if parked.probe == request_id and isinstance(answer, Answered):
                code = code_of(answer.code)
                if code.verdict is not Verdict.PARK or code.scope is not scope:
                    parked.due_at = self._clock()

    def ended(self, request_id: str) -> None:
        """Nobody waits for a request's answer any more."""
        for parked in self._parked.values():
            if parked.probe == request_id:
                parked.probe = ""
