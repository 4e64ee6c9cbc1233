"""The promises of the operator's `ports.Pauses`, and the form of a pause: what one function writes the other reads."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealed_relay.admission.control import ACCOUNT, pause_key
from sealed_relay.admission.health_signal import Failed, Refused
from sealed_relay.admission.pause import Pause, pause_attributes, pause_of
from sealed_relay.aws.dynamodb import DynamoDBTable
from sealed_relay.kairos.codes import Scope
from sealed_relay.ports import Change, Table
from sealed_relay_operations.aws.dynamodb import DynamoDBPauses
from sealed_relay_operations.pauses import item_of, key_of, state_of
from sealed_relay_operations.ports import Pauses
from tests.functional.operations.scene import InMemoryPauses
from tests.support.aws_clients import AwsClients
from tests.support.table import InMemoryTable

NOW = 1_795_000_000.0
PAUSED = Pause("INVALID_GATEWAY_ID", 204, int(NOW * 1000), 0, int(NOW * 1000) + 15_000)
RESUMED = Pause()
FLOW = "#pause/flow/FLOWAAAA"


@dataclass(frozen=True)
class Bench:
    """One table, as the relay and as the operations function see it."""

    relay: Table
    pauses: Pauses

    def write_as_the_relay(self, key: str, pause: Pause) -> None:
        attributes = pause_attributes(pause)
        [is_new] = self.relay.insert([{"call_id": key, **{n: v for n, v in attributes.items() if v is not None}}])
        if not is_new:
            self.relay.update([Change(key, {}, attributes)])

    def read_as_the_relay(self, key: str) -> Pause:
        return pause_of(self.relay.read([key]).get(key, {}))


@pytest.fixture
def in_memory() -> Bench:
    table = InMemoryTable()
    return Bench(table, InMemoryPauses(table.items))


@pytest.fixture
def on_aws(clients: AwsClients, table_name: str) -> Bench:
    return Bench(DynamoDBTable(clients.dynamodb, table_name), DynamoDBPauses(clients.dynamodb, table_name))


def test_keys_of_pauses_are_those_of_the_relay() -> None:
    assert (key_of(""), key_of("FLOWAAAA")) == (pause_key(ACCOUNT), pause_key("FLOWAAAA")) == ("#pause/account", FLOW)


def test_operators_pause_is_one_that_the_relay_neither_probes_nor_ends(bench: Bench) -> None:
    assert bench.pauses.put(FLOW, item_of("MAINTENANCE", NOW)) == {}

    pause = bench.read_as_the_relay(FLOW)

    assert (pause.reason, pause.since_ms, pause.is_paused) == ("MAINTENANCE", int(NOW * 1000), True)
    a_year_later_ms = int(NOW * 1000) + 365 * 86_400_000
    assert not pause.may_be_probed(a_year_later_ms, is_resend=False)
    for signal in (Refused(Scope.FLOW, "INVALID_GATEWAY_ID", 204), Failed("NO_ANSWER")):
        assert pause.after(a_year_later_ms, signal=signal, secret_version="v1", is_probe=True) == pause


def test_pause_of_the_relay_is_told_as_it_is(bench: Bench) -> None:
    bench.write_as_the_relay(FLOW, PAUSED)

    state = state_of(FLOW, bench.pauses.read([FLOW, "#pause/account"])[FLOW])

    assert state is not None
    assert (state.paused, state.reason, state.code) == ("FLOWAAAA", "INVALID_GATEWAY_ID", 204)
    assert (state.since, state.next_probe_at) == ("2026-11-18T11:06:40+00:00", "2026-11-18T11:06:55+00:00")
    assert not state.is_by_operator


def test_put_and_delete_return_what_was_there_before(bench: Bench) -> None:
    bench.write_as_the_relay(FLOW, PAUSED)

    replaced = bench.pauses.put(FLOW, item_of("MAINTENANCE", NOW))
    deleted = bench.pauses.delete(FLOW)

    assert state_of(FLOW, replaced) == state_of(FLOW, {"reason": PAUSED.reason, "code": 204, **_times(PAUSED)})
    assert state_of(FLOW, deleted) == state_of(FLOW, item_of("MAINTENANCE", NOW))
    assert bench.pauses.delete(FLOW) == {}
    assert bench.read_as_the_relay(FLOW) == RESUMED


def test_only_what_is_paused_is_listed(bench: Bench) -> None:
    bench.write_as_the_relay("#pause/account", PAUSED)
    bench.write_as_the_relay("#pause/flow/FLOWCCCC", Pause(failures_in_a_row=3))
    bench.write_as_the_relay("#pause/flow/FLOWBBBB", PAUSED)
    bench.write_as_the_relay("#pause/flow/FLOWBBBB", RESUMED)
    bench.pauses.put(FLOW, item_of("MAINTENANCE", NOW))
    bench.pauses.put("#pause/flow/FLOWDDDD", item_of("MAINTENANCE", NOW))
    bench.pauses.delete("#pause/flow/FLOWDDDD")
    bench.relay.insert([{"call_id": "FLOWAAAA/a", "status": "WAITING", "reason": "MAINTENANCE"}])

    assert sorted(bench.pauses.list_keys()) == ["#pause/account", FLOW]


@pytest.mark.parametrize("count", [0, 1, 101])
def test_any_number_of_pauses_is_listed_and_read(bench: Bench, count: int) -> None:
    keys = [f"#pause/flow/FLOW{number:04}" for number in range(count)]
    for key in keys:
        bench.pauses.put(key, item_of("MAINTENANCE", NOW))

    assert sorted(bench.pauses.list_keys()) == keys
    assert sorted(bench.pauses.read(keys)) == keys


_numbers = st.integers(0, 253_402_300_799_000)


@given(st.builds(Pause, reason=st.sampled_from(["", "NO_ANSWER"]), since_ms=_numbers, next_probe_at_ms=_numbers))
def test_state_says_paused_exactly_if_the_relay_sends_probes_only(pause: Pause) -> None:
    item = {name: value for name, value in pause_attributes(pause).items() if isinstance(value, str | int)}
    assert (state_of(FLOW, item) is not None) == pause.is_paused == ("listed_as" in item)


def _times(pause: Pause) -> dict[str, int]:
    return {"since_ms": pause.since_ms, "next_probe_at_ms": pause.next_probe_at_ms}
