"""`python -m local.dashboard [--port PORT] [--picture FILE]`: show the dashboard of the stack that `make up` left."""

import argparse
import asyncio
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from local.dashboard.browser import CHROMIUM, photograph
from local.dashboard.server import serving
from local.dashboard.sources import Sources
from local.stack.lifecycle import find_running_stack
from local.stack.paths import MAKE_UP_FOLDER

_PICTURE_SIZE = (1280, 1110)
"""The first screen and the graphs below it, in pixels: still readable at the width of a page on GitHub."""


def main() -> None:
    """Read the command line; serve until interrupted, or take one picture. Exit status 1 if there is no stack."""
    parser = argparse.ArgumentParser(prog="python -m local.dashboard", description="The dashboard, locally.")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1 (default: a free one)")
    parser.add_argument("--picture", type=Path, help="write a PNG of the page to this file, and end")
    arguments = parser.parse_args()
    stack = find_running_stack(MAKE_UP_FOLDER)
    if stack is None:
        sys.exit("the local stack is down: run `make up` first")
    if arguments.picture and CHROMIUM is None:
        sys.exit("a picture needs Chromium on the PATH (Debian: apt-get install chromium)")
    with suppress(KeyboardInterrupt):
        asyncio.run(_run(Sources(stack), arguments.port, arguments.picture))


async def _run(sources: Sources, port: int, picture: Path | None) -> None:
    async with serving(sources, port) as url:
        if picture:
            with tempfile.TemporaryDirectory() as profile:
                await photograph(url, Path(profile), picture.absolute(), *_PICTURE_SIZE)
            print(f"The picture: {picture}")
            return
        print(f"The dashboard: {url} (Ctrl-C ends it)", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    main()
