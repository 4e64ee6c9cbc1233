"""The pauses that all invocations share: `pausing`, kept in an item for the account and one for each flow concerned.

Powertools' circuit breaker elects a single prober over DynamoDB too, but cannot express the rest: it opens by a count
of exceptions only, where one answer's code has to; its time to recovery is fixed, and does not grow; and it has no way
to resume early, for a changed secret.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from sealed_relay.admission.health_signal import Failed, Passed, Refused, Sign
from sealed_relay.admission.pause import Pause, pause_attributes, pause_of
from sealed_relay.admission.shared_item import Attributes, SharedItems
from sealed_relay.kairos.codes import Scope
from sealed_relay.observability.events import Observe, Paused, Resumed
from sealed_relay.ports import Item

ACCOUNT: Final = ""
"""What stands for the account where else a flow id does."""

_KEEP_SECONDS = 30 * 86_400


def pause_key(at: str) -> str:
    """The key of the pause of a flow, or of the account."""
    return f"#pause/flow/{at}" if at else "#pause/account"


class Pauses:
    """Of flows and of the account. `clock` tells seconds since 1970. What is known of the items is in `items`."""

    def __init__(self, items: SharedItems, clock: Callable[[], float], observe: Observe) -> None:
        self._items = items
        self._clock = clock
        self._observe = observe

    def __getitem__(self, at: str) -> Pause:
        """The state of a flow, or of the account, as far as is known here."""
        return pause_of(self._items[pause_key(at)])

    def barring(self, flow_id: str) -> list[str]:
        """What bars a flow's way: the account, the flow itself, both or neither."""
        return [at for at in (ACCOUNT, flow_id) if self[at].is_paused]

    def probe(self, barring: Sequence[str], *, is_resend: bool) -> float | None:
        """Become the one probe of all these; when it counts, in seconds since 1970, or None where it may not be.

        One write each.
        """
        counts_at = self._clock()
        if not all(self[at].is_due(self._now_ms(), is_resend=is_resend) for at in barring):
            return None
        probed: list[str] = []
        try:
            for at in barring:
                if not self._probe_one(at):
                    break
                probed.append(at)
        finally:
            if len(probed) < len(barring):
                self.give_back(probed, is_resend=is_resend)
        return counts_at if len(probed) == len(barring) else None

    def give_back(self, probed: Sequence[str], *, is_resend: bool) -> None:
        """The probe did not leave after all."""
        for at in probed:
            self._change(at, _unless_probed_meanwhile(partial(Pause.unprobed, is_resend=is_resend)))

    def report(self, flow_id: str, probed: Sequence[str], sign: Sign, secret_version: str, *, is_resend: bool) -> None:
        """Draw the consequences of an answer; no write where it changes nothing."""
        for scope, at, version in ((Scope.ACCOUNT, ACCOUNT, ""), (Scope.FLOW, flow_id, secret_version)):
            about = _about(sign, scope)
            after = partial(Pause.after, sign=about, secret_version=version, is_probe=at in probed, is_resend=is_resend)
            self._change(at, after if _ends(about) else _unless_probed_meanwhile(after))

    def resume(self, flow_id: str, refused_version: str) -> None:
        """Let a flow's requests leave again, unless it is paused for something else by now."""
        self._change(
            flow_id,
            lambda pause, now_ms: Pause() if pause.secret_version == refused_version else pause,  # noqa: ARG005
        )

    def _probe_one(self, at: str) -> bool:
        """False where somebody else was quicker; True also if it is not paused any more."""
        is_mine = self._change(
            at, lambda pause, now_ms: pause.probed(now_ms) if pause.is_paused and pause.is_due(now_ms) else pause
        )
        return is_mine or not self[at].is_paused

    def _change(self, at: str, change: Callable[[Pause, int], Pause]) -> bool:
        """Write a pause down, if the change made another one of it."""
        before = after = Pause()

        def changed(item: Item) -> Attributes | None:
            nonlocal before, after
            before = pause_of(item)
            after = change(before, self._now_ms())
            expires_at = int(self._clock()) + _KEEP_SECONDS
            return None if after == before else {**pause_attributes(after), "expires_at": expires_at}

        is_written = self._items.change(pause_key(at), changed)
        if is_written and after.reason and after.reason != before.reason:
            self._observe(Paused(at, after.reason, after.code, after.since_ms))
        elif is_written and before.is_paused and not after.is_paused:
            self._observe(Resumed(at, before.reason, round((self._now_ms() - before.since_ms) / 1000)))
        return is_written

    def _now_ms(self) -> int:
        return int(self._clock() * 1000)


def _ends(sign: Sign) -> bool:
    return isinstance(sign, Passed) and sign.is_accepted


def _unless_probed_meanwhile(change: Callable[[Pause, int], Pause]) -> Callable[[Pause, int], Pause]:
    """The change, worked out anew only for a pause that nobody else has probed since it was worked out first.

    A write whose answer was lost fails on its own success. Done once more, over the next one's probe, it would let
    another probe follow that one at once.
    """
    probes: list[int] = []

    def changed(pause: Pause, now_ms: int) -> Pause:
        probes.append(pause.probes)
        return change(pause, now_ms) if pause.probes == probes[0] else pause

    return changed


def _about(sign: Sign, scope: Scope) -> Sign:
    """What a sign says about the account, or about the flow alone."""
    match sign:
        case Refused() if sign.scope is not scope:
            return Passed(is_accepted=False, is_about_calls=scope is Scope.ACCOUNT)
        case Failed() if scope is Scope.FLOW:
            return Passed(is_accepted=False)
    return sign
