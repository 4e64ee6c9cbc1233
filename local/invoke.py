"""`python -m local invoke EVENT`: invokes the function that `make up` deployed once, as Lambda would, without Docker.

Prints its log, its answer, and why calls were not delivered. Exit status 1 if it answers with an error.
"""

import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import msgspec

from local.arguments import CommandLine
from local.emulator.emulator import EmulatorError, run_emulator
from local.emulator.fetch_function import fetch_function
from local.emulator.sqs_event import fault_of, not_delivered
from local.stack.lifecycle import find_running_stack
from local.stack.paths import MAKE_UP_FOLDER

# The lines about calls that wait for a while are at DEBUG.
_LOG_LEVEL = {"POWERTOOLS_LOG_LEVEL": "DEBUG"}


def main() -> None:
    """Read the command line and invoke the function."""
    parser = CommandLine(prog="make invoke", description="One invocation, without Docker.")
    parser.add_argument("event", type=Path, help="a file with an SQS event, such as events/single-call.json")
    file: Path = parser.parse_args().event
    if not file.is_file():
        sys.exit(f"the file {file} does not exist; events/ holds one event per case")
    event = file.read_bytes()
    if fault := fault_of(event):
        sys.exit(f"{file} is not an SQS event: {fault}; see events/single-call.json, where `body` holds the message")
    stack = find_running_stack(MAKE_UP_FOLDER)
    if stack is None:
        sys.exit("the local stack is down: run `make up` first")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        function = fetch_function(stack.aws(), stack.outputs["RelayFunctionName"], folder)
        function = replace(function, environment={**function.environment, **_LOG_LEVEL})
        try:
            with run_emulator(function, folder) as emulator:
                invocation = emulator.invoke(event)
        except EmulatorError as error:
            sys.exit(f"{error}\n\n{(folder / 'emulator.log').read_text(errors='replace')}")
    print("\n".join(invocation.log))
    print(msgspec.json.format(invocation.answer, indent=2).decode())
    if reasons := list(not_delivered(invocation.log)):
        print("\n".join(["", "Not delivered, or not yet:", *reasons]))
    sys.exit(_is_error(invocation.answer))


def _is_error(answer: bytes) -> bool:
    """Return whether the handler raised. Lambda then describes the error instead of an answer."""
    decoded = msgspec.json.decode(answer)
    return isinstance(decoded, dict) and "errorType" in decoded


if __name__ == "__main__":
    main()
