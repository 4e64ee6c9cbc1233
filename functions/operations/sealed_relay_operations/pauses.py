"""Pauses as an operator puts, ends and sees them. Pure.

A pause is an item of the outcomes table. The relay reads and writes the same items, in `sealed_relay.admission.pause`.
This function is deployed alone, so it repeats what it needs of their form. A contract test holds the two together.
"""

from collections.abc import Mapping
from datetime import UTC, datetime

from msgspec import Struct

Item = Mapping[str, str | int]

LISTED_AS = "listed_as"
"""The attribute by which the table's index finds the items that pause something. No other item has it."""
PAUSE = "pause"

_FLOWS = "#pause/flow/"
_ACCOUNT = "#pause/account"
_NEVER_MS = 253_402_300_799_000
"""The end of the year 9999, and the largest number that such an item may have: a pause that is never probed."""


class PauseState(Struct):
    """A pause. `paused` is a flow id, or `account`. Times are ISO 8601 in UTC, None if there is none.

    `next_probe_at` is when one request may leave to find out if the pause can end. An operator's pause has no probes:
    it ends only when an operator resumes it.
    """

    paused: str
    reason: str
    code: int | None
    since: str | None
    next_probe_at: str | None
    is_by_operator: bool


class PauseChange(Struct):
    """What became of a pause. `before` is the pause that was there, None if nothing was paused."""

    paused: str
    now: PauseState | None
    before: PauseState | None


def key_of(flow_id: str) -> str:
    """The key of the pause of a flow, or of the account if `flow_id` is empty."""
    return f"{_FLOWS}{flow_id}" if flow_id else _ACCOUNT


def name_of(key: str) -> str:
    """What the pause with this key pauses."""
    return key.removeprefix(_FLOWS) if key.startswith(_FLOWS) else "account"


def item_of(reason: str, now: float) -> dict[str, str | int]:
    """The attributes of an operator's pause that begins now. It has no `expires_at`: it never ends by itself."""
    return {
        "reason": reason,
        "since_ms": int(now * 1000),
        "probes": 0,
        "next_probe_at_ms": _NEVER_MS,
        "failures_in_a_row": 0,
        LISTED_AS: PAUSE,
    }


def state_of(key: str, item: Item | None) -> PauseState | None:
    """The pause in an item of the table; None if the item pauses nothing."""
    if not item or not item.get("reason"):
        return None
    code = item.get("code")
    next_probe_at_ms = item.get("next_probe_at_ms", _NEVER_MS)
    return PauseState(
        name_of(key),
        str(item["reason"]),
        code if isinstance(code, int) else None,
        _time(item.get("since_ms")),
        None if next_probe_at_ms == _NEVER_MS else _time(next_probe_at_ms),
        is_by_operator=next_probe_at_ms == _NEVER_MS,
    )


def _time(milliseconds: str | int | None) -> str | None:
    if not isinstance(milliseconds, int) or not 0 < milliseconds <= _NEVER_MS:
        return None
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="seconds")
