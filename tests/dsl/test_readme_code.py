"""
The Python of the README runs as it stands, one block after the other.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
BLOCKS = re.findall(r"^```python\n(.*?)^```$", (ROOT / "README.md").read_text("utf-8"), re.M | re.S)


def test_the_readme_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """
    Without services set up, on the embedded emulator; what a comment promises is printed.
    """
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    for block in BLOCKS:
        exec(compile(block, "README.md", "exec"), names)

    printed = capsys.readouterr().out
    assert 4 <= len(BLOCKS)
    assert "400 prompt_no_outputs" in printed
    assert "LoraLoader" in printed
    assert "JobSucceeded" in printed
    assert 1 == len(names["pictures"])
    assert list((tmp_path / "out").glob("*.png"))
