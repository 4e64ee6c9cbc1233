"""`python -m local.run [--messages N] [--gateway-base-url URL]`: exit status 0 if all accounts agree, else 1."""

import argparse
import sys

from rich.console import Console

from local.run.run_on_stack import run_on_stack
from local.stack.errors import StackError
from local.stack.lifecycle import running_stack
from local.stack.paths import MAKE_UP_FOLDER


def main() -> None:
    """Read the command line and start the run."""
    parser = argparse.ArgumentParser(prog="python -m local.run", description="A run through the local stack.")
    parser.add_argument(
        "--messages", type=int, default=100, help="messages to generate in addition to those of events/"
    )
    parser.add_argument("--gateway-base-url", default="", help="a gateway to use instead of the simulator")
    arguments = parser.parse_args()
    console = Console(highlight=False, soft_wrap=True)
    try:
        with running_stack(MAKE_UP_FOLDER, arguments.gateway_base_url or None, console.print) as stack:
            sys.exit(run_on_stack(stack, arguments.messages, console))
    except StackError as error:
        sys.exit(f"{error}")


if __name__ == "__main__":
    main()
