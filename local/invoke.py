"""`python -m local.invoke EVENT`: the function that `make up` deployed, invoked once as Lambda would, without Docker.

Prints what it logged and what it answered. Exit status 1 where it answered with an error.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import msgspec

from local.emulator.deployed import deployed_function
from local.emulator.emulator import EmulatorError, emulating
from local.stack.home import MAKE_UP_HOME
from local.stack.lifecycle import living_stack


def main() -> None:
    """Read the command line and do it."""
    parser = argparse.ArgumentParser(prog="python -m local.invoke", description="One invocation, without Docker.")
    parser.add_argument("event", type=Path, help="a file with an SQS event, such as events/single-call.json")
    event: Path = parser.parse_args().event
    if not event.is_file():
        sys.exit(f"there is no event {event}; events/ has one a case")
    stack = living_stack(MAKE_UP_HOME)
    if stack is None:
        sys.exit("the local stack is down: `make up` first")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        function = deployed_function(stack.aws(), stack.outputs["RelayFunctionName"], folder)
        try:
            with emulating(function, folder) as emulator:
                invocation = emulator.invoke(event.read_bytes())
        except EmulatorError as error:
            sys.exit(f"{error}\n\n{(folder / 'emulator.log').read_text(errors='replace')}")
    print("\n".join(invocation.log))
    print(msgspec.json.format(invocation.answer, indent=2).decode())
    sys.exit(_is_error(invocation.answer))


def _is_error(answer: bytes) -> bool:
    """Whether the handler raised: Lambda then describes the error in place of its answer."""
    decoded = msgspec.json.decode(answer)
    return isinstance(decoded, dict) and "errorType" in decoded


if __name__ == "__main__":
    main()
