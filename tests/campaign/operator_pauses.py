"""An operator who writes pauses into the table by hand, some of them with a slip, and removes them again."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from sealed_relay.admission.control import ACCOUNT, pause_key
from sealed_relay.ports import KEY, Item, Value
from sealed_relay_operations.pauses import Item as PauseItem
from tests.campaign.fault_chance import FaultKind
from tests.campaign.services import FLOW_IDS, Services

_LOOKS = 20
_LONGEST_PAUSE_SECONDS = 3600.0
_MICROSECONDS = 1_795_000_000_000_000

_SLIPS: tuple[Mapping[str, Value], ...] = tuple(
    MappingProxyType(slip)
    for slip in (
        {},
        {"since_ms": _MICROSECONDS},
        {"since_ms": "yesterday"},
        {"since_ms": -1},
        {"probes": "none"},
        {"probes": -5},
        {"next_probe_at_ms": _MICROSECONDS},
        {"next_probe_at_ms": "never"},
        {"next_probe_at_ms": False},
        {"code": "212"},
        {"failures_in_a_row": "many"},
        {"expires_at": "tomorrow"},
        {"revision": "first"},
        {"a note": "until Monday"},
    )
)
"""None of them says when to probe, so each of these pauses holds until it is removed."""


class OperatorPauses:
    """Pauses flows and the account at random times until the run's `fault_seconds` are over, then ends all pauses."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._paused: dict[str, int] = {}
        self._puts = 0
        for number in range(_LOOKS):
            services.schedule.after(services.profile.fault_seconds * number / _LOOKS, self._look)
        services.schedule.after(services.profile.fault_seconds, self._resume_all)

    def _look(self) -> None:
        chance = self._services.chance
        if not chance.occurs(FaultKind.PAUSED_BY_HAND):
            return
        key = pause_key(chance.random.choice((ACCOUNT, *FLOW_IDS)))
        item: Item = {KEY: key, "reason": "MAINTENANCE", **chance.random.choice(_SLIPS)}
        self._services.trace("*** an operator pauses {}", item)
        self._services.table.put(item)
        self._services.monitor.pauses.put_by_hand(key)
        self._puts += 1
        self._paused[key] = number = self._puts
        seconds = chance.random.choice((10.0, 600.0, _LONGEST_PAUSE_SECONDS)) * chance.random.random()
        self._services.schedule.after(seconds, lambda: self._resume(key, number))

    def _resume(self, key: str, number: int) -> None:
        """Remove a pause, unless it was removed already or another one was put over it."""
        if self._paused.get(key) == number:
            self._services.trace("*** an operator resumes {}", key)
            del self._paused[key]
            self._services.table.remove(key)
            self._services.monitor.pauses.removed_by_hand(key)

    def _resume_all(self) -> None:
        for key, number in list(self._paused.items()):
            self._resume(key, number)


class TablePauses:
    """Keeps the promises of the operations function's `ports.Pauses`, over the run's table."""

    def __init__(self, services: Services) -> None:
        self._table = services.table

    def put(self, key: str, item: PauseItem) -> PauseItem:
        before = self._item(key)
        self._table.put({KEY: key, **item})
        return before

    def delete(self, key: str) -> PauseItem:
        before = self._item(key)
        if before:
            self._table.remove(key)
        return before

    def list_keys(self) -> list[str]:
        return [key for key in self._table.items if key.startswith("#pause/")]

    def read(self, keys: Sequence[str]) -> dict[str, PauseItem]:
        return {key: item for key in keys if (item := self._item(key))}

    def _item(self, key: str) -> PauseItem:
        item = self._table.items.get(key, {})
        return {name: value for name, value in item.items() if isinstance(value, str | int)}
