"""What DynamoDB charges for a call: write and read units and round trips, counted where the product asks for them.

Counted as AWS documents it (DynamoDB developer guide, "Capacity unit consumption" and "Item sizes and formats"): 1 KB a
write unit, begun ones counted whole; an update is charged by the larger of the item before and after; a conditional
write that fails is charged too; 4 KB a read unit, read consistently.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sealed_relay.batch.process_batch import process_batch
from sealed_relay.calls.message import Lane
from sealed_relay.ports import Change, Item, Value
from tests.bench.in_process.flows import flow_with_large_key, simulated
from tests.bench.in_process.messages import one_call_bodies
from tests.support.scene import Scene
from tests.support.table import InMemoryTable

_WRITE_UNIT_BYTES = 1024
_READ_UNIT_BYTES = 4096
_MAX_STATEMENTS = 25
_MAX_KEYS = 100


@dataclass(frozen=True, slots=True)
class TableUse:
    """What each call of a batch costs on average, in units and round trips of the table."""

    write_units: float
    read_units: float
    round_trips: float


def table_use(batch_size: int, message_bytes: int = 250) -> TableUse:
    """Deliver one batch of new one-call messages, and count."""
    scene = Scene()
    flow = flow_with_large_key()
    scene.flows.flows[flow.flow_id] = flow
    scene.simulator.flows[flow.flow_id] = simulated(flow)
    scene.table = table = MeteredTable()
    for body in one_call_bodies(batch_size, message_bytes):
        scene.ingress.send(body)
    kept = process_batch(scene.dependencies(), scene.ingress.receive(batch_size), scene.clock.now + 60, Lane.INGRESS)
    assert kept == []
    return TableUse(table.write_units / batch_size, table.read_units / batch_size, table.round_trips / batch_size)


class MeteredTable(InMemoryTable):
    """The table in memory, with a meter. Its round trips hold as much as those of the adapter."""

    def __init__(self) -> None:
        super().__init__()
        self.write_units = 0
        self.read_units = 0
        self.round_trips = 0

    def insert(self, items: Sequence[Item]) -> list[bool]:
        return self._metered(lambda: super(MeteredTable, self).insert(items), [str(item["call_id"]) for item in items])

    def update(self, changes: Sequence[Change]) -> list[bool]:
        return self._metered(lambda: super(MeteredTable, self).update(changes), [change.key for change in changes])

    def read(self, keys: Sequence[str]) -> dict[str, Item]:
        self.round_trips += math.ceil(len(keys) / _MAX_KEYS)
        found = super().read(keys)
        self.read_units += sum(_units(found.get(key, {}), _READ_UNIT_BYTES) for key in keys)
        return found

    def _metered(self, write: Callable[[], list[bool]], keys: Sequence[str]) -> list[bool]:
        before = [self.items.get(key, {}) for key in keys]
        done = write()
        self.round_trips += math.ceil(len(keys) / _MAX_STATEMENTS)
        self.write_units += sum(
            max(_units(old, _WRITE_UNIT_BYTES), _units(self.items.get(key, {}), _WRITE_UNIT_BYTES))
            for key, old in zip(keys, before, strict=True)
        )
        return done


def item_bytes(item: Item) -> int:
    """The size of an item as DynamoDB counts it: names and values, no more."""
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def _value_bytes(value: Value) -> int:
    match value:
        case bool():
            return 1
        case int():  # a byte for every two digits, and one more
            return math.ceil(len(str(abs(value))) / 2) + 1 + (value < 0)
        case bytes():
            return len(value)
        case str():
            return len(value.encode())


def _units(item: Item, unit_bytes: int) -> int:
    """Return the read units of an item; a missing item costs one unit too."""
    return max(1, math.ceil(item_bytes(item) / unit_bytes))
