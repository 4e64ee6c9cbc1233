"""What breaks the contract, and how the producer is told of it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealed_relay.calls.message import InvalidMessageError, read
from tests.support.making import NUMBER, body_of_calls, make_message, written_call

CANARY = "912233445566"


def why_not(body: str) -> str:
    with pytest.raises(InvalidMessageError) as caught:
        read(make_message(body))
    return str(caught.value)


@pytest.mark.parametrize(
    "flow_id",
    ["", "FLOWAAA", "FLOWAAAAA", "FLOW-AAA", "FLOWÄAAA", "FLOWAAA\n", "FLOWAAAA\n", "\nFLOWAAA", "٣" * 8, 1, None],
)
def test_no_other_flow_id_is_taken(flow_id: object) -> None:
    assert "`$.flow-id`" in why_not(body_of_calls(written_call(), flow_id=flow_id))


@pytest.mark.parametrize(
    "name",
    [
        "",
        "x" * 129,
        "a\n",
        "\n",
        "a\x00b",
        "a\x7f",
        "a\x85",
        "\u200b",
        "\u2028",
        "\xa0",
        "\ufeff",
        "\uffff",
        7,
        None,
        ["a"],
    ],
    ids=repr,
)
def test_no_other_client_identifier_is_taken(name: object) -> None:
    assert "`$.calls[1].client-identifier`" in why_not(body_of_calls(written_call(), written_call(name)))


@pytest.mark.parametrize(
    "number",
    [
        "",
        "9" * 9,
        "9" * 16,
        "++" + "9" * 10,
        "9" * 10 + "+",
        "99000 00001",
        "9" * 10 + "\n",
        "٩" * 12,
        9900000001,
        None,
    ],
    ids=repr,
)
def test_no_other_contact_number_is_taken(number: object) -> None:
    body = body_of_calls(written_call(contact_numbers=[NUMBER, number]))

    assert "`$.calls[0].contact-numbers[1]`" in why_not(body)


@pytest.mark.parametrize(
    ("at", "call"),
    [
        ("contact-numbers", written_call(contact_numbers=[])),
        ("contact-numbers", written_call(contact_numbers=None)),
        ("contact-numbers", written_call(contact_numbers=NUMBER)),
        ("keys", written_call(keys=None)),
        ("keys", written_call(keys={"$flow.key.n": "v"})),
        ("keys[0]", written_call(keys=["$flow.key.n"])),
        ("keys[0]", written_call(keys=[{"name": "$flow.key.n"}])),
        ("keys[0]", written_call(keys=[{"value": "v"}])),
        ("keys[0]", written_call(keys=[{"name": "$flow.key.n", "value": "v", "type": "text"}])),
        ("keys[0].value", written_call(keys=[{"name": "$flow.key.n", "value": 1}])),
        *(
            ("keys[0].name", written_call(keys=[{"name": name, "value": "v"}]))
            for name in ("", "n", "$flow.key.", "flow.key.n", "$flowXkey.n", " $flow.key.n", "$flow.key.n\n", 1)
        ),
        ("start-time", written_call(start_time=None)),
        ("not-after", written_call(not_after=1_795_408_200)),
    ],
)
def test_a_field_that_breaks_its_rule_is_named(at: str, call: object) -> None:
    assert f"`$.calls[0].{at}`" in why_not(body_of_calls(call))


@pytest.mark.parametrize("missing", ["client-identifier", "contact-numbers"])
def test_a_field_that_is_missing_is_named(missing: str) -> None:
    call = written_call()
    del call[missing]

    reason = why_not(body_of_calls(call))

    assert f"`{missing}`" in reason
    assert "`$.calls[0]`" in reason


@pytest.mark.parametrize("body", ['{"calls": [{}]}', '{"flow-id": "FLOWAAAA"}', '{"flow-id": "FLOWAAAA", "calls": []}'])
def test_a_message_without_a_flow_or_without_calls_is_none(body: str) -> None:
    assert "flow-id" in why_not(body) or "calls" in why_not(body)


@pytest.mark.parametrize(
    ("body", "at", "known"),
    [
        ('{"flow_id": "FLOWAAAA", "calls": []}', "$", "`flow-id`, `calls`"),
        (
            body_of_calls(written_call(), written_call(contact_number=NUMBER)),
            "$.calls[1]",
            "`client-identifier`, `contact-numbers`, `start-time`, `keys`, `not-after`",
        ),
        (
            body_of_calls(written_call(keys=[{"name": "$flow.key.n", "value": "v", "type": "text"}])),
            "$.calls[0].keys[0]",
            "`name`, `value`",
        ),
    ],
    ids=["message", "call", "variable"],
)
def test_an_unknown_field_is_refused_by_naming_the_known_ones_and_not_dropped(body: str, at: str, known: str) -> None:
    assert why_not(body) == f"The message breaks the contract: `{at}` has an unknown field; {known} are allowed."


@pytest.mark.parametrize(
    "name", [CANARY, "Zoe", f"+{CANARY}\x00", "\x01\ufffe\ud83d\ude00", "x" * 200_000], ids=lambda n: repr(n[:9])
)
def test_an_unknown_field_whose_name_is_data_is_not_quoted(name: str) -> None:
    reason = why_not(body_of_calls(written_call(**{name: "v"})))

    assert CANARY not in reason
    assert "Zoe" not in reason
    assert reason.isascii()
    assert reason.isprintable()  # SQS refuses message attributes with control characters
    assert len(reason) < 1000


def test_within_a_message_every_client_identifier_differs() -> None:
    reason = why_not(body_of_calls(written_call("a"), written_call("b"), written_call("a", contact_numbers=[CANARY])))

    assert "`$.calls[2].client-identifier`" in reason
    assert CANARY not in reason


@pytest.mark.parametrize(
    "body",
    [
        " ",
        "call Zoe",
        '{"flow-id": "FLOWAAAA"',
        "\ufeff{}",
        '{"flow-id": NaN}',
        "1e999",
        "1" * 5000,
        '{"flow-id": "\\ud800"}',
        '{"flow-id": "\ud800"}',
        "[" * 100_000,
        '{"flow-id":' * 100_000,
        json.dumps({"Type": "Notification", "Message": "[" * 100_000}),
        json.dumps({"Type": "Notification", "Message": "call Zoe"}),
    ],
    ids=lambda body: repr(body[:20]),
)
def test_what_is_not_json_is_refused_as_that(body: str) -> None:
    assert why_not(body) == "The body is not JSON; a JSON object in UTF-8 is allowed."


@pytest.mark.parametrize("body", ["null", "[]", "1", '"FLOWAAAA"', "{}", '[{"flow-id": "FLOWAAAA", "calls": []}]'])
def test_json_that_is_no_message_is_refused(body: str) -> None:
    assert why_not(body).startswith("The message breaks the contract: ")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.just(CANARY),
        lambda children: (
            st.lists(children)
            | st.dictionaries(
                st.sampled_from(
                    ["flow-id", "calls", "client-identifier", "contact-numbers", "keys", "start-time", "detail"]
                ),
                children,
            )
        ),
    )
)
def test_whatever_is_refused_no_value_is_quoted(body: object) -> None:
    assert CANARY not in why_not(json.dumps(body))


@given(st.text())
def test_no_text_breaks_the_reading_of_messages(body: str) -> None:
    why_not(body)
