"""The pauses that all invocations share: one item for the account, and one for each flow concerned.

Why not Powertools' circuit breaker: it elects a single prober over DynamoDB too, but it opens by a count of exceptions
only, where here one answer's code is enough; its time to recovery does not grow; and it cannot resume early when a
secret was changed.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from sealed_relay.admission.health_signal import Failed, HealthSignal, Passed, Refused
from sealed_relay.admission.pause import Pause, pause_attributes, pause_of
from sealed_relay.admission.shared_item import SharedItems
from sealed_relay.kairos.codes import Scope
from sealed_relay.observability.events import Observe, Paused, Resumed

ACCOUNT: Final = ""
"""The account, where otherwise a flow id stands."""

_KEEP_SECONDS = 30 * 86_400
_NOT_PAUSED: Final = Pause()


def pause_key(flow_id: str) -> str:
    """The key of the pause of a flow, or of the account."""
    return f"#pause/flow/{flow_id}" if flow_id else "#pause/account"


class PauseStore:
    """The pauses of flows and of the account. `clock` tells seconds since 1970. `items` has what is known of them."""

    def __init__(self, items: SharedItems, clock: Callable[[], float], observe: Observe) -> None:
        self._items = items
        self._clock = clock
        self._observe = observe

    def pause_of(self, flow_id: str) -> Pause:
        """The pause of a flow, or of the account, as far as is known here."""
        item = self._items.known.get(pause_key(flow_id))
        return pause_of(item) if item else _NOT_PAUSED

    def pauses_of(self, flow_id: str) -> dict[str, Pause]:
        """What keeps a flow's requests from leaving: the pauses of the account and of the flow, both or none."""
        items = {each: self._items.known.get(pause_key(each)) for each in (ACCOUNT, flow_id)}
        pauses = {each: pause_of(item) for each, item in items.items() if item}
        return {each: pause for each, pause in pauses.items() if pause.is_paused}

    def probe(self, flow_id: str) -> tuple[str, ...] | None:
        """Become the one probe of each of a flow's pauses, one write for each; None if another request was faster."""
        probes: list[str] = []
        for paused_id in self.pauses_of(flow_id):
            if self._change(paused_id, _probed) or not self.pause_of(paused_id).is_paused:
                probes.append(paused_id)
            else:
                self.give_back(probes)
                return None
        return tuple(probes)

    def give_back(self, probes: Sequence[str]) -> None:
        """The probe of these pauses did not leave."""
        for paused_id in probes:
            self._change(paused_id, Pause.unprobed)

    def report(self, flow_id: str, probes: Sequence[str], signal: HealthSignal, secret_version: str) -> None:
        """Change the pauses of the account and the flow by a health signal. What does not change is not written."""
        for scope, paused_id, version in ((Scope.ACCOUNT, ACCOUNT, ""), (Scope.FLOW, flow_id, secret_version)):
            own_signal = _signal_about(scope, signal)
            if isinstance(own_signal, Passed) and not self._items.known.get(pause_key(paused_id)):
                continue  # there is no pause and no count of failures to change
            after = partial(Pause.after, signal=own_signal, secret_version=version, is_probe=paused_id in probes)
            self._change(paused_id, after)

    def resume(self, flow_id: str, refused_version: str) -> None:
        """End a flow's pause if it is still for this version of its secret."""
        self._change(
            flow_id,
            lambda pause, _: _NOT_PAUSED if pause.secret_version == refused_version else pause,
        )

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


def _probed(pause: Pause, now_ms: int) -> Pause:
    return pause.probed(now_ms) if pause.is_paused and pause.may_be_probed(now_ms, is_resend=False) else pause


def _signal_about(scope: Scope, signal: HealthSignal) -> HealthSignal:
    """What a signal says about just the account, or about just the flow."""
    match signal:
        case Refused() if signal.scope is not scope:
            return Passed(is_accepted=False, is_about_calls=scope is Scope.ACCOUNT)
        case Failed() if scope is Scope.FLOW:
            return Passed(is_accepted=False)
    return signal
