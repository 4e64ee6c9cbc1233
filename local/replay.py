"""`python -m local.replay`: one run of the deployed replay function, as `make replay` asks for it, and its counts."""

import argparse
import sys

import msgspec
from botocore.config import Config
from rich import box
from rich.console import Console
from rich.table import Table

from local.stack.home import MAKE_UP_HOME
from local.stack.lifecycle import living_stack
from local.stack.records import Stack
from sealed_relay_replay.answer import Answer, Counts

# Longer than the function's timeout; and never a second run because the first one takes its time.
_PATIENT = Config(read_timeout=320, retries={"total_max_attempts": 1, "mode": "standard"})


class _Error(msgspec.Struct, rename="camel"):
    error_type: str = ""
    error_message: str = ""


def main() -> None:
    """Read the command line and do it; exit status 1 where the function raises."""
    parser = argparse.ArgumentParser(prog="python -m local.replay", description="One run of the replay function.")
    parser.add_argument("--dry-run", choices=["yes", "no"], default="yes", help="count only")
    for field in ("reasons", "codes", "flow-ids"):
        parser.add_argument(f"--{field}", default="", help="with commas between")
    for field in ("min-age-seconds", "max-age-seconds", "messages-per-second", "most-messages"):
        parser.add_argument(f"--{field}", default="")
    stack = living_stack(MAKE_UP_HOME)
    event = event_of(parser.parse_args())
    if stack is None:
        sys.exit("the local stack is down: `make up` first")
    has_raised, answer = invoke(stack, event)
    if has_raised:
        error = msgspec.json.decode(answer, type=_Error)
        sys.exit(f"{error.error_type}: {error.error_message}")
    show(msgspec.json.decode(answer, type=Answer))


def event_of(arguments: argparse.Namespace) -> dict[str, object]:
    """The function's event, without what was not given. The function checks it, so what is no number goes as text."""
    event: dict[str, object] = {"dry_run": arguments.dry_run == "yes"}
    for name in ("reasons", "codes", "flow_ids"):
        if text := getattr(arguments, name):
            items = [item.strip() for item in text.split(",")]
            event[name] = [_number(item) for item in items] if name == "codes" else items
    for name in ("min_age_seconds", "max_age_seconds", "messages_per_second", "max_messages"):
        if text := getattr(arguments, name):
            event[name] = _number(text)
    return event


def invoke(stack: Stack, event: dict[str, object]) -> tuple[bool, bytes]:
    """Whether the function raised, and what it answered."""
    functions = stack.aws().session().client("lambda", endpoint_url=stack.endpoint_url, config=_PATIENT)
    invoked = functions.invoke(FunctionName=stack.outputs["ReplayFunctionName"], Payload=msgspec.json.encode(event))
    answer: bytes = invoked["Payload"].read()
    functions.close()
    return "FunctionError" in invoked, answer


def show(answer: Answer) -> None:
    """Print the counts, by reason and together."""
    counts = msgspec.structs.fields(Counts)
    table = Table("reason", *(field.name for field in counts), box=box.SIMPLE_HEAD)
    for column in table.columns[1:]:
        column.justify = "right"
    for reason, of_reason in answer.by_reason.items():
        table.add_row(reason, *(str(getattr(of_reason, field.name)) for field in counts))
    table.add_section()
    table.add_row("together", *(str(getattr(answer.total, field.name)) for field in counts), style="bold")
    console = Console()
    console.print(table)
    if answer.dry_run:
        console.print("A dry run: nothing was moved. DRY_RUN=no moves what is chosen.")
    if not answer.complete:
        console.print("The run ended before it had seen the whole queue: begin another.", style="yellow")


def _number(text: str) -> int | str:
    return int(text) if text.isdecimal() else text


if __name__ == "__main__":
    main()
