"""`python -m local.chaos [--calls N] [--seconds S] [--seed SEED]`: exit status 0 if all accounts agree, else 1."""

import argparse
import secrets
import sys
from random import Random

from rich.console import Console

from local.chaos.on_stack import chaos_on
from local.chaos.weather import weather
from local.stack.errors import StackError
from local.stack.home import MAKE_UP_HOME
from local.stack.lifecycle import left_as_found


def main() -> None:
    """Read the command line and do it."""
    parser = argparse.ArgumentParser(
        prog="python -m local.chaos", description="A run through the local stack in a storm."
    )
    parser.add_argument("--calls", type=int, default=10_000, help="calls to send")
    parser.add_argument("--seconds", type=float, default=300, help="how long the storm blows")
    parser.add_argument("--seed", default="", help="the weather and the messages; a random one if empty")
    arguments = parser.parse_args()
    seed = int(arguments.seed or secrets.randbelow(1_000_000))
    events = weather(Random(seed), arguments.seconds)  # noqa: S311 - of weather, not of keys
    console = Console(highlight=False, soft_wrap=True)
    try:
        with left_as_found(MAKE_UP_HOME, None, console.print) as stack:
            console.print(f"the weather is that of seed {seed}")
            sys.exit(
                chaos_on(
                    stack,
                    MAKE_UP_HOME,
                    console,
                    events,
                    calls=arguments.calls,
                    seed=seed,
                    seconds=arguments.seconds,
                )
            )
    except StackError as error:
        sys.exit(f"{error}")


if __name__ == "__main__":
    main()
