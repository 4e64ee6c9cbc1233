"""The cost of reading a message: linear in its length, and small where the first call is at fault.

The cost is counted in calls of functions, so that the speed of the machine makes no difference.
"""

import json
import sys
from collections.abc import Callable
from types import FrameType

import pytest

from sealed_relay.calls.invalid_message import InvalidMessageError
from sealed_relay.calls.message import read
from tests.support.messages import NUMBER, body_of_calls, make_message, written_call

VARIABLE = {"name": "$flow.key.n", "value": "v"}


def function_calls(body: str) -> int:
    """How many functions are called to read or to refuse this body."""
    count = 0
    message = make_message(body)

    def on_event(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(on_event)
    try:
        read(message)
    except InvalidMessageError:
        pass
    finally:
        sys.setprofile(before)
    return count


@pytest.mark.parametrize(
    "body_of",
    [
        lambda length: body_of_calls(*[0] * length),
        lambda length: body_of_calls(*[[]] * length),
        lambda length: body_of_calls(written_call(contact_numbers=[0] * length)),
        lambda length: body_of_calls(written_call(keys=[0] * length)),
        lambda length: json.dumps({str(number): 0 for number in range(length)}),
        lambda length: body_of_calls({str(number): 0 for number in range(length)}),
        lambda length: json.dumps({"Type": "Notification", "Message": body_of_calls(*[0] * length)}),
        lambda length: json.dumps({"detail-type": "", "detail": {"flow-id": "FLOWAAAA", "calls": [0] * length}}),
        lambda length: "{" + ",".join(['"a": 0'] * length) + "}",
        lambda length: body_of_calls("x" * length),
        lambda length: body_of_calls(written_call("x" * length)),
        lambda length: body_of_calls(written_call(contact_numbers=["9" * length])),
        lambda length: body_of_calls(written_call(start_time="2" * length)),
    ],
)
def test_message_with_first_call_at_fault_is_refused_at_constant_cost(body_of: Callable[[int], str]) -> None:
    # The decoder itself is one call; two calls an entry of the count that names a doubled field are allowed.
    short, long = function_calls(body_of(1000)), function_calls(body_of(2000))

    assert long - short <= 2000
    assert short <= 2500


@pytest.mark.parametrize(
    "body_of",
    [
        lambda length: body_of_calls(*(written_call(str(number)) for number in range(length))),
        lambda length: body_of_calls(*(written_call(str(number), keys=[VARIABLE]) for number in range(length)), 0),
        lambda length: body_of_calls(*(written_call(str(number)) for number in range(length)), written_call("0")),
        lambda length: body_of_calls(written_call(contact_numbers=[NUMBER] * length + [""])),
        lambda length: body_of_calls(written_call(keys=[VARIABLE] * length + [0])),
        lambda length: body_of_calls(*[{}] * length),
        lambda length: body_of_calls(*["x"] * length).replace('"x"', '{"a": 0, "a": 0}'),
    ],
)
def test_cost_of_reading_grows_with_the_length_and_no_faster(body_of: Callable[[int], str]) -> None:
    short, long = function_calls(body_of(500)), function_calls(body_of(1000))

    assert long <= 2.1 * short
    assert long <= 50 * 1000  # 50 an entry of the message
