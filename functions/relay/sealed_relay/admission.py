"""Whether a request may leave now: the account's and the flow's parks, and the rate limit, over all invocations.

    #park/account            one item each: why it is parked, since when, and when the next probe may go out
    #park/flow/<flow id>     (whoever deletes it reopens the flow at once)
    #pace                    the turns taken in the last minute

Powertools' circuit breaker elects a single prober over DynamoDB too, but cannot express the rest: it opens by a count
of exceptions only, where one answer's code has to; its time to recovery is fixed, and does not grow; and it has no way
to reopen early, for a changed secret.
"""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from sealed_relay.codes import Scope
from sealed_relay.observing import BudgetUsed, Observe, Parked, Reopened
from sealed_relay.outcome import Outcome, Reason, Status
from sealed_relay.pacing import USE_WITHIN_SECONDS, pace_attributes, pace_of
from sealed_relay.parking import Park, park_attributes, park_of
from sealed_relay.ports import Item, Table
from sealed_relay.shared_items import FRESH_SECONDS, Attributes, SharedItems
from sealed_relay.signs import Failed, Passed, Refused, Sign

_PACE = "#pace"
_ACCOUNT = "#park/account"
_LONGEST_HOLD_SECONDS = 300.0
_KEEP_SECONDS = 30 * 86_400

_RATE_LIMITED = Outcome(Status.WAITING, Reason.RATE_LIMITED, detail="The minute's requests are used up.")


@dataclass(frozen=True, slots=True)
class Admitted:
    """The request may leave until then, in seconds since 1970. `probing`: the parks that it is the probe of, by key."""

    until: float
    probing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Held:
    """The request may not leave: what becomes of its calls, and after how many seconds it is worth another try.

    `is_brief`: for want of room, which there is again within a minute or so. `scope`: whose park it is otherwise.
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
    answer: Admitted | Held | None = None


class Admission:
    """The gate before the API, `requests_per_minute` wide. `clock` tells seconds since 1970. Threads may share it.

    Each method raises what the table raises.
    """

    def __init__(self, table: Table, clock: Callable[[], float], observe: Observe, requests_per_minute: int) -> None:
        self._items = SharedItems(table, clock)
        self._clock = clock
        self._observe = observe
        self._per_minute = requests_per_minute
        self._asks: list[_Ask] = []
        self._lock = threading.RLock()

    def look(self, flow_ids: Iterable[str]) -> None:
        """Read the state of the account, of these flows, and of the budget."""
        with self._lock:
            self._items.read([_PACE, *(key for flow_id in ("", *flow_ids) for key in [_park_key(flow_id)])])

    def park(self, flow_id: str = "") -> Park:
        """The state of a flow, or of the account, as far as is known here."""
        return park_of(self._items[_park_key(flow_id)])

    def room(self) -> int:
        """How many more requests may leave now, as far as is known here."""
        return max(0, self._per_minute - pace_of(self._items[_PACE]).used(self._now_ms()))

    def forecast(self, flow_ids: Sequence[str]) -> list[Held | None]:
        """What holds each of so many requests, one a flow id, as far as is known here; None for those that may leave.

        Those that there is no room for are put off: they need not ask again before it is their turn.
        """
        now_ms = self._now_ms()
        holds: list[Held | None] = []
        over: list[int] = []
        probing: set[str] = set()
        room = left = self.room()
        for index, flow_id in enumerate(flow_ids):
            parked = self._parked(flow_id)
            waiting = {
                at: self.park(at).probed(now_ms) if at in probing else self.park(at)
                for at in parked
                if at in probing or not self.park(at).is_due(now_ms)
            }
            holds.append(self._held(waiting) if waiting else None)
            if waiting:
                continue
            probing.update(parked)
            left -= 1
            if left < 0:
                over.append(index)
        for index, seconds in zip(over, self.put_off(len(over), room) if over else (), strict=True):
            holds[index] = Held(_RATE_LIMITED, seconds, is_brief=True)
        return holds

    def admit(self, flow_id: str) -> Admitted | Held:
        """Let one request of a flow leave, right before it is sealed."""
        ask = _Ask(flow_id)
        self._asks.append(ask)
        try:
            with self._lock:
                # Whoever was at the gate before has asked for all who stood behind: one write lets them all pass.
                if ask.answer is None:
                    self._answer([other for other in list(self._asks) if other.answer is None])
        finally:
            self._asks.remove(ask)
        assert ask.answer is not None  # noqa: S101 - for the type: it stood in the line that was answered
        return ask.answer

    def put_off(self, requests: int, about_to_leave: int = 0) -> list[float]:
        """How long so many requests wait for room, in seconds: each until a turn of its own, so that none is wasted.

        `about_to_leave` others were told that they may leave now.
        """
        now_ms = self._now_ms()
        times_ms: list[int] = []

        def promise(item: Item) -> Attributes:
            pace, times_ms[:] = pace_of(item).put_off(requests, now_ms, self._per_minute, about_to_leave)
            return pace_attributes(pace)

        with self._lock:
            self._items.change(_PACE, promise)
        return [max(0, time_ms - now_ms) / 1000 for time_ms in times_ms]

    def report(self, flow_id: str, admitted: Admitted, sign: Sign, secret_version: str) -> None:
        """Draw the consequences of a request's answer for those to come; `secret_version` is what sealed it."""
        with self._lock:
            for scope, at, version in ((Scope.ACCOUNT, "", ""), (Scope.FLOW, flow_id, secret_version)):
                is_probe = _park_key(at) in admitted.probing
                after = partial(Park.after, sign=_about(sign, scope), secret_version=version, is_probe=is_probe)
                self._change_park(at, after)

    def reopen(self, flow_id: str) -> None:
        """Let a flow's requests leave again, because its secret was changed."""
        with self._lock:
            self._change_park(flow_id, lambda _park, now_ms: Park())  # noqa: ARG005 - as every change

    def _answer(self, asks: Sequence[_Ask]) -> None:
        keys = [_PACE, _ACCOUNT, *(_park_key(ask.flow_id) for ask in asks)]
        self._items.read(dict.fromkeys(keys), older_than_seconds=FRESH_SECONDS)
        passing: list[tuple[_Ask, list[str]]] = []
        for ask in asks:
            parked = self._parked(ask.flow_id)
            if all(self.park(at).is_due(self._now_ms()) for at in parked) and all(map(self._probe, parked)):
                passing.append((ask, parked))
            else:
                ask.answer = self._held({at: self.park(at) for at in parked})
        passing.sort(key=lambda ask_and_parked: not ask_and_parked[1])  # a probe is not to be put off
        turns = self._take_turns(len(passing)) if passing else 0
        for ask, parked in passing[:turns]:
            ask.answer = Admitted(self._clock() + USE_WITHIN_SECONDS, tuple(map(_park_key, parked)))
        late = passing[turns:]
        for (ask, parked), seconds in zip(late, self.put_off(len(late)) if late else (), strict=True):
            for flow_id in parked:
                self._change_park(flow_id, Park.unprobed)
            ask.answer = Held(_RATE_LIMITED, seconds, is_brief=True)

    def _parked(self, flow_id: str) -> list[str]:
        """What bars a flow's way: "" for the account, its own id, both or neither."""
        return [at for at in ("", flow_id) if self.park(at).is_parked]

    def _held(self, parks: Mapping[str, Park]) -> Held:
        at, last = max(parks.items(), key=lambda park: park[1].next_probe_at_ms)
        # Whoever reopens it does so at once: no message is to sleep long past that.
        seconds = min(last.seconds_to_probe(self._now_ms()), _LONGEST_HOLD_SECONDS)
        return Held(last.outcome, seconds, scope=Scope.FLOW if at else Scope.ACCOUNT, since_ms=last.since_ms)

    def _probe(self, flow_id: str) -> bool:
        """Become the one probe of a park that is due, if it still is one; False where somebody else was quicker."""
        is_mine = self._change_park(
            flow_id, lambda park, now_ms: park.probed(now_ms) if park.is_parked and park.is_due(now_ms) else park
        )
        return is_mine or not self.park(flow_id).is_parked

    def _take_turns(self, wanted: int) -> int:
        """Take so many turns, or as many as there are."""
        taken = 0

        def take(item: Item) -> Attributes | None:
            nonlocal taken
            pace, now_ms = pace_of(item), self._now_ms()
            taken = max(0, min(wanted, self._per_minute - pace.used(now_ms)))
            return pace_attributes(pace.take(taken, now_ms)) if taken else None

        is_written = self._items.change(_PACE, take)
        self._observe(BudgetUsed(1 - self.room() / self._per_minute))
        return taken if is_written else 0

    def _change_park(self, flow_id: str, change: Callable[[Park, int], Park]) -> bool:
        """Write a park down, if the change made another one of it."""
        before = after = Park()

        def changed(item: Item) -> Attributes | None:
            nonlocal before, after
            before = park_of(item)
            after = change(before, self._now_ms())
            expires_at = int(self._clock()) + _KEEP_SECONDS
            return None if after == before else {**park_attributes(after), "expires_at": expires_at}

        is_written = self._items.change(_park_key(flow_id), changed)
        if is_written and after.reason and after.reason != before.reason:
            self._observe(Parked(flow_id, after.reason, after.code, after.since_ms))
        elif is_written and before.is_parked and not after.is_parked:
            self._observe(Reopened(flow_id, before.reason, round((self._now_ms() - before.since_ms) / 1000)))
        return is_written

    def _now_ms(self) -> int:
        return int(self._clock() * 1000)


def _park_key(flow_id: str) -> str:
    """The key of a flow's park; of the account's for ""."""
    return f"#park/flow/{flow_id}" if flow_id else _ACCOUNT


def _about(sign: Sign, scope: Scope) -> Sign:
    """What a sign says about the account, or about the flow alone."""
    match sign:
        case Refused() if sign.scope is not scope:
            return Passed(is_accepted=False, is_about_calls=scope is Scope.ACCOUNT)
        case Failed() if scope is Scope.FLOW:
            return Passed(is_accepted=False)
    return sign
