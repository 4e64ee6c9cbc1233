"""Chromium without a window. The page is ours and on this machine, so it may run without its sandbox, as root too."""

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
    "--window-size=1600,2600",
    # Time runs ahead while nothing is being fetched: long enough for a few refreshes of the page.
    "--virtual-time-budget=8000",
]


async def dump(url: str, profile: Path) -> str:
    """The page's document once its scripts have drawn."""
    return (await _chromium(profile, "--dump-dom", url)).decode()


async def photograph(url: str, profile: Path, image: Path) -> None:
    """Write a PNG of the page."""
    await _chromium(profile, f"--screenshot={image}", url)


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
