"""
Output files that are no files: devices and pipes stay what they are.
"""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from comfygraph.cli import run


@pytest.mark.parametrize(
    "words", ["lint graph.json -o", "catalog lock graph.json -o", "strip {picture} -o"]
)
def test_special_files_are_not_replaced(
    words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """
    What is written by a rename refuses a place that is no regular file, such as `/dev/null`.
    """
    monkeypatch.chdir(tmp_path)
    (tmp_path / "graph.json").write_text(json.dumps({"1": {"class_type": "A", "inputs": {}}}))
    picture = Path(__file__).parent.parent / "data" / "media" / "still_00001_.png"
    os.mkfifo("place")
    code = run([*words.format(picture=picture).split(), "place"])

    assert code in (2, 3)
    assert "no regular file" in capfd.readouterr().err
    assert stat.S_ISFIFO(os.stat("place").st_mode)
