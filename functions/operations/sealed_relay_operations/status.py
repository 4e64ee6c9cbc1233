"""The actions on pauses, and the state of pauses and queues."""

from collections.abc import Mapping

from msgspec import Struct

from sealed_relay_operations.pauses import PauseChange, PauseState, item_of, key_of, name_of, state_of
from sealed_relay_operations.ports import Dependencies, Messages
from sealed_relay_operations.request import Pause, Resume


class StatusAnswer(Struct):
    """What is paused, and how many messages each queue has, by its name."""

    pauses: list[PauseState]
    queues: Mapping[str, Messages]


def pause(dependencies: Dependencies, request: Pause) -> PauseChange:
    """Pause a flow or the account, in place of a pause that is there."""
    key = key_of(request.flow)
    item = item_of(request.reason, dependencies.clock())
    before = dependencies.pauses.put(key, item)
    return PauseChange(name_of(key), state_of(key, item), state_of(key, before))


def resume(dependencies: Dependencies, request: Resume) -> PauseChange:
    """End a pause, the relay's or an operator's. Invocations under way know within a second."""
    key = key_of(request.flow)
    before = dependencies.pauses.delete(key)
    return PauseChange(name_of(key), None, state_of(key, before))


def status(dependencies: Dependencies) -> StatusAnswer:
    """The pauses, the account's first, and the messages in each queue."""
    items = dependencies.pauses.read([key_of(""), *dependencies.pauses.list_keys()])
    states = (state_of(key, items[key]) for key in sorted(items))
    return StatusAnswer([state for state in states if state], dependencies.count_messages())
