"""`python -m local.dashboard [--port PORT]`: serve the dashboard of the stack that `make up` left running."""

import argparse
import asyncio
import sys
from contextlib import suppress

from local.dashboard.server import serving
from local.dashboard.sources import Sources
from local.stack.lifecycle import find_running_stack
from local.stack.paths import MAKE_UP_FOLDER


def main() -> None:
    """Read the command line and serve until interrupted; exit status 1 if there is no stack."""
    parser = argparse.ArgumentParser(prog="python -m local.dashboard", description="The dashboard, locally.")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1 (default: a free one)")
    arguments = parser.parse_args()
    stack = find_running_stack(MAKE_UP_FOLDER)
    if stack is None:
        sys.exit("the local stack is not up: `make up` first")
    with suppress(KeyboardInterrupt):
        asyncio.run(_run(Sources(stack), arguments.port))


async def _run(sources: Sources, port: int) -> None:
    async with serving(sources, port) as url:
        print(f"The dashboard: {url} (Ctrl-C ends it)", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    main()
