"""The table over a faulty network: each write may fail before or after it was done, or be done late."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from sealed_relay.aws.dynamodb import refuse_keys_named_twice
from sealed_relay.ports import KEY, Change, Item
from tests.campaign.fault_chance import FaultKind
from tests.campaign.injected_error import InjectedError
from tests.campaign.services import Services

if TYPE_CHECKING:
    from tests.campaign.execution_environment import ExecutionEnvironment

W = TypeVar("W")
_LATEST_SECONDS = 20.0


class FaultyTable:
    """Each single write or read of a batch is a step, in any order, and a batch may be done in part."""

    def __init__(self, services: Services, environment: "ExecutionEnvironment") -> None:
        self._services = services
        self._table = services.table
        self._environment = environment

    def insert(self, items: Sequence[Item]) -> list[bool]:
        return self._write_each(self._table.insert, items, [str(item[KEY]) for item in items])

    def update(self, changes: Sequence[Change]) -> list[bool]:
        return self._write_each(self._table.update, changes, [change.key for change in changes])

    def read(self, keys: Sequence[str]) -> dict[str, Item]:
        found: dict[str, Item] = {}
        paused = []
        for part in self._services.chance.parts_of_read(keys):
            self._environment.step(part[0], is_read=True)
            if self._services.chance.occurs(FaultKind.READ_FAILED):
                raise InjectedError("read failed")
            found |= self._table.read(part)
            paused += self._services.monitor.pauses.now(part)
        for each in paused:
            each.known_to.add(self._environment)
        return found

    def _write_each(
        self, write: Callable[[Sequence[W]], list[bool]], writes: Sequence[W], keys: Sequence[str]
    ) -> list[bool]:
        refuse_keys_named_twice(keys)
        done = [False] * len(writes)
        chance = self._services.chance
        error: InjectedError | None = None
        left = len(writes)
        for index in chance.shuffled(range(len(writes))):
            left -= 1
            apply = partial(self._apply, write, writes[index], keys[index])
            self._environment.step(keys[index])
            if chance.occurs(FaultKind.WRITE_FAILED):
                self._services.trace("{} write of {} fails", self._environment.name, keys[index])
                error = InjectedError("write failed")
                if chance.happens(0.5 if left else 0.0):
                    break
                continue  # as with unprocessed items: those behind it are done all the same
            if chance.delays_write(keys[index]):
                seconds = chance.random.uniform(0.0, self._services.profile.max_late_seconds)
                self._services.schedule.after(seconds, apply)
                error = InjectedError("write is late")
                if chance.happens(0.5 if left else 0.0):
                    break
                continue
            done[index] = apply()
            if chance.occurs(FaultKind.WRITE_ANSWER_LOST):
                raise InjectedError("write was done, and its answer lost")
            if chance.occurs(FaultKind.WRITE_ANSWERED_LATE):
                self._environment.pass_time(chance.random.uniform(0.0, _LATEST_SECONDS))
            if chance.occurs(FaultKind.WRITE_REPEATED):
                self._environment.pass_time(chance.pick((0.0, 0.1, _LATEST_SECONDS)) * chance.random.random())
                done[index] = apply()  # whatever it was conditional on, it has changed that itself
        if error:
            raise error
        return done

    def _apply(self, write: Callable[[Sequence[W]], list[bool]], one: W, key: str) -> bool:
        items = self._table.items
        before = items.get(key)
        [is_done] = write([one])
        if is_done:
            self._services.monitor.wrote(self._environment, key, before, items[key], items)
        self._services.trace("{} writes {} {}: {}", self._environment.name, key, _Shown(items.get(key)), is_done)
        return is_done


class _Shown:
    """An item's few attributes that a trace is read for; formatted only if there is a trace."""

    def __init__(self, item: Item | None) -> None:
        self._item = item or {}

    def __str__(self) -> str:
        names = ("status", "reason", "message_id", "request_id", "may_have_been_sent", "lease_expires_at_ms")
        texts = [f"{name}={str(self._item[name])[:24]}" for name in names if name in self._item]
        return " ".join([*texts, "answered"] if "answer" in self._item else texts)
