"""The search for canaries finds what it must: a test that finds nothing proves nothing otherwise."""

import base64
import json
import urllib.parse
import zlib

import pytest

from tests.support import canaries

PAYLOAD = canaries.message_of("FLOWAAAA", "name")


@pytest.mark.parametrize(
    "spelled",
    [
        PAYLOAD,
        json.dumps(PAYLOAD),
        json.dumps(json.loads(PAYLOAD), ensure_ascii=False),
        repr(json.loads(PAYLOAD)),
        repr(PAYLOAD.encode()),
        urllib.parse.quote(PAYLOAD),
        PAYLOAD.encode().hex(),
        *(base64.b64encode(b"x" * offset + PAYLOAD.encode()).decode() for offset in range(3)),
        base64.b64encode(base64.b64encode(PAYLOAD.encode())).decode(),
        base64.urlsafe_b64encode(PAYLOAD.encode()).decode(),
        canaries.text_of({"body": zlib.compress(PAYLOAD.encode())}),
        canaries.text_of({"nested": {"body": PAYLOAD.encode()}}),
    ],
)
def test_all_of_a_message_is_found_in_every_spelling(spelled: str) -> None:
    assert set(canaries.found_in("-", spelled)) == {
        canaries.NUMBER,
        canaries.ALTERNATE_NUMBER.removeprefix("+"),
        canaries.NAME,
        "canaryVariable",
        canaries.VARIABLE_VALUE,
    }


def test_a_secret_is_found() -> None:
    assert canaries.SECURITY_ID in canaries.found_in(canaries.flow_secret())
    assert len(canaries.found_in(canaries.flow_secret())) == 2


def test_nothing_is_found_where_nothing_is() -> None:
    assert canaries.found_in("", "request sent", json.dumps({"calls": 500}), beside=["other"]) == []
