"""What the audit reports, and what it never reports."""

import json
import random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from local.simulator.faults import CodeAnswer, DroppedConnection, Fault, ForeignPage, PartialSuccess, TruncatedAnswer
from tests.local.simulator.flow_owner import NUMBER, SECURITY_ID, FlowOwner, call
from tests.local.simulator.in_memory_simulator import InMemorySimulator


def test_acceptance_has_the_ids_of_its_answer(api: InMemorySimulator) -> None:
    response = api.send(call("c-1"))
    assert response.call_details is not None
    [acceptance] = api.state.audit.accepted["ABCD1234/c-1"]
    assert acceptance.phonon_uuid == response.call_details[0].phonon_uuid
    assert acceptance.request_id == response.request_id


def test_call_accepted_twice_is_counted(api: InMemorySimulator) -> None:
    api.send(call("c-1"), call("c-2"))
    api.send(call("c-1"))
    report = api.state.audit.report()
    assert (report.accepted_calls, report.calls_accepted_more_than_once) == (3, 1)
    assert report.calls_per_accepted_request == {2: 1, 1: 1}


def test_every_request_is_counted_by_what_its_client_saw(api: InMemorySimulator) -> None:
    api.change_settings(requests_per_minute=5)
    for fault in (ForeignPage(http_status=502), DroppedConnection(after_accepting=True), TruncatedAnswer()):
        api.plan(fault)
    for position in range(6):
        api.reply(api.owner.request(call(f"c-{position}")))
    report = api.state.audit.report()
    assert report.requests_received == 6
    assert report.answered_by_code == {200: 2}
    assert report.answered_without_verdict == {"HTTP 502": 1, "dropped": 1, "truncated": 1, "HTTP 429": 1}
    assert report.accepted_calls == 4


def test_busiest_minute_is_found_wherever_it_begins(api: InMemorySimulator) -> None:
    for gap_seconds in (0, 40, 30, 0, 0, 29, 200, 10):
        api.clock.pass_seconds(gap_seconds)
        api.send(call())
    assert api.state.audit.report().max_requests_in_60_seconds == 5


def test_audit_holds_no_number_and_no_secret(api: InMemorySimulator) -> None:
    api.send(call("c-1"))
    api.send(call("c-2", "910000000205"))
    told = repr((api.state.audit.report(), api.state.audit.accepted, api.state.flows, api.owner.registration()))
    for secret in (NUMBER, "910000000205", SECURITY_ID, "PRIVATE KEY"):
        assert secret not in told


_FAULTS: st.SearchStrategy[Fault] = st.one_of(
    st.builds(CodeAnswer, code=st.integers(199, 504)),
    st.builds(ForeignPage, http_status=st.sampled_from([200, 302, 429, 502]), after_accepting=st.booleans()),
    st.builds(DroppedConnection, after_accepting=st.booleans()),
    st.builds(PartialSuccess, accept_chance=st.floats(0, 1)),
    st.just(TruncatedAnswer()),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(faults=st.lists(_FAULTS, max_size=6), seed=st.integers(0, 99))
def test_resent_bytes_never_get_a_call_accepted_twice(owner: FlowOwner, faults: list[Fault], seed: int) -> None:
    api = InMemorySimulator(owner)
    api.state.chance = random.Random(seed)
    for fault in faults:
        api.plan(fault)
    body = owner.request(call("c-1"), call("c-2"))
    for _ in range(len(faults) + 1):
        api.reply(body)
    report = api.state.audit.report()
    assert report.calls_accepted_more_than_once == 0
    answers = sum(report.answered_by_code.values()) + sum(report.answered_without_verdict.values())
    assert report.requests_received == answers == len(faults) + 1


def test_answer_has_the_documented_fields(api: InMemorySimulator) -> None:
    document = json.loads(api.reply(api.owner.request(call())).body)
    assert set(document) == {"api-response-code", "api-response-message", "request-id", "call-details"}
    assert set(document["call-details"][0]) == {"client-identifier", "phonon-uuid"}
