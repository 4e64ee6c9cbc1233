"""Every code of the table can be provoked, by a test number or by the control endpoint."""

import pytest

import local.simulator
from local.simulator.check_call import TEST_NUMBERS
from local.simulator.faults import CodeAnswer, PartialSuccess
from sealed_relay.kairos.codes import CODES, Scope
from tests.local.simulator.flow_owner import call
from tests.local.simulator.in_memory_simulator import InMemorySimulator

REFUSALS = sorted(CODES.keys() - {200, 209})


def identifiers_listed(api: InMemorySimulator, *numbers: str) -> tuple[int, list[str] | None]:
    response = api.send(*(call(f"c-{position}", number) for position, number in enumerate(numbers)))
    details = response.call_details
    return response.api_response_code, details if details is None else [one.client_identifier for one in details]


def test_every_code_about_a_call_has_one_test_number() -> None:
    assert sorted(code.number for code in TEST_NUMBERS.values()) == sorted(
        code.number for code in CODES.values() if code.scope is Scope.CALL
    )


def test_docstring_lists_every_test_number_with_its_code() -> None:
    documentation = local.simulator.__doc__ or ""
    for number, code in TEST_NUMBERS.items():
        assert f"{number}  {code.number} {code.name}" in documentation


@pytest.mark.parametrize("number", [number for number, code in TEST_NUMBERS.items() if code.number != 209])
@pytest.mark.parametrize("prefix", ["", "+"])
def test_test_number_provokes_its_code_for_the_whole_request(api: InMemorySimulator, number: str, prefix: str) -> None:
    code, listed = identifiers_listed(api, "919800000001", prefix + number)
    assert (code, listed) == (TEST_NUMBERS[number].number, None)


def test_test_number_works_as_an_alternate_number_too(api: InMemorySimulator) -> None:
    response = api.send(call(contact_numbers=["919800000001", "910000000213"]))
    assert response.api_response_code == 213


def test_partial_success_number_lists_all_other_calls(api: InMemorySimulator) -> None:
    numbers = ["919800000001", "910000000209", "919800000002"]
    assert identifiers_listed(api, *numbers) == (209, ["c-0", "c-2"])


def test_partial_success_number_alone_lists_nothing(api: InMemorySimulator) -> None:
    assert identifiers_listed(api, "910000000209") == (209, [])
    assert not api.state.audit.accepted


def test_refusal_takes_precedence_over_partial_success(api: InMemorySimulator) -> None:
    assert identifiers_listed(api, "910000000209", "910000000205") == (205, None)


@pytest.mark.parametrize("number", [*REFUSALS, 999, -1])
def test_planned_code_refuses_the_request(api: InMemorySimulator, number: int) -> None:
    api.plan(CodeAnswer(code=number))
    assert identifiers_listed(api, "919800000001") == (number, None)
    assert not api.state.audit.accepted
    assert identifiers_listed(api, "919800000001")[0] == 200


@pytest.mark.parametrize("number", [200, 500])
def test_planned_code_can_have_any_http_status(api: InMemorySimulator, number: int) -> None:
    api.plan(CodeAnswer(code=number, http_status=503))
    reply = api.reply(api.owner.request(call()))
    assert (reply.http_status, reply.code) == (503, number)
    assert len(api.state.audit.accepted) == (number == 200)


def test_planned_209_lists_every_second_call(api: InMemorySimulator) -> None:
    api.plan(CodeAnswer(code=209))
    assert identifiers_listed(api, *["919800000001"] * 5) == (209, ["c-0", "c-2", "c-4"])


def test_partial_success_lists_every_kth_call(api: InMemorySimulator) -> None:
    api.plan(PartialSuccess(accept_every=3))
    assert identifiers_listed(api, *["919800000001"] * 5) == (209, ["c-0", "c-3"])


def test_partial_success_can_choose_by_probability(api: InMemorySimulator) -> None:
    api.plan(PartialSuccess(accept_chance=0.5))
    code, listed = identifiers_listed(api, *["919800000001"] * 100)
    assert code == 209
    assert listed is not None
    assert 20 < len(listed) < 80
    assert sorted(api.state.audit.accepted) == sorted(f"ABCD1234/{identifier}" for identifier in listed)


def test_planned_code_does_not_hide_a_wrong_request(api: InMemorySimulator) -> None:
    api.plan(CodeAnswer(code=200))
    assert api.send(call(), security_id="x" * 64).api_response_code == 202
