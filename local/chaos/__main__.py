"""`python -m local chaos [--calls N] [--seconds S] [--seed SEED]`: exit status 0 if all accounts agree, else 1."""

import secrets
import sys
from random import Random

from rich.console import Console

from local.arguments import CommandLine, whole_number
from local.chaos.chaos_on_stack import run_chaos_on
from local.chaos.fault_schedule import draw_fault_schedule
from local.lock import locked
from local.stack.lifecycle import running_stack
from local.stack.paths import MAKE_UP_FOLDER

_MAX_CALLS = 1_000_000
_MAX_SECONDS = 86_400
_MAX_SEED = 2**63


def main() -> None:
    """Read the command line and start the run. Raise StackError if the stack cannot be brought up."""
    parser = CommandLine(prog="make chaos", description="A run through the local stack with injected faults.")
    parser.add_argument("--calls", type=whole_number(1, _MAX_CALLS), default=10_000, help="calls to send")
    parser.add_argument(
        "--seconds", type=whole_number(1, _MAX_SECONDS), default=300, help="for how long faults are injected"
    )
    parser.add_argument("--seed", type=whole_number(0, _MAX_SEED), help="seed of the faults and the messages")
    arguments = parser.parse_args()
    seed = secrets.randbelow(1_000_000) if arguments.seed is None else arguments.seed
    faults = draw_fault_schedule(Random(seed), arguments.seconds)  # noqa: S311 - draws faults, no keys
    console = Console(highlight=False, soft_wrap=True)
    with (
        locked(MAKE_UP_FOLDER.lock_file, "make chaos"),
        running_stack(MAKE_UP_FOLDER, None, console.print) as stack,
    ):
        console.print(f"the seed of this run is {seed}")
        status = run_chaos_on(
            stack,
            MAKE_UP_FOLDER,
            console,
            faults,
            calls=arguments.calls,
            seed=seed,
            seconds=arguments.seconds,
        )
    sys.exit(status)


if __name__ == "__main__":
    main()
