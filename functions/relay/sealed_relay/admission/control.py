"""Whether a request may leave now: the pauses of the account and of its flow, and the rate limit.

All invocations share these items of the table:

#pause/account            why the account is paused, since when, and when the next probe may leave
#pause/flow/<flow id>     the same for a flow; deleting the item resumes it
#permits                  the permits taken in the last minute
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from sealed_relay.admission.health_signal import HealthSignal, Passed, signal_about
from sealed_relay.admission.pause import Pause, pause_attributes, pause_of
from sealed_relay.admission.rate_limiter import RATE_KEY, RateLimiter
from sealed_relay.admission.shared_item import FRESH_SECONDS, SharedItems
from sealed_relay.calls.message import Lane
from sealed_relay.calls.outcome import Outcome, Reason, Status
from sealed_relay.kairos.codes import Scope
from sealed_relay.observability.events import Observe, Paused, Resumed
from sealed_relay.ports import Table

ACCOUNT: Final = ""
"""The account, where otherwise a flow id stands."""

_MAX_PAUSED_SECONDS = 45.0
"""A deferral asks for no more than this. A pause may end at any moment, and its messages come back within a minute."""
_KEEP_SECONDS = 30 * 86_400
_NOT_PAUSED: Final = Pause()

_RATE_LIMITED = Outcome(Status.WAITING, Reason.RATE_LIMITED, detail="The minute's requests are used up.")


@dataclass(frozen=True, slots=True)
class Deferral:
    """Why a request may not leave, and after how many seconds another try is worthwhile.

    `is_brief`: no permit was free, or calling hours begin. Otherwise something is paused, and `scope` tells what.
    """

    outcome: Outcome
    seconds: float
    is_brief: bool = False
    scope: Scope = Scope.REQUEST


def pause_key(flow_id: str) -> str:
    """The key of the pause of a flow, or of the account."""
    return f"#pause/flow/{flow_id}" if flow_id else "#pause/account"


class Admission:
    """Admits `requests_per_minute` requests to the API, over all invocations. Threads may share it.

    Of these, `urgent_reserve` requests are admitted from the urgent queue alone. `clock` tells seconds since 1970.
    `sleep` waits for a random time, up to so many seconds. Each method raises what the table raises.
    """

    def __init__(
        self,
        table: Table,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
        observe: Observe,
        requests_per_minute: int,
        urgent_reserve: int,
    ) -> None:
        self._items = SharedItems(table, clock, sleep)
        self._clock = clock
        self._observe = observe
        self._rate = RateLimiter(self._items, clock, observe, requests_per_minute, urgent_reserve)
        self._lock = threading.RLock()

    def look(self, flow_ids: Sequence[str]) -> dict[str, Pause]:
        """Read the rate and the pauses, and return the pauses of the account and of these flows, by flow id."""
        with self._lock:
            self._items.read([*map(pause_key, flow_ids), pause_key(ACCOUNT), RATE_KEY])
            return {flow_id: self._pause_of(flow_id) for flow_id in (ACCOUNT, *flow_ids)}

    def forecast(self, flow_ids: Sequence[str]) -> list[Deferral | None]:
        """For a request of each of these flows, the pause that defers it, as far as is known here; None if none does.

        While a probe is due, its pause defers no request. Which requests have calls left to send is known only after
        their calls are claimed.
        """
        with self._lock:
            return [self._deferral(flow_id, is_resend=False) for flow_id in flow_ids]

    def free_permits(self, lane: Lane) -> int:
        """How many requests of this lane may leave now, as far as is known here."""
        with self._lock:
            return self._rate.free(lane)

    def wait_for_permits(self, lane: Lane, waiting: int, leaving: int) -> list[Deferral]:
        """Why `waiting` requests of this invocation are deferred: it has `leaving` others, and no more permits."""
        with self._lock:
            self._rate.expect(leaving)
            return [self._rate_limited(lane, leaving) for _ in range(waiting)]

    def pass_pauses(self, flow_id: str, lane: Lane, *, is_resend: bool) -> dict[str, int] | Deferral:
        """Let one stored request of a flow pass, before its connection is made. Returns the pauses that it now probes.

        The keys are flow ids, and "" for the account. The values number the probes of each pause, from 1 on. This costs
        one write for each, and a read if the last read is a second old.
        """
        with self._lock:
            self._read_if_old(flow_id)
            if deferral := self._deferral(flow_id, is_resend=is_resend):
                return deferral
            pauses = self._pauses_of(flow_id)
            if pauses and not self._rate.free(lane):
                return self._rate_limited(lane)  # a request without a permit must not use up the probe
            probes: dict[str, int] = {}
            for paused_id in pauses:
                if not self._become_probe(paused_id):
                    self.give_back(probes)
                    return self._paused(self._pauses_of(flow_id))
                probes[paused_id] = self._pause_of(paused_id).probes
            return probes

    def take_permit(self, flow_id: str, lane: Lane, probes: Mapping[str, int]) -> float | Deferral:
        """Take the permit of a request that passed as these `probes`, once its connection stands.

        Returns until when its first byte may leave, in seconds since 1970. This costs one write, and a read if the last
        read is a second old: a pause may have begun while the connection was made.
        """
        with self._lock:
            self._read_if_old(flow_id)
            pauses = self._pauses_of(flow_id).items()
            # Also a probe stops, if an operator has put another pause in place of the one that it probes.
            begun = {each: pause for each, pause in pauses if each not in probes or pause.is_by_operator}
            if begun:
                return self._paused(begun)
            until = self._rate.take(lane)
            return self._rate_limited(lane) if until is None else until

    def give_back(self, probes: Mapping[str, int]) -> None:
        """The request did not leave: another request may probe in its place. A permit that it took is lost."""
        with self._lock:
            for paused_id, number in probes.items():
                self._change(paused_id, partial(Pause.unprobed, number=number))

    def report(self, flow_id: str, probes: Mapping[str, int], signal: HealthSignal, secret_version: str) -> None:
        """Pause, resume or count failures by a request's health signal. `secret_version` sealed the request."""
        with self._lock:
            for scope, paused_id, version in ((Scope.ACCOUNT, ACCOUNT, ""), (Scope.FLOW, flow_id, secret_version)):
                own_signal = signal_about(scope, signal)
                if isinstance(own_signal, Passed) and not self._items.known.get(pause_key(paused_id)):
                    continue  # there is no pause and no count of failures to change
                is_probe = paused_id in probes
                after = partial(Pause.after, signal=own_signal, secret_version=version, is_probe=is_probe)
                self._change(paused_id, after)

    def resume(self, flow_id: str, refused_version: str) -> Pause:
        """End a flow's pause if it is for this version of its secret, and return the flow's pause as it is then."""
        with self._lock:
            self._change(flow_id, lambda pause, _: _NOT_PAUSED if pause.secret_version == refused_version else pause)
            return self._pause_of(flow_id)

    def _read_if_old(self, flow_id: str) -> None:
        self._items.read([RATE_KEY, pause_key(ACCOUNT), pause_key(flow_id)], FRESH_SECONDS)

    def _pause_of(self, flow_id: str) -> Pause:
        """The pause of a flow, or of the account, as far as is known here."""
        item = self._items.known.get(pause_key(flow_id))
        return pause_of(item) if item else _NOT_PAUSED

    def _pauses_of(self, flow_id: str) -> dict[str, Pause]:
        """What keeps a flow's requests from leaving: the pause of the account, the pause of the flow, both or none."""
        items = {paused_id: self._items.known.get(pause_key(paused_id)) for paused_id in (ACCOUNT, flow_id)}
        pauses = {paused_id: pause_of(item) for paused_id, item in items.items() if item}
        return {paused_id: pause for paused_id, pause in pauses.items() if pause.is_paused}

    def _become_probe(self, paused_id: str) -> bool:
        """Become the one probe of a pause; True also if the pause has ended. False if another request was faster."""
        return self._change(paused_id, _probed) or not self._pause_of(paused_id).is_paused

    def _change(self, flow_id: str, change: Callable[[Pause, int], Pause]) -> bool:
        """Write what `change` makes of a pause and the time in milliseconds; False if that is the same pause."""
        for item in self._items.attempts(pause_key(flow_id)):
            before, now = pause_of(item), self._clock()
            after = change(before, int(now * 1000))
            if after == before:
                return False
            attributes = {**pause_attributes(after), "expires_at": int(now) + _KEEP_SECONDS}
            if self._items.write(pause_key(flow_id), attributes):
                self._tell(flow_id, before, after, int(now * 1000))
                return True
        return False

    def _tell(self, flow_id: str, before: Pause, after: Pause, now_ms: int) -> None:
        if after.reason and after.reason != before.reason:
            self._observe(Paused(flow_id, after.reason, after.code, after.since_ms))
        elif before.is_paused and not after.is_paused:
            self._observe(Resumed(flow_id, before.reason, round((now_ms - before.since_ms) / 1000)))

    def _rate_limited(self, lane: Lane, about_to_leave: int = 0) -> Deferral:
        return Deferral(_RATE_LIMITED, self._rate.seconds_to_wait(lane, about_to_leave), is_brief=True)

    def _deferral(self, flow_id: str, *, is_resend: bool) -> Deferral | None:
        now_ms = int(self._clock() * 1000)
        pauses = self._pauses_of(flow_id).items()
        closed = {each: pause for each, pause in pauses if not pause.may_be_probed(now_ms, is_resend=is_resend)}
        return self._paused(closed) if closed else None

    def _paused(self, pauses: Mapping[str, Pause]) -> Deferral:
        """The deferral by the pause whose next probe is the latest. `pauses` has one or more, by flow id."""
        paused_id = max(pauses, key=lambda each: pauses[each].next_probe_at_ms)
        last = pauses[paused_id]
        # A resend waits until another request has probed a refusal, also when the probe is due now.
        seconds = last.seconds_to_probe(int(self._clock() * 1000)) or _MAX_PAUSED_SECONDS
        scope = Scope.FLOW if paused_id else Scope.ACCOUNT
        return Deferral(last.outcome, min(seconds, _MAX_PAUSED_SECONDS), scope=scope)


def _probed(pause: Pause, now_ms: int) -> Pause:
    return pause.probed(now_ms) if pause.is_paused and pause.may_be_probed(now_ms, is_resend=False) else pause
