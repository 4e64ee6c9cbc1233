"""Every code of the API leads where its verdict says, seen from the queue."""

import json

import pytest
from msgspec.structs import replace

from local.simulator.faults import CodeAnswer, NoFault
from sealed_relay.kairos.codes import CODES, Verdict, code_of
from tests.support.scene import Scene

TRANSIENT = [code.number for code in CODES.values() if code.verdict is Verdict.RETRY_FRESH]
PAUSING = [code.number for code in CODES.values() if code.verdict is Verdict.PAUSE]
CALL_AT_FAULT = [code.number for code in CODES.values() if code.verdict is Verdict.ISOLATE]


def test_every_code_has_a_test_in_this_file() -> None:
    tried = {200, 201, 202, 209, 302, 303, 999, *TRANSIENT, *PAUSING, *CALL_AT_FAULT}
    assert tried == {*CODES, 999}


def test_success_accepts_every_call_with_its_phonon_uuid() -> None:
    scene = Scene()
    scene.send("a", "b")
    scene.run()
    assert scene.statuses() == {"ACCEPTED": 2}
    accepted = scene.simulator.audit.accepted["FLOWAAAA/a"]
    assert scene.record("a")["phonon_uuid"] == accepted[0].phonon_uuid
    assert scene.record("a")["code"] == 200
    assert scene.record("a")["attempts"] == 1


@pytest.mark.parametrize("number", TRANSIENT)
def test_transient_failure_is_retried_in_a_fresh_request(number: int) -> None:
    scene = Scene()
    scene.send("a", "b")
    scene.plan(CodeAnswer(code=number))
    kept = scene.invoke()
    assert kept == ["message-1"]
    assert scene.record("a")["status"] == "WAITING"
    assert scene.record("a")["code"] == number
    assert scene.record("a")["reason"] == code_of(number).name
    scene.run()
    assert scene.statuses() == {"ACCEPTED": 2}
    assert len(set(scene.gateway.bodies)) == 2


@pytest.mark.parametrize("number", TRANSIENT)
def test_transient_failure_that_stays_is_rejected_with_its_code(number: int) -> None:
    scene = Scene()
    scene.send("a")
    scene.plan(CodeAnswer(code=number), requests=None)
    scene.run()
    assert scene.statuses() == {"REJECTED": 1}
    assert len(scene.gateway.bodies) == scene.limits.max_refusals
    assert [(failure.reason, failure.code) for failure in scene.failures.published] == [(code_of(number).name, number)]


@pytest.mark.parametrize("number", PAUSING)
def test_code_that_pauses_costs_no_message_its_life(number: int) -> None:
    scene = Scene()
    scene.send("a")
    scene.plan(CodeAnswer(code=number), requests=20)
    scene.run()
    assert scene.statuses() == {"ACCEPTED": 1}
    assert scene.failures.published == []


@pytest.mark.parametrize("number", CALL_AT_FAULT)
def test_call_at_fault_is_isolated_and_rejected_and_the_others_are_delivered(number: int) -> None:
    scene = Scene()
    scene.send(*(f"good-{index}" for index in range(10)))
    scene.send("bad", contact_numbers=[f"910000000{number}"])
    scene.send(*(f"more-{index}" for index in range(6)))
    scene.run()
    assert scene.statuses() == {"ACCEPTED": 16, "REJECTED": 1}
    assert scene.record("bad")["reason"] == code_of(number).name
    assert set(scene.accepted().values()) == {1}
    assert scene.failed_names() == ["bad"]
    failure = scene.failures.published[0]
    assert (failure.reason, failure.code, failure.source_message_id) == (code_of(number).name, number, "message-2")


def test_calls_at_fault_are_all_found() -> None:
    scene = Scene()
    for index in range(40):
        number = "910000000205" if index % 7 == 0 else "919900000001"
        scene.send(f"call-{index}", contact_numbers=[number])
    scene.run()
    assert scene.statuses() == {"ACCEPTED": 34, "REJECTED": 6}
    assert set(scene.accepted().values()) == {1}


def test_partial_success_delivers_the_listed_calls_and_isolates_the_others() -> None:
    scene = Scene()
    scene.send("a", "b")
    scene.send("left-out", contact_numbers=["910000000209"])
    scene.run()
    assert scene.statuses() == {"ACCEPTED": 2, "UNRESOLVED": 1}
    assert scene.record("left-out")["code"] == 209  # alone in its request, with an empty list
    assert scene.accepted() == {"FLOWAAAA/a": 1, "FLOWAAAA/b": 1}


def test_partial_success_without_a_cause_delivers_all_calls() -> None:
    scene = Scene()
    scene.send(*(f"call-{index}" for index in range(9)))
    scene.plan(CodeAnswer(code=209), requests=3)
    scene.run()
    assert scene.statuses() == {"ACCEPTED": 9}
    assert set(scene.accepted().values()) == {1}


def test_repeated_checksum_on_a_first_send_ends_unresolved() -> None:
    scene = Scene()
    scene.send("a")
    scene.plan(CodeAnswer(code=201))
    scene.run()
    assert scene.record("a")["status"] == "UNRESOLVED"
    assert scene.record("a")["code"] == 201
    assert len(scene.gateway.bodies) == 1


def test_unknown_code_is_resent_with_the_same_bytes_and_accepted_by_the_next_answer() -> None:
    scene = Scene()
    scene.simulator.settings = replace(scene.simulator.settings, refusal_leaves_checksum=False)
    scene.send("a", "b")
    scene.plan(CodeAnswer(code=999))
    scene.run()
    assert scene.statuses() == {"ACCEPTED": 2}
    assert len(set(scene.gateway.bodies)) == 1


def test_unknown_code_that_stays_ends_unresolved_with_the_code() -> None:
    scene = Scene()
    scene.send("a")
    scene.plan(CodeAnswer(code=999), requests=None)
    scene.run(max_invocations=200)
    assert scene.record("a")["status"] == "UNRESOLVED"
    assert scene.record("a")["code"] == 999
    assert len(set(scene.gateway.bodies)) == 1
    assert len(scene.gateway.bodies) == scene.limits.max_refusals


def test_wrong_security_id_is_fetched_again_and_tried_at_once() -> None:
    scene = Scene()
    scene.rotate_security_id("FLOWAAAA")
    scene.flows.refreshed["FLOWAAAA"] = scene.rotated("FLOWAAAA")
    scene.send("a")
    scene.invoke()
    assert scene.record("a")["status"] == "ACCEPTED"
    assert len(scene.gateway.bodies) == 2


def test_security_id_that_stays_wrong_pauses_only_its_flow() -> None:
    scene = Scene()
    scene.rotate_security_id("FLOWAAAA")
    scene.send("a")
    scene.send("b", flow_id="FLOWBBBB")
    scene.invoke()
    assert scene.record("a")["status"] == "WAITING"
    assert scene.record("a")["reason"] == "INVALID_SECURITY_ID"
    assert scene.record("b", "FLOWBBBB")["status"] == "ACCEPTED"
    scene.flows.flows["FLOWAAAA"] = scene.rotated("FLOWAAAA")
    scene.run()
    assert scene.record("a")["status"] == "ACCEPTED"
    assert scene.failures.published == []


def test_request_with_too_many_calls_is_split_until_it_fits() -> None:
    scene = Scene()
    scene.send(*(f"call-{index}" for index in range(8)))
    scene.plan(CodeAnswer(code=303), requests=3)
    scene.run()
    assert scene.statuses() == {"ACCEPTED": 8}


def test_single_call_that_is_too_large_is_rejected() -> None:
    scene = Scene()
    scene.send("a")
    scene.plan(CodeAnswer(code=303))
    scene.run()
    assert scene.statuses() == {"REJECTED": 1}


def test_empty_call_list_is_rejected() -> None:
    scene = Scene()
    scene.send("a", "b")
    scene.plan(CodeAnswer(code=302))
    scene.run()
    assert scene.statuses() == {"REJECTED": 2}
    assert scene.failed_names() == ["a", "b"]
    assert len(scene.failures.published) == 1


def test_message_stays_until_its_last_call_is_finished() -> None:
    scene = Scene()
    numbers = {"good": "919900000001", "bad": "910000000205"}
    calls = [{"client-identifier": name, "contact-numbers": [number]} for name, number in numbers.items()]
    message_id = scene.ingress.send(json.dumps({"flow-id": "FLOWAAAA", "calls": calls}))
    scene.plan(NoFault())  # the request of both: 205
    scene.plan(CodeAnswer(code=500))  # the good one alone
    assert scene.invoke() == [message_id]
    assert scene.record("bad")["status"] == "REJECTED"
    assert scene.record("good")["status"] == "WAITING"
    scene.run()
    assert scene.record("good")["status"] == "ACCEPTED"
    assert scene.failed_names() == ["bad"]
