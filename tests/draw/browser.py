"""
A real browser without a window.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

CHROMIUM = next(
    (
        found
        for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
        if (found := shutil.which(name)) is not None
    ),
    None,
)
"""The browser's program, or `None` where there is none."""

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--enable-logging=stderr",
    "--window-size=1600,1000",
    "--virtual-time-budget=3000",
)

_CONSOLE = re.compile(r":CONSOLE[:(\d)]*.*")


def visit(page: Path, folder: Path, fragment: str = "") -> tuple[str, list[str]]:
    """
    Open a page: what the document has become when its scripts have run, and the lines of its
    console.

    Args:
        page: The file.
        folder: An empty folder for the browser's own files.
        fragment: What follows `#`.
    """
    assert CHROMIUM is not None
    address = page.absolute().as_uri() + (f"#{fragment}" if fragment else "")
    done = subprocess.run(
        [CHROMIUM, *FLAGS, f"--user-data-dir={folder}", "--dump-dom", address],
        capture_output=True,
        timeout=100,
        check=True,
    )
    log = done.stderr.decode("utf-8", "replace")
    return done.stdout.decode("utf-8"), [found[0] for found in _CONSOLE.finditer(log)]
