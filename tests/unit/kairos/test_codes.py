"""The code table, row by row, as the API's documentation and the relay's design give it."""

import pytest

from sealed_relay.kairos.codes import CODES, code_of

TABLE = """
200 SUCCESS                      request  accepted
201 CHECKSUM_REPEATED            request  on a resend of the same bytes: presumed accepted; on a first send: unresolved
202 INVALID_SECURITY_ID          flow     fetch the secret anew and retry fresh, once; then pause the flow
203 INVALID_API_VERSION          flow     pause
204 INVALID_GATEWAY_ID           flow     pause
205 INVALID_CONTACT_NUMBER       call     isolate, then reject
206 FAILURE_FROM_GATEWAY         request  retry fresh
207 DID_NOT_MAPPED               flow     pause
208 NO_MASK_AVAILABLE            flow     retry fresh
209 PARTIAL_SUCCESS              call     listed in call-details: accepted; the others: isolate; a list that cannot be trusted: unresolved
210 INVALID_MANDATORY_PARAMETERS call     isolate, then reject
211 VALIDITY_EXPIRED             account  pause
212 INSUFFICIENT_BALANCE         account  pause
213 NO_DATA_AVAILABLE            call     isolate, then reject
301 INVALID_FLOW_ID              flow     pause
302 EMPTY_CALL_LIST              request  reject
303 MAX_DATA_LIST_SIZE_EXCEEDED  request  split in two; a single call that is too large: reject
304 INVALID_FLOW_VERSION         flow     pause
400 INVALID_FORMAT               call     isolate, then reject
401 IP_NOT_WHITELISTED           account  pause
402 PHONE_NOT_WHITELISTED        call     isolate, then reject
500 FAILURE                      request  retry fresh
"""  # noqa: E501 - a row a line
ROWS = [
    (int(number), name, scope, verdict)
    for number, name, scope, verdict in (line.split(maxsplit=3) for line in TABLE.strip().splitlines())
]


def test_table_has_the_documented_codes_and_no_other() -> None:
    assert list(CODES) == [number for number, *_ in ROWS]
    assert len(ROWS) == 22


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]} {row[1]}")
def test_row_is_as_documented(row: tuple[int, str, str, str]) -> None:
    code = code_of(row[0])

    assert (code.number, code.name, code.scope, code.verdict) == row


@pytest.mark.parametrize("number", [0, -1, 100, 199, 214, 300, 404, 429, 501, 10**9])
def test_undocumented_code_is_ambiguous(number: int) -> None:
    code = code_of(number)

    assert (code.number, code.name, code.scope) == (number, "UNKNOWN_CODE", "request")
    assert code.verdict == "ambiguous: resend the same bytes, up to 16 times; then unresolved"


def test_codes_that_refuse_what_the_flow_secret_holds_say_so() -> None:
    about_secret = {code.name for code in CODES.values() if code.is_about_secret}

    # The secret holds the security id, the API version, the flow's version under test, and the key that seals.
    assert about_secret == {"INVALID_SECURITY_ID", "INVALID_API_VERSION", "INVALID_FLOW_VERSION", "INVALID_FORMAT"}
