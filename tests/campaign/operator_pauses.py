"""Operators who pause and resume: by the operations function, or by hand in the table, in part with a slip."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType, SimpleNamespace
from typing import TYPE_CHECKING, cast

from sealed_relay.admission.control import ACCOUNT, pause_key
from sealed_relay.ports import KEY, Item, Value
from sealed_relay_operations import status
from sealed_relay_operations.pauses import Item as PauseItem
from sealed_relay_operations.request import Pause, Resume
from tests.campaign.fault_chance import FaultKind
from tests.campaign.services import FLOW_IDS, Services

if TYPE_CHECKING:
    from sealed_relay_operations.ports import Dependencies

_LOOKS = 20
_SHARE_OF_RESUMES = 0.3
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
    """Pauses flows and the account at random times until the run's `fault_seconds` are over, then ends all pauses.

    Half of it is done by the operations function, and half by hand. Sometimes a person resumes what the relay paused.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        operations = SimpleNamespace(pauses=TablePauses(services), clock=services.schedule)
        self._operations = cast("Dependencies", operations)  # these actions use only the pauses and the clock
        self._paused: dict[str, int] = {}
        self._puts = 0
        for number in range(_LOOKS):
            services.schedule.after(services.profile.fault_seconds * number / _LOOKS, self._look)
        services.schedule.after(services.profile.fault_seconds, self._resume_all)

    def _look(self) -> None:
        chance = self._services.chance
        if not chance.occurs(FaultKind.PAUSED_BY_HAND):
            return
        flow_id = chance.random.choice((ACCOUNT, *FLOW_IDS))
        if chance.happens(_SHARE_OF_RESUMES):
            self._resume(flow_id)
            return
        self._pause(flow_id)
        self._puts += 1
        self._paused[flow_id] = number = self._puts
        seconds = chance.random.choice((10.0, 600.0, _LONGEST_PAUSE_SECONDS)) * chance.random.random()
        self._services.schedule.after(seconds, lambda: self._resume_put(flow_id, number))

    def _pause(self, flow_id: str) -> None:
        services, chance = self._services, self._services.chance
        if chance.happens(0.5):
            services.trace("*** the operations function pauses {}", flow_id or "the account")
            status.pause(self._operations, Pause(flow=flow_id, reason="MAINTENANCE"))
        else:
            item: Item = {KEY: pause_key(flow_id), "reason": "MAINTENANCE", **chance.random.choice(_SLIPS)}
            services.trace("*** an operator pauses {}", item)
            services.table.put(item)
        services.monitor.pauses.put_by_hand(pause_key(flow_id))

    def _resume_put(self, flow_id: str, number: int) -> None:
        """End a pause, unless it was ended already or another one was put over it."""
        if self._paused.get(flow_id) == number:
            self._resume(flow_id)

    def _resume(self, flow_id: str) -> None:
        services = self._services
        services.trace("*** an operator resumes {}", flow_id or "the account")
        self._paused.pop(flow_id, None)
        if services.chance.happens(0.5):
            status.resume(self._operations, Resume(flow=flow_id))
        elif pause_key(flow_id) in services.table.items:
            services.table.remove(pause_key(flow_id))
        services.monitor.pauses.removed_by_hand(pause_key(flow_id))

    def _resume_all(self) -> None:
        for flow_id in list(self._paused):
            self._resume(flow_id)


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
