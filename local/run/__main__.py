"""`python -m local.run [--messages N] [--gateway-base-url URL]`: exit status 0 if all accounts agree, else 1."""

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console

from local.run.on_stack import run_on
from local.stack.errors import StackError
from local.stack.home import MAKE_UP_HOME
from local.stack.lifecycle import bring_up, living_stack, take_down
from local.stack.records import Stack


def main() -> None:
    """Read the command line and do it."""
    parser = argparse.ArgumentParser(prog="python -m local.run", description="A run through the local stack.")
    parser.add_argument("--messages", type=int, default=100, help="messages to generate beside those of events/")
    parser.add_argument("--gateway-base-url", default="", help="a gateway to use in place of the simulator")
    arguments = parser.parse_args()
    console = Console(highlight=False, soft_wrap=True)
    try:
        with _stack(arguments.gateway_base_url or None, console.print) as stack:
            sys.exit(run_on(stack, arguments.messages, console))
    except StackError as error:
        sys.exit(f"{error}")


@contextmanager
def _stack(gateway_base_url: str | None, say: Callable[[str], None]) -> Iterator[Stack]:
    """A running stack, left running only if it was found so."""
    found = living_stack(MAKE_UP_HOME)
    if found and gateway_base_url not in {None, found.gateway_base_url}:
        raise StackError(f"a stack is up, with the gateway {found.gateway_base_url}: `make down` first")
    stack = bring_up(MAKE_UP_HOME, gateway_base_url, say)
    try:
        yield stack
    finally:
        if not found:
            say("taking the local stack down again")
            take_down(MAKE_UP_HOME)


if __name__ == "__main__":
    main()
