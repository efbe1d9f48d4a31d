"""
The public names: sorted, documented, and the same wherever they are reached.
"""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import comfygraph

ROOT = Path(__file__).parent.parent
INIT = ROOT / "comfygraph" / "__init__.py"


def documented() -> list[str]:
    """
    Give the names in the README's table.
    """
    text = (ROOT / "README.md").read_text("utf-8")
    part = text.partition("<!-- names:start -->")[2].partition("<!-- names:end -->")[0]
    return re.findall(r"^\| `(\w+)` \|", part, re.MULTILINE)


def test_the_list_is_sorted_and_documented() -> None:
    """
    `__all__` is in order, holds nothing twice, and is what the README lists.
    """
    assert sorted(set(comfygraph.__all__)) == comfygraph.__all__
    assert documented() == comfygraph.__all__


def test_type_checkers_see_the_same_names() -> None:
    """
    What is imported for type checkers is what is loaded when it is asked for, from the same place.
    """
    tree = ast.parse(INIT.read_text("utf-8"))
    seen = {
        alias.asname: node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.asname
    }

    assert seen == comfygraph._HOMES
    assert set(seen) == set(comfygraph.__all__)


@pytest.mark.parametrize("name", comfygraph.__all__)
def test_names_lead_home(name: str) -> None:
    """
    A name gives what its home has under it, with a docstring.
    """
    value = getattr(comfygraph, name)
    home = getattr(import_module(comfygraph._HOMES[name]), name)

    assert value is home or (inspect.ismodule(value) and getattr(value, name) is home)
    assert inspect.getdoc(value)


@pytest.mark.parametrize("name", [name for name in comfygraph.__all__ if name[0].islower()])
def test_functions_say_what_they_take(name: str) -> None:
    """
    Functions have annotations, and describe each argument, or point to `submit`, which does.
    """
    function = getattr(import_module(comfygraph._HOMES[name]), name)
    signature = inspect.signature(function)
    names = [
        parameter.name
        for parameter in signature.parameters.values()
        if parameter.kind is not inspect.Parameter.VAR_KEYWORD
    ]
    text = inspect.getdoc(function) or ""
    if "`submit`" in text:  # It takes what `submit` takes.
        text += inspect.getdoc(comfygraph.submit) or ""

    assert signature.return_annotation is not inspect.Signature.empty
    assert [] == [item for item in names if not re.search(rf"\b{item}\b", text)]


def test_a_name_that_there_is_not() -> None:
    """
    It is an `AttributeError`, as everywhere.
    """
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        comfygraph.nothing  # noqa: B018  # the access is the test

    assert set(comfygraph.__all__) <= set(dir(comfygraph))


def test_the_import_costs_nothing() -> None:
    """
    `import comfygraph` loads no module of ours but itself, and nothing of others.
    """
    code = "before = set(sys.modules); import comfygraph; print(*set(sys.modules) - before)"
    loaded = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}); {code}"],
        capture_output=True, encoding="utf-8", check=True,
    ).stdout.split()  # fmt: skip

    assert ["comfygraph"] == [name for name in loaded if name.startswith("comfygraph")]
    assert {"click", "json", "dataclasses", "networkx", "pathlib"}.isdisjoint(loaded)


@pytest.mark.parametrize("first", ["predict_response", "Report", "lint"])
def test_lint_can_be_called_whatever_was_loaded_first(first: str) -> None:
    """
    `comfygraph.lint` is a package and a function, in whichever order names are used.
    """
    code = f"import comfygraph as cg; cg.{first}; print(len(cg.lint({{}})) > 0)"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True
    )

    assert "True\n" == result.stdout
