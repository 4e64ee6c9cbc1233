"""A source of faults that follows a schedule instead of a random number, and lists the choices that there were."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import TypeVar

from tests.campaign.fault_chance import FaultChance, FaultKind

T = TypeVar("T")

_SEED = 1
SHARE = 0.75
"""What stands for each random share of a longest time: late writes land after 15 of 20 s."""


@dataclass(frozen=True, slots=True)
class ChoicePoint:
    """A point where a run can take one of `alternatives` other courses. Each is `deviations` more, 0 or 1."""

    alternatives: int
    deviations: int


Decisions = Mapping[int, int]
"""The alternative taken, from 1 on, by the number of the choice point. All other points take the undisturbed course."""


class ScheduledFaults(FaultChance):
    """Follows `decisions`: faults of these kinds, and pauses of so many seconds before a step.

    Writes are late only of items whose keys begin with `late_writes`. With `is_narrow` nothing else deviates. `points`
    are the choice points that the run has met. `trace` takes a line for the trace.
    """

    def __init__(
        self,
        decisions: Decisions,
        kinds: Collection[FaultKind],
        pauses_seconds: Sequence[float],
        *,
        late_writes: str,
        is_narrow: bool,
    ) -> None:
        super().__init__(_SteadyRandom(_SEED), {})
        self.points: list[ChoicePoint] = []
        self.trace: Callable[..., None] = _no_trace
        self._decisions = decisions
        self._kinds = frozenset(kinds)
        self._pauses_seconds = pauses_seconds
        self._late_writes = late_writes
        self._is_narrow = is_narrow

    def occurs(self, kind: FaultKind) -> bool:
        return kind in self._kinds and self._decide(kind, 1, deviations=1) > 0

    def deviate(self, what: str, options: Sequence[T]) -> T | None:
        """Return None for the undisturbed course, or one of these deviations from it."""
        return None if self._is_narrow else self._deviate(what, options)

    def kills(self, *, before_read: bool) -> bool:
        # A read changes nothing, so a kill before it does what a kill before the next change does.
        return not before_read and self.occurs(FaultKind.KILLED)

    def delays_write(self, key: str) -> bool:
        return key.startswith(self._late_writes) and super().delays_write(key)

    def pick(self, options: Sequence[T]) -> T:
        # The extremes; what lies between shows nothing else.
        decision = self._decide("how", 1, deviations=0, options=options[-1:])
        return options[-1] if decision else options[0]

    def happens(self, probability: float) -> bool:
        return probability > 0 and bool(self._kinds) and self.pick((False, True))

    def pause_seconds(self, probability: float, max_seconds: float) -> float | None:  # noqa: ARG002
        return self._deviate("pause", self._pauses_seconds) if self._pauses_seconds else None

    def shuffled(self, things: Sequence[T]) -> Sequence[T]:
        return things

    def parts_of_read(self, keys: Sequence[T]) -> list[Sequence[T]]:
        return [keys] if keys else []

    def stop_faults(self) -> None:
        self._kinds = frozenset()

    def _deviate(self, what: str, options: Sequence[T]) -> T | None:
        if not self._kinds:
            return None
        decision = self._decide(what, len(options), deviations=1, options=options)
        return options[decision - 1] if decision else None

    def _decide(self, what: str, alternatives: int, *, deviations: int, options: Sequence[object] = ()) -> int:
        number = len(self.points)
        self.points.append(ChoicePoint(alternatives, deviations))
        decision = self._decisions.get(number, 0)
        if decision:
            self.trace(">>> {}:{} {} {}", number, decision, what, options[decision - 1] if options else "")
        return decision


class _SteadyRandom(Random):
    """Random bits from the seed, and always the same share of a time."""

    def random(self) -> float:
        return SHARE

    def getrandbits(self, k: int, /) -> int:
        return super().getrandbits(k)


def _no_trace(*_: object) -> None:
    pass
