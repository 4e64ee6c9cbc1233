"""`python -m local run [--messages N] [--gateway-base-url URL]`: exit status 0 if all accounts agree, else 1."""

import sys

from rich.console import Console

from local.arguments import CommandLine, whole_number
from local.lock import locked
from local.run.run_on_stack import run_on_stack
from local.stack.gateway import gateway_base_url
from local.stack.lifecycle import running_stack
from local.stack.paths import MAKE_UP_FOLDER

_MAX_MESSAGES = 100_000
_WHAT_NEXT = """
What to try next:
  make run MESSAGES=2000   more messages
  make up                  keep the stack up, and get commands to send a call of your own
  make dashboard           while the stack is up: what operators see
  make invoke EVENT=events/provoked-codes.json
  make down                stop it
The README tells the rest."""


def main() -> None:
    """Read the command line and start the run. Raise StackError if the stack cannot be brought up."""
    parser = CommandLine(prog="make run", description="A run through the local stack.")
    parser.add_argument(
        "--messages",
        type=whole_number(0, _MAX_MESSAGES),
        default=100,
        help="messages to generate in addition to those of events/",
    )
    parser.add_argument("--gateway-base-url", type=gateway_base_url, help="a gateway to use instead of the simulator")
    arguments = parser.parse_args()
    console = Console(highlight=False, soft_wrap=True)
    with (
        locked(MAKE_UP_FOLDER.lock_file, "make run"),
        running_stack(MAKE_UP_FOLDER, arguments.gateway_base_url, console.print) as stack,
    ):
        status = run_on_stack(stack, arguments.messages, console)
    console.print(_WHAT_NEXT)
    sys.exit(status)


if __name__ == "__main__":
    main()
