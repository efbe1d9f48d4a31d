"""
Folders that hold more than files.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.skipif(sys.platform == "win32", reason="no named pipes in folders")
def test_pipes_and_devices_are_left_out(tmp_path: Path) -> None:
    """
    A pipe or a device that a folder calls a graph is not opened: nobody may ever write to it.
    """
    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / "zero.json").symlink_to("/dev/zero")
    (tmp_path / "good.json").write_text(
        '{"1": {"class_type": "NoSuchClass", "inputs": {}}}', encoding="utf-8"
    )
    done = subprocess.run(
        [sys.executable, "-m", "comfygraph", "lint", "--format", "concise", "."],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert [] == [name for name in ("pipe", "zero") if name in done.stdout + done.stderr]
    assert "good.json" in done.stdout + done.stderr
