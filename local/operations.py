"""`python -m local operations replay | pause | resume | status`, which `make` calls: invoke the operations function."""

import argparse
import base64
import sys
from collections.abc import Sequence
from typing import Any

import msgspec
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from local.stack.lifecycle import find_running_stack
from local.stack.paths import MAKE_UP_FOLDER
from local.stack.stack_files import Stack
from sealed_relay_operations.pauses import PauseChange
from sealed_relay_operations.replay.answer import Answer, Counts
from sealed_relay_operations.status import StatusAnswer

# Longer than the function's timeout. Without retries, so that a slow run does not start a second one.
_ONE_LONG_TRY = Config(read_timeout=320, retries={"total_max_attempts": 1, "mode": "standard"})
_OPTIONS = {
    "replay": (
        "dry_run",
        "reasons",
        "codes",
        "flow_ids",
        "min_age_seconds",
        "max_age_seconds",
        "messages_per_second",
        "max_messages",
    ),
    "pause": ("flow", "reason"),
    "resume": ("flow",),
    "status": (),
}
_LISTS = {"reasons", "codes", "flow_ids"}
_NUMBERS = {"codes", "min_age_seconds", "max_age_seconds", "messages_per_second", "max_messages"}
_DRY_RUN = {"yes": True, "no": False}


class _Error(msgspec.Struct):
    """`error`: what is wrong with the request. `error_message`: the action failed."""

    error: str = ""
    error_message: str = msgspec.field(name="errorMessage", default="")


def main() -> None:
    """Do what the command line asks. The exit status is 1 if that is refused or fails."""
    request = request_of(sys.argv[1:])
    stack = find_running_stack(MAKE_UP_FOLDER)
    if stack is None:
        sys.exit("the local stack is down: run `make up` first")
    try:
        answer = invoke(stack, request)
    except (BotoCoreError, ClientError) as error:
        sys.exit(f"the operations function could not be invoked: {error}")
    failed = msgspec.json.decode(answer, type=_Error)
    if failed.error or failed.error_message:
        sys.exit(failed.error or failed.error_message)
    print(text_of(str(request["action"]), answer))


def request_of(command_line: Sequence[str]) -> dict[str, object]:
    """The function's request, without the options that are empty. Their values are left to the function to check."""
    parser = argparse.ArgumentParser(prog="python -m local operations", description="One action of an operator.")
    actions = parser.add_subparsers(dest="action", required=True)
    for action, options in _OPTIONS.items():
        of_action = actions.add_parser(action)
        for option in options:
            help_text = "separated by commas" if option in _LISTS else None
            of_action.add_argument(f"--{option.replace('_', '-')}", default="", help=help_text)
    given = {name: text for name, text in vars(parser.parse_args(command_line)).items() if text}
    return {name: _value(name, text) for name, text in given.items()}


def _value(name: str, text: str) -> object:
    if name == "dry_run":
        if text not in _DRY_RUN:
            sys.exit(f"DRY_RUN is {text}: allowed is yes or no.")
        return _DRY_RUN[text]
    values = [_number(each.strip()) if name in _NUMBERS else each.strip() for each in text.split(",")]
    return values if name in _LISTS else values[0] if len(values) == 1 else text


def _number(text: str) -> int | str:
    try:
        return int(text)
    except ValueError:
        return text


def invoke(stack: Stack, request: dict[str, object]) -> bytes:
    """The function's answer, or the error that it raised."""
    functions = stack.aws().session().client("lambda", endpoint_url=stack.endpoint_url, config=_ONE_LONG_TRY)
    try:
        invoked = functions.invoke(
            FunctionName=stack.outputs["OperationsFunctionName"],
            Payload=msgspec.json.encode(request),
            ClientContext=base64.b64encode(b'{"custom": {"asked_by": "make on the local stack"}}').decode(),
        )
        answer: bytes = invoked["Payload"].read()
    finally:
        functions.close()
    return answer


def text_of(action: str, answer: bytes) -> str:
    """What a person reads of an answer. No name is cut off, however narrow the terminal is."""
    match action:
        case "replay":
            return _replay_text(msgspec.json.decode(answer, type=Answer))
        case "status":
            return _status_text(msgspec.json.decode(answer, type=StatusAnswer))
    return _change_text(msgspec.json.decode(answer, type=PauseChange))


def _replay_text(answer: Answer) -> str:
    names = [field.name for field in msgspec.structs.fields(Counts)]
    counts = [*answer.by_reason.items(), ("total", answer.total)]
    lines = _table(["reason", *names], [[reason, *(getattr(each, name) for name in names)] for reason, each in counts])
    if answer.dry_run:
        lines.append("This was a dry run: nothing was moved. DRY_RUN=no moves the chosen entries.")
    if answer.total.too_young:
        lines.append(f"{answer.total.too_young} entries were too young and stay. Run it again later.")
    if not answer.complete:
        lines.append("The run ended before it had seen the whole queue. Run it again.")
    return "\n".join(lines)


def _status_text(status: StatusAnswer) -> str:
    pauses = [
        [each.paused, each.reason, each.code or "", each.since or "not known", each.next_probe_at or "none: resume it"]
        for each in status.pauses
    ]
    lines = _table(["paused", "reason", "code", "since", "next probe"], pauses) if pauses else ["Nothing is paused."]
    queues = [[name, each.ready, each.in_flight] for name, each in status.queues.items()]
    return "\n".join([*lines, "", *_table(["queue", "ready", "in flight"], queues)])


def _change_text(change: PauseChange) -> str:
    before = f"{change.before.reason}, since {change.before.since or 'a time not known'}" if change.before else ""
    if change.now:
        return f"paused: {change.paused}, {change.now.reason}" + (f"; before: {before}" if before else "")
    if not change.before:
        return f"{change.paused} was not paused"
    return (
        f"resumed: {change.paused}, which was paused for {before}. What waits comes back within a minute where it can."
    )


def _table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[str]:
    """Columns as wide as their longest cell."""
    cells = [header, *([str(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]


if __name__ == "__main__":
    main()
