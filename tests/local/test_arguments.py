import runpy
import sys

import pytest


@pytest.mark.parametrize(
    ("command_line", "sentence"),
    [
        ("run --messages -5", "MESSAGES: '-5' is not a whole number from 0 to 100000"),
        ("run --messages many", "MESSAGES: 'many' is not a whole number from 0 to 100000"),
        ("run --gateway-base-url http://kairos", "GATEWAY_BASE_URL: 'http://kairos' must be an https address"),
        ("stack up --gateway-base-url kairos", "GATEWAY_BASE_URL: 'kairos' must be an https address"),
        ("chaos --calls 0", "CALLS: '0' is not a whole number from 1 to 1000000"),
        ("chaos --seed x", "SEED: 'x' is not a whole number from 0 to"),
        ("stack sideways", "argument command: invalid choice: 'sideways'"),
        ("invoke events/nothing.json", "the file events/nothing.json does not exist"),
    ],
)
def test_wrong_argument_is_told_in_one_sentence(
    command_line: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    command, *arguments = command_line.split()
    monkeypatch.setattr(sys, "argv", [command, *arguments])
    with pytest.raises(SystemExit) as ended:
        runpy.run_module(f"local.{command}", run_name="__main__")
    assert isinstance(ended.value.code, str)
    assert ended.value.code.startswith(sentence)
    assert "\n" not in ended.value.code
