"""`python -m local.invoke EVENT`: invokes the function that `make up` deployed once, as Lambda would, without Docker.

Prints its log and its answer. Exit status 1 if it answers with an error.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import msgspec

from local.emulator.emulator import EmulatorError, run_emulator
from local.emulator.fetch_function import fetch_function
from local.stack.lifecycle import find_running_stack
from local.stack.paths import MAKE_UP_FOLDER


def main() -> None:
    """Read the command line and invoke the function."""
    parser = argparse.ArgumentParser(prog="python -m local.invoke", description="One invocation, without Docker.")
    parser.add_argument("event", type=Path, help="a file with an SQS event, such as events/single-call.json")
    event: Path = parser.parse_args().event
    if not event.is_file():
        sys.exit(f"the file {event} does not exist; events/ holds one event per case")
    stack = find_running_stack(MAKE_UP_FOLDER)
    if stack is None:
        sys.exit("the local stack is down: run `make up` first")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        function = fetch_function(stack.aws(), stack.outputs["RelayFunctionName"], folder)
        try:
            with run_emulator(function, folder) as emulator:
                invocation = emulator.invoke(event.read_bytes())
        except EmulatorError as error:
            sys.exit(f"{error}\n\n{(folder / 'emulator.log').read_text(errors='replace')}")
    print("\n".join(invocation.log))
    print(msgspec.json.format(invocation.answer, indent=2).decode())
    sys.exit(_is_error(invocation.answer))


def _is_error(answer: bytes) -> bool:
    """Return whether the handler raised. Lambda then describes the error instead of an answer."""
    decoded = msgspec.json.decode(answer)
    return isinstance(decoded, dict) and "errorType" in decoded


if __name__ == "__main__":
    main()
