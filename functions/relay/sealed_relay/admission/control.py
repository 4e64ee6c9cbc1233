"""Whether a request may leave now: the pauses of the account and of its flow, and the rate limit.

All invocations share these items of the table:

#pause/account            why the account is paused, since when, and when the next probe may leave
#pause/flow/<flow id>     the same for a flow; deleting the item resumes it
#permits                  the permits taken in the last minute
"""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sealed_relay.admission.health_signal import HealthSignal
from sealed_relay.admission.pause import Pause
from sealed_relay.admission.pause_store import ACCOUNT, PauseStore, pause_key
from sealed_relay.admission.rate_limiter import RATE_KEY, RateLimiter
from sealed_relay.admission.shared_item import FRESH_SECONDS, SharedItems
from sealed_relay.calls.message import Lane
from sealed_relay.calls.outcome import Outcome, Reason, Status
from sealed_relay.kairos.codes import Scope
from sealed_relay.observability.events import Observe
from sealed_relay.ports import Table

_MAX_PAUSED_SECONDS = 45.0
"""A deferral asks for no more than this: a pause may end at any moment, and what waits comes back within a minute."""

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


class Admission:
    """Admits `requests_per_minute` requests to the API, over all invocations. Threads may share it.

    `urgent_reserve` of them are admitted from the urgent queue alone.
    `clock` tells seconds since 1970. `sleep` waits for a random time, up to so many seconds. Each method raises what
    the table raises.
    """

    def __init__(
        self,
        table: Table,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
        observe: Observe,
        requests_per_minute: int,
        urgent_reserve: int = 0,
    ) -> None:
        self._items = SharedItems(table, clock, sleep)
        self._clock = clock
        self._pauses = PauseStore(self._items, clock, observe)
        self._rate = RateLimiter(self._items, clock, observe, requests_per_minute, urgent_reserve)
        self._lock = threading.RLock()

    def look(self, flow_ids: Iterable[str]) -> None:
        """Read the pauses of the account and of these flows, and the rate."""
        with self._lock:
            self._items.read([*map(pause_key, flow_ids), pause_key(ACCOUNT), RATE_KEY])

    def pause_of(self, flow_id: str = ACCOUNT) -> Pause:
        """The pause of a flow, or of the account, as far as is known here."""
        return self._pauses.pause_of(flow_id)

    def forecast(self, flow_ids: Sequence[str], lane: Lane) -> list[Deferral | None]:
        """For a request of each of these flows, why it may not leave, as far as is known here; None if it may.

        The first requests get the permits that are free. While a probe is due, its pause defers no request: which
        requests have calls left to send is known only after these are claimed.
        """
        with self._lock:
            free, leaving = self._rate.free(lane), 0
            deferrals: list[Deferral | None] = []
            for flow_id in flow_ids:
                deferral = self._deferral(flow_id, is_resend=False)
                if deferral is None and leaving < free:
                    leaving += 1
                elif deferral is None:
                    deferral = Deferral(_RATE_LIMITED, self._rate.seconds_to_wait(lane, leaving), is_brief=True)
                deferrals.append(deferral)
            self._rate.expect(leaving)
            return deferrals

    def pass_pauses(self, flow_id: str, lane: Lane, *, is_resend: bool = False) -> tuple[str, ...] | Deferral:
        """Let one stored request of a flow pass, before its connection is made: the pauses that it now probes.

        These are flow ids, and "" for the account. Costs one write for each, and a read where the last one is a second
        old.
        """
        with self._lock:
            self._read_if_old(flow_id)
            if deferral := self._deferral(flow_id, is_resend=is_resend):
                return deferral
            if self._pauses.pauses_of(flow_id) and not self._rate.free(lane):
                return self._rate_limited(lane)  # a request without a permit must not use up the probe
            probes = self._pauses.probe(flow_id)
            if probes is None:  # another request became the probe meanwhile
                return self._paused(self._pauses.pauses_of(flow_id))
            return probes

    def take_permit(self, flow_id: str, lane: Lane, probes: Sequence[str] = ()) -> float | Deferral:
        """Take the permit of a request that passed as these `probes`, once its connection stands.

        Returns until when its first byte may leave, in seconds since 1970. Costs one write, and a read where the last
        one is a second old: a pause may have begun while the connection was made.
        """
        with self._lock:
            self._read_if_old(flow_id)
            pauses = self._pauses.pauses_of(flow_id).items()
            # Also a probe stops, if an operator has put another pause in place of the one that it probes.
            begun = {each: pause for each, pause in pauses if each not in probes or pause.is_by_operator}
            if begun:
                return self._paused(begun)
            until = self._rate.take(lane)
            return self._rate_limited(lane) if until is None else until

    def give_back(self, probes: Sequence[str]) -> None:
        """The request did not leave. Another request may probe in its place. A permit that it took is lost."""
        with self._lock:
            self._pauses.give_back(probes)

    def report(self, flow_id: str, probes: Sequence[str], signal: HealthSignal, secret_version: str) -> None:
        """Pause, resume or count failures by a request's health signal. `secret_version` sealed the request."""
        with self._lock:
            self._pauses.report(flow_id, probes, signal, secret_version)

    def resume(self, flow_id: str, refused_version: str) -> None:
        """End a flow's pause, because the secret that was refused is no longer the flow's secret."""
        with self._lock:
            self._pauses.resume(flow_id, refused_version)

    def _read_if_old(self, flow_id: str) -> None:
        self._items.read([RATE_KEY, pause_key(ACCOUNT), pause_key(flow_id)], FRESH_SECONDS)

    def _rate_limited(self, lane: Lane) -> Deferral:
        return Deferral(_RATE_LIMITED, self._rate.seconds_to_wait(lane), is_brief=True)

    def _deferral(self, flow_id: str, *, is_resend: bool) -> Deferral | None:
        now_ms = int(self._clock() * 1000)
        pauses = self._pauses.pauses_of(flow_id)
        closed = {
            paused_id: pause
            for paused_id, pause in pauses.items()
            if not pause.may_be_probed(now_ms, is_resend=is_resend)
        }
        return self._paused(closed) if closed else None

    def _paused(self, pauses: Mapping[str, Pause]) -> Deferral:
        """The deferral by the pause whose next probe is the latest. `pauses` has one or more, by flow id."""
        paused_id = max(pauses, key=lambda each: pauses[each].next_probe_at_ms)
        last = pauses[paused_id]
        # A resend waits until another request has probed a refusal, also when the probe is due now.
        seconds = last.seconds_to_probe(int(self._clock() * 1000)) or _MAX_PAUSED_SECONDS
        scope = Scope.FLOW if paused_id else Scope.ACCOUNT
        return Deferral(last.outcome, min(seconds, _MAX_PAUSED_SECONDS), scope=scope)
