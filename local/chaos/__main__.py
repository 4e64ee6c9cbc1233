"""`python -m local.chaos [--calls N] [--seconds S] [--seed SEED]`: exit status 0 if all accounts agree, else 1."""

import argparse
import secrets
import sys
from random import Random

from rich.console import Console

from local.chaos.chaos_on_stack import run_chaos_on
from local.chaos.fault_schedule import draw_fault_schedule
from local.stack.errors import StackError
from local.stack.lifecycle import running_stack
from local.stack.paths import MAKE_UP_FOLDER


def main() -> None:
    """Read the command line and start the run."""
    parser = argparse.ArgumentParser(
        prog="python -m local.chaos", description="A run through the local stack with injected faults."
    )
    parser.add_argument("--calls", type=int, default=10_000, help="calls to send")
    parser.add_argument("--seconds", type=float, default=300, help="for how long faults are injected")
    parser.add_argument("--seed", default="", help="seed of the faults and the messages; a random one if empty")
    arguments = parser.parse_args()
    seed = int(arguments.seed or secrets.randbelow(1_000_000))
    faults = draw_fault_schedule(Random(seed), arguments.seconds)  # noqa: S311 - draws faults, no keys
    console = Console(highlight=False, soft_wrap=True)
    try:
        with running_stack(MAKE_UP_FOLDER, None, console.print) as stack:
            console.print(f"the seed of this run is {seed}")
            sys.exit(
                run_chaos_on(
                    stack,
                    MAKE_UP_FOLDER,
                    console,
                    faults,
                    calls=arguments.calls,
                    seed=seed,
                    seconds=arguments.seconds,
                )
            )
    except StackError as error:
        sys.exit(f"{error}")


if __name__ == "__main__":
    main()
