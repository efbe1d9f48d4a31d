"""
`comfygraph params`.
"""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from comfygraph.cli import run

SCRIPT = """\
from typing import Literal
from comfygraph import param, Template, build
from comfygraph.nodes import EmptyLatentImage, LatentUpscale

graph = LatentUpscale(
    EmptyLatentImage(param("width", 64), 64), width=param("size", 128), height=128,
    upscale_method=param("method", "bicubic"),
)
plain = build(graph)


def made(width: int = 64, scale: float = 2, method: Literal["area", "bilinear"] = "area"):
    return LatentUpscale(EmptyLatentImage(width, 64), width=int(width * scale), height=128,
                         upscale_method=method)
"""


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """
    A script with parameters.
    """
    (tmp_path / "g.py").write_text(SCRIPT, "utf-8")
    monkeypatch.chdir(tmp_path)
    return "g.py"


def test_parameters_are_listed(script: str, capsys: pytest.CaptureFixture[str]):
    """
    Name, type, default and range, a line each.
    """
    code = run(["params", f"{script}:graph"])

    assert 0 == code
    assert [
        "method  string   'bicubic'  one of nearest-exact, bilinear, area, bicubic, … 1 more",
        "size    integer  128        0 … 16384",
        "width   integer  64         16 … 16384",
    ] == sorted(capsys.readouterr().out.splitlines())


def test_arguments_of_a_function_are_parameters(script: str, capsys: pytest.CaptureFixture[str]):
    """
    With the types of their annotations.
    """
    run(["params", f"{script}:made"])

    assert [
        "width   integer  64",
        "scale   number   2",
        "method  string   'area'  one of area, bilinear",
    ] == capsys.readouterr().out.splitlines()


@pytest.mark.parametrize("name", ["graph", "made", "plain"])
def test_the_schema_is_one(script: str, capsys: pytest.CaptureFixture[str], name: str):
    """
    `--schema` prints a JSON Schema that takes the defaults, and no strangers.
    """
    run(["params", f"{script}:{name}", "--schema"])
    schema = json.loads(capsys.readouterr().out)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    defaults = {key: item["default"] for key, item in schema["properties"].items()}

    assert validator.is_valid(defaults)
    assert not validator.is_valid({"strange": 1})
    assert (name != "plain") == bool(defaults)


def test_a_graph_without_parameters_says_so(script: str, capsys: pytest.CaptureFixture[str]):
    """
    Nothing on the standard output, the way to one on the other.
    """
    code = run(["params", f"{script}:plain"])
    out, err = capsys.readouterr()

    assert (0, "") == (code, out)
    assert 'g.py:plain has no parameters: param("seed", 7) makes one\n' == err


def test_files_have_no_parameters(script: str, capsys: pytest.CaptureFixture[str]):
    """
    A name that is no `script.py:graph` is a mistake of usage.
    """
    assert 2 == run(["params", "graph.json"])
    assert "script.py:graph" in capsys.readouterr().err
