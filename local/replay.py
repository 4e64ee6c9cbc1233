"""`python -m local.replay`, which `make replay` calls: do one run of the deployed replay function, print its counts."""

import argparse
import sys
from collections.abc import Sequence

import msgspec
from botocore.config import Config
from rich import box
from rich.console import Console
from rich.table import Table

from local.stack.lifecycle import find_running_stack
from local.stack.paths import MAKE_UP_FOLDER
from local.stack.stack_files import Stack
from sealed_relay_operations.answer import Answer, Counts

# Longer than the function's timeout. Without retries, so that a slow run does not start a second one.
_ONE_LONG_TRY = Config(read_timeout=320, retries={"total_max_attempts": 1, "mode": "standard"})

_LISTS = ("reasons", "codes", "flow_ids")
_NUMBERS = ("min_age_seconds", "max_age_seconds", "messages_per_second", "max_messages")


class _Error(msgspec.Struct, rename="camel"):
    error_type: str = ""
    error_message: str = ""


def main() -> None:
    """Do what the command line asks. The exit status is 1 if the function raises an error."""
    event = event_of(sys.argv[1:])
    stack = find_running_stack(MAKE_UP_FOLDER)
    if stack is None:
        sys.exit("the local stack is down: `make up` first")
    has_raised, answer = invoke(stack, event)
    if has_raised:
        error = msgspec.json.decode(answer, type=_Error)
        sys.exit(f"{error.error_type}: {error.error_message}")
    show(msgspec.json.decode(answer, type=Answer))


def event_of(command_line: Sequence[str]) -> dict[str, object]:
    """The function's event, without the options that are empty. A text that is no number is left to the function."""
    parser = argparse.ArgumentParser(prog="python -m local.replay", description="One run of the replay function.")
    parser.add_argument("--dry-run", choices=["yes", "no"], default="yes", help="count only")
    for name in _LISTS:
        parser.add_argument(f"--{name.replace('_', '-')}", default="", help="separated by commas")
    for name in _NUMBERS:
        parser.add_argument(f"--{name.replace('_', '-')}", default="")
    arguments = vars(parser.parse_args(command_line))
    event: dict[str, object] = {"dry_run": arguments["dry_run"] == "yes"}
    for name in _LISTS:
        if text := arguments[name]:
            items = [item.strip() for item in text.split(",")]
            event[name] = [_number(item) for item in items] if name == "codes" else items
    return event | {name: _number(arguments[name]) for name in _NUMBERS if arguments[name]}


def invoke(stack: Stack, event: dict[str, object]) -> tuple[bool, bytes]:
    """Whether the function raised an error, and its answer."""
    functions = stack.aws().session().client("lambda", endpoint_url=stack.endpoint_url, config=_ONE_LONG_TRY)
    invoked = functions.invoke(FunctionName=stack.outputs["OperationsFunctionName"], Payload=msgspec.json.encode(event))
    answer: bytes = invoked["Payload"].read()
    functions.close()
    return "FunctionError" in invoked, answer


def show(answer: Answer) -> None:
    """Print the counts, by reason and in total."""
    counts = msgspec.structs.fields(Counts)
    table = Table("reason", *(field.name for field in counts), box=box.SIMPLE_HEAD)
    for column in table.columns[1:]:
        column.justify = "right"
    for reason, of_reason in answer.by_reason.items():
        table.add_row(reason, *(str(getattr(of_reason, field.name)) for field in counts))
    table.add_section()
    table.add_row("total", *(str(getattr(answer.total, field.name)) for field in counts), style="bold")
    console = Console()
    console.print(table)
    if answer.dry_run:
        console.print("This was a dry run: nothing was moved. DRY_RUN=no moves the chosen entries.")
    if answer.total.too_young:
        console.print(f"{answer.total.too_young} entries were too young and stay. Run it again later.")
    if not answer.complete:
        console.print("The run ended before it had seen the whole queue. Run it again.", style="yellow")


def _number(text: str) -> int | str:
    return int(text) if text.isdecimal() else text


if __name__ == "__main__":
    main()
