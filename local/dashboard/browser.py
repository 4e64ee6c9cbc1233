"""Runs Chromium without a window. Without its sandbox too, so that root can run it: the page is ours and local."""

import asyncio
import shutil
from pathlib import Path

_NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next((path for path in map(shutil.which, _NAMES) if path), None)
_SECONDS = 60
_QUIET = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    # Virtual time, long enough for several refreshes of the page.
    "--virtual-time-budget=8000",
]


async def dump(url: str, profile: Path) -> str:
    """Return the page's document after its scripts have run."""
    return (await _chromium(profile, "--dump-dom", "--window-size=1600,2600", url)).decode()


async def photograph(url: str, profile: Path, image: Path, width: int, height: int) -> None:
    """Write a PNG of the page, as large in pixels as said."""
    await _chromium(profile, f"--screenshot={image}", f"--window-size={width},{height}", url)


async def _chromium(profile: Path, *arguments: str) -> bytes:
    process = await asyncio.create_subprocess_exec(
        CHROMIUM or "chromium",
        *_QUIET,
        f"--user-data-dir={profile}",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), _SECONDS)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return output
