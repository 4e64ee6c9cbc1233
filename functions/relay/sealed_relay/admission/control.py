"""Whether a request may leave now: the account's and the flow's pauses, and the rate limit, over all invocations.

#pause/account            one item each: why it is paused, since when, and when the next probe may go out
#pause/flow/<flow id>     (whoever deletes it resumes the flow at once)
#pace                    the turns taken in the last minute
"""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sealed_relay.admission.health_signal import Sign
from sealed_relay.admission.pause import Pause
from sealed_relay.admission.pause_store import ACCOUNT, Pauses, pause_key
from sealed_relay.admission.rate_limiter import PACE_KEY, Pacer
from sealed_relay.admission.rate_window import USE_WITHIN_SECONDS
from sealed_relay.admission.shared_item import FRESH_SECONDS, SharedItems
from sealed_relay.batch.plan import Request
from sealed_relay.calls.outcome import Outcome, Reason, Status
from sealed_relay.kairos.codes import Scope
from sealed_relay.observability.events import Observe
from sealed_relay.ports import Table

_LONGEST_HOLD_SECONDS = 300.0

_RATE_LIMITED = Outcome(Status.WAITING, Reason.RATE_LIMITED, detail="The minute's requests are used up.")


@dataclass(frozen=True, slots=True)
class Admitted:
    """The request may leave until then, in seconds since 1970. `probing`: the pauses that it is the probe of."""

    until: float
    probing: tuple[str, ...] = ()
    is_resend: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """The request may not leave: what becomes of its calls, and after how many seconds it is worth another try.

    `is_brief`: for want of room, which there is again within a minute or so. `scope`: whose pause it is otherwise.
    `since_ms`: when that began, 0 where nobody wrote it down.
    """

    outcome: Outcome
    seconds: float
    is_brief: bool = False
    scope: Scope = Scope.REQUEST
    since_ms: int = 0


@dataclass(slots=True, eq=False)
class _Ask:
    flow_id: str
    is_resend: bool
    answer: Admitted | Held | None = None


class Admission:
    """The gate before the API, `requests_per_minute` wide. `clock` tells seconds since 1970. Threads may share it.

    `sleep` waits for a random time, up to so many seconds. Each method raises what the table raises.
    """

    def __init__(
        self,
        table: Table,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
        observe: Observe,
        requests_per_minute: int,
    ) -> None:
        self._items = SharedItems(table, clock, sleep)
        self._clock = clock
        self._pauses = Pauses(self._items, clock, observe)
        self._pacer = Pacer(self._items, clock, observe, requests_per_minute)
        self._asks: list[_Ask] = []
        self._lock = threading.RLock()

    def look(self, flow_ids: Iterable[str]) -> None:
        """Read the state of the account, of these flows, and of the turns."""
        with self._lock:
            self._items.read([PACE_KEY, pause_key(ACCOUNT), *map(pause_key, flow_ids)])

    def pause(self, at: str = ACCOUNT) -> Pause:
        """The state of a flow, or of the account, as far as is known here."""
        return self._pauses[at]

    def forecast(self, requests: Sequence[Request]) -> list[Held | None]:
        """What holds each of these requests, as far as is known here; None for those that may leave.

        While a probe is due nothing is held by its pause: which requests have calls left to send is known only when
        these are claimed. Those that there is no room for are put off until a turn of their own; so are those that were
        never received before, as long as others who stand in line come for their turns.
        """
        with self._lock:
            holds = [self.hold(request.flow_id) for request in requests]
            over: list[int] = []
            room = left = self._pacer.room()
            spare = self._pacer.spare()
            are_new = [all(call.receive_count == 1 for call in request.calls) for request in requests]
            for index in sorted(range(len(requests)), key=are_new.__getitem__):  # those who were put off go first
                if holds[index] is not None:
                    continue
                if left > 0 and not (are_new[index] and spare <= 0):
                    left -= 1
                    spare -= are_new[index]
                else:
                    over.append(index)
            for index, seconds in zip(over, self._pacer.put_off(len(over), room - left) if over else (), strict=True):
                holds[index] = Held(_RATE_LIMITED, seconds, is_brief=True)
            return holds

    def hold(self, flow_id: str) -> Held | None:
        """What pause holds a request of a flow, as far as is known here."""
        pauses = {at: self._pauses[at] for at in self._pauses.barring(flow_id)}
        now_ms = int(self._clock() * 1000)
        return None if all(pause.is_due(now_ms) for pause in pauses.values()) else self._held(pauses)

    def admit(self, flow_id: str, *, is_resend: bool = False) -> Admitted | Held:
        """Let one stored request of a flow leave, right before it does."""
        ask = _Ask(flow_id, is_resend)
        self._asks.append(ask)
        try:
            with self._lock:
                # Whoever was at the gate before has asked for all who stood behind: one write lets them all pass.
                if ask.answer is None:
                    self._answer([other for other in list(self._asks) if other.answer is None])
        except Exception:
            if ask.answer is None:  # or else the fault struck those who stood behind, and they will ask again
                raise
        finally:
            self._asks.remove(ask)
        assert ask.answer is not None  # noqa: S101 - for the type: it stood in the line that was answered
        return ask.answer

    def give_back(self, admitted: Admitted) -> None:
        """The request did not leave after all. Its turn is lost; what it was to probe may be probed by another."""
        with self._lock:
            self._pauses.give_back(admitted.probing, is_resend=admitted.is_resend)

    def report(self, flow_id: str, admitted: Admitted, sign: Sign, secret_version: str) -> None:
        """Draw the consequences of a request's answer for those to come; `secret_version` is what sealed it."""
        with self._lock:
            self._pauses.report(flow_id, admitted.probing, sign, secret_version, is_resend=admitted.is_resend)

    def resume(self, flow_id: str, refused_version: str) -> None:
        """Let a flow's requests leave again, because its secret is not the one any more that was refused."""
        with self._lock:
            self._pauses.resume(flow_id, refused_version)

    def _answer(self, asks: Sequence[_Ask]) -> None:
        keys = [PACE_KEY, pause_key(ACCOUNT), *(pause_key(ask.flow_id) for ask in asks)]
        self._items.read(dict.fromkeys(keys), older_than_seconds=FRESH_SECONDS)
        passing: list[tuple[_Ask, list[str], float]] = []
        try:
            for ask in asks:
                barring = self._pauses.barring(ask.flow_id)
                probed_at = self._pauses.probe(barring, is_resend=ask.is_resend)
                if probed_at is None:
                    ask.answer = self._held({at: self._pauses[at] for at in barring}, is_resend=ask.is_resend)
                else:
                    passing.append((ask, barring, probed_at))
            passing.sort(key=lambda each: not each[1])  # a probe is not to be put off
            turns, taken_at = self._pacer.take(len(passing)) if passing else (0, 0.0)
        except Exception:
            self._give_back(passing)
            raise
        for ask, probing, probed_at in passing[:turns]:
            # What others count on is when it was written that they were taken, however long the writes took.
            ask.answer = Admitted(min(taken_at, probed_at) + USE_WITHIN_SECONDS, tuple(probing), ask.is_resend)
        late = passing[turns:]
        self._give_back(late)
        for (ask, _, _), seconds in zip(late, self._pacer.put_off(len(late)) if late else (), strict=True):
            ask.answer = Held(_RATE_LIMITED, seconds, is_brief=True)

    def _give_back(self, passing: Sequence[tuple[_Ask, list[str], float]]) -> None:
        for ask, probing, _ in passing:
            self._pauses.give_back(probing, is_resend=ask.is_resend)

    def _held(self, pauses: Mapping[str, Pause], *, is_resend: bool = False) -> Held:
        now_ms = int(self._clock() * 1000)
        seconds_to = {at: pause.seconds_to_probe(now_ms, is_resend=is_resend) for at, pause in pauses.items()}
        at = max(pauses, key=seconds_to.__getitem__)
        last = pauses[at]
        # Whoever resumes it does so at once: no message is to sleep long past that.
        seconds = min(seconds_to[at], _LONGEST_HOLD_SECONDS)
        return Held(last.outcome, seconds, scope=Scope.FLOW if at else Scope.ACCOUNT, since_ms=last.since_ms)
