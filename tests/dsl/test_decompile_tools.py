"""
What ruff, mypy and pyright say of scripts that were decompiled: nothing.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from decompiled import TEMPLATES, prompt_of, template_prompt

from comfygraph.catalog import bundled_catalog
from comfygraph.dsl import decompile
from comfygraph.dsl.names import class_names

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """
    Every sixth template as a script, and some that are odd.
    """
    folder = tmp_path_factory.mktemp("decompiled")
    prompts = {name: template_prompt(name) for name in TEMPLATES[::6]}
    long = "a lake, dusk, 湖の夕暮れ、静けさ、é 😀 " * 9
    values = {
        "x": 1e16, "y": 1.5e-7, "z": -0.0, "deep": {"a": [[1, 2], {"b": [long, None]}] * 3},
        "list": {"__value__": list(range(60))}, "odd name": long.replace(" ", "\n"), "q": "'\"",
        "one": long.replace(" ", "_"), "huge": 10**4001, "empty": {}, "none": {"__value__": []},
    }  # fmt: skip
    prompts["odd"] = prompt_of(
        ("Of a Pack", values, "x" * 200),
        ("Of a Pack", {"x" * 70: ["1", 0], "y": ["1", 3]}, 'it\'s "odd"'),
        ("KSampler", {"seed": "\n" * 60, "text": long}),
    )
    prompts["all"] = prompt_of(
        *((name, {}) for name, definition in bundled_catalog().items() if not definition.inputs),
        ("PreviewAny", {"source": ["1", 0]}),
        ("SaveImageWebsocket", {"images": ["1", 0]}),
    )
    for name, prompt in prompts.items():
        file = folder / f"{''.join(c if c.isalnum() else '_' for c in name)}.py"
        file.write_text(decompile(prompt), encoding="utf-8")
    return sorted(map(str, folder.glob("*.py")))


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *command], capture_output=True, text=True, cwd=ROOT, encoding="utf-8"
    )


@pytest.mark.slow
def test_ruff_would_write_the_same(scripts: list[str]):
    """
    Scripts are formatted, their imports sorted, and nothing in them is unused or shadowed.
    """
    options = ("--no-cache", "--isolated", "--line-length", "100")
    formatted = _run("ruff", "format", "--diff", *options, *scripts)
    rules = ("--select", "A,B,C4,E,F,I,UP,W", "--ignore", "E501")
    checked = _run("ruff", "check", *rules, "--target-version", "py311", *options, *scripts)

    assert (0, "") == (formatted.returncode, formatted.stdout), formatted.stderr
    assert 0 == checked.returncode, checked.stdout


def test_imports_are_in_the_order_of_ruff(tmp_path: Path):
    """
    All names of the core in one import stand as ruff would sort them.
    """
    from comfygraph.dsl.decompiler.naming import import_order

    names = sorted(class_names(bundled_catalog().names()), key=import_order)
    text = "from comfygraph.nodes import (\n" + "".join(f"    {name},\n" for name in names) + ")\n"
    file = tmp_path / "imports.py"
    file.write_text(text, encoding="utf-8")
    done = _run("ruff", "check", "--isolated", "--no-cache", "--select", "I", str(file))

    assert 0 == done.returncode, done.stdout


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_mypy(scripts: list[str], tmp_path: Path):
    """
    mypy in strict mode has nothing to say.
    """
    config = tmp_path / "mypy.ini"
    config.write_text("[mypy]\nstrict = true\n")
    done = _run(
        "mypy", "--config-file", str(config), "--cache-dir", str(tmp_path), "--no-color-output",
        *scripts,
    )  # fmt: skip

    assert 0 == done.returncode, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_pyright(scripts: list[str]):
    """
    pyright in its standard mode has nothing to say.
    """
    done = _run(
        "pyright", "--outputjson", "--pythonversion", "3.11", "--pythonpath", sys.executable,
        *scripts,
    )  # fmt: skip
    report: dict[str, Any] = json.loads(done.stdout)
    errors = [item for item in report["generalDiagnostics"] if item["severity"] == "error"]

    assert len(scripts) == report["summary"]["filesAnalyzed"]
    assert [] == errors
