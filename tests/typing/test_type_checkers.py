"""
What mypy and pyright say of graphs in Python: nothing of the good, one error for each mistake.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from odd_pack import ODD_PACK

from comfygraph.catalog import load_catalog
from comfygraph.dsl.package import make_package, write_package

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
FILES = [HERE / "good.py", HERE / "bad.py"]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
"""All of these are checked outside of the repository, as the files of somebody who installed us:
within, checkers overlook what a package does not export."""


def _expected() -> list[tuple[str, int]]:
    return [
        (path.name, number)
        for path in FILES
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if line.endswith("# error")
    ]


def _project(folder: Path) -> list[str]:
    write_package(make_package(load_catalog(ODD_PACK)), folder / "odd_nodes")
    for path in [*FILES, *EXAMPLES]:
        shutil.copy(path, folder)
    return [*(path.name for path in [*FILES, *EXAMPLES]), "odd_nodes/__init__.pyi"]


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_mypy(tmp_path: Path):
    """
    mypy in strict mode: exactly the marked lines, nothing in the examples or in our own files.
    """
    config = tmp_path / "mypy.ini"
    config.write_text("[mypy]\nstrict = true\n")
    command = [
        sys.executable, "-m", "mypy", "--config-file", str(config), "--no-error-summary",
        "--cache-dir", str(tmp_path / "cache"), "--no-color-output", *_project(tmp_path),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    found = {
        (Path(line.split(":")[0]).name, int(line.split(":")[1]))
        for line in done.stdout.splitlines()
        if ": error:" in line
    }

    assert _expected() == sorted(found, key=_expected_order), done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_pyright(tmp_path: Path):
    """
    pyright in its standard mode says the same.
    """
    files = _project(tmp_path)
    command = [
        sys.executable, "-m", "pyright", "--outputjson", "--pythonversion", "3.11",
        "--pythonpath", sys.executable, *files,
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    report = json.loads(done.stdout)
    found = {
        (Path(item["file"]).name, item["range"]["start"]["line"] + 1)
        for item in report["generalDiagnostics"]
        if item["severity"] == "error"
    }

    assert len(files) == report["summary"]["filesAnalyzed"]
    assert _expected() == sorted(found, key=_expected_order), done.stdout


def _expected_order(place: tuple[str, int]) -> tuple[bool, str, int]:
    return (place[0] != "good.py", *place)
