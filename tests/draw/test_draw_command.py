"""
`comfygraph draw` and `comfygraph layout`.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from comfygraph.cli import run
from comfygraph.cli.output import json_text
from comfygraph.errors import ExitCode, InputError

EXAMPLES = Path(__file__).parent.parent.parent / "examples"


@pytest.mark.parametrize(
    ("file", "start"),
    [
        ("a.mmd", "flowchart LR"),
        ("a.md", "```mermaid\nflowchart LR"),
        ("a.dot", "digraph prompt {"),
        ("a.svg", "<?xml"),
        ("a.HTML", "<!doctype html>"),
    ],
)
def test_format_follows_the_extension(tmp_path: Path, file: str, start: str) -> None:
    """
    The extension of the file says what is drawn.
    """
    code = run(["draw", str(EXAMPLES / "hires.json"), "-o", str(tmp_path / file)])

    assert ExitCode.OK == code
    assert (tmp_path / file).read_text("utf-8").startswith(start)


def test_unknown_extension(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """
    An extension that says nothing is an error that names the way out.
    """
    code = run(["draw", str(EXAMPLES / "hires.json"), "-o", str(tmp_path / "a.png")])

    assert ExitCode.USAGE == code
    assert "--format mermaid, dot, svg or html" in capsys.readouterr().err


def test_findings_are_marked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """
    What lint finds stands at its node, unless nobody wants it.
    """
    graph = json.loads((EXAMPLES / "hires.json").read_text("utf-8"))
    graph["7"]["inputs"]["steps"] = 20_000
    path = tmp_path / "graph.json"
    path.write_text(json.dumps(graph), "utf-8")

    assert ExitCode.OK == run(["draw", str(path)])
    assert ":::error" in capsys.readouterr().out
    assert ExitCode.OK == run(["draw", str(path), "--no-lint"])
    assert ":::error" not in capsys.readouterr().out


@pytest.mark.parametrize("lint", ["--lint", "--no-lint"])
def test_secrets_are_not_drawn(tmp_path: Path, lint: str) -> None:
    """
    A value that looks like a secret is in no drawing.
    """
    secret = "hf_" + "aBcDeFgHiJkLmNoPqRsTuVwXyZaBcDeFgH"
    graph = {"1": {"class_type": "Odd", "inputs": {"api_key": secret, "n": 1}}}
    (tmp_path / "graph.json").write_text(json.dumps(graph), "utf-8")
    for kind in ("mermaid", "dot", "svg", "html"):
        out = tmp_path / kind
        run(["draw", str(tmp_path / "graph.json"), lint, "--format", kind, "-o", str(out)])

        assert secret not in out.read_text("utf-8")


def test_layout_there_and_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """
    A prompt becomes a workflow that means the same; odd ids are told.
    """
    graph = json.loads((EXAMPLES / "hires.json").read_text("utf-8"))
    text = json.dumps(graph).replace('"11"', '"5:11"')
    (tmp_path / "prompt.json").write_text(text, "utf-8")
    code = run(["layout", str(tmp_path / "prompt.json"), "-o", str(tmp_path / "workflow.json")])

    assert ExitCode.OK == code
    assert "1 id is no number and has been renumbered\n" == capsys.readouterr().err
    both = [str(tmp_path / "prompt.json"), str(tmp_path / "workflow.json")]
    assert ExitCode.OK == run(["diff", *both])


def test_layout_tells_what_is_lost(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """
    What the editor has no place for is told, node by node.
    """
    graph = {"1": {"class_type": "VAEDecode", "inputs": {"samples": ["7", 0], "odd": 1}}}
    (tmp_path / "prompt.json").write_text(json.dumps(graph), "utf-8")
    code = run(["layout", str(tmp_path / "prompt.json")])
    told = capsys.readouterr()

    assert ExitCode.OK == code
    assert 1 == len(json.loads(told.out)["nodes"])
    assert [
        "warning: VAEDecode (1): `odd` is no input of VAEDecode",
        "warning: VAEDecode (1): `samples` is linked to node 7, which is not there",
    ] == told.err.splitlines()


@pytest.mark.parametrize(
    ("nodes", "inputs", "says"), [(20_001, 1, "20,001 nodes"), (1, 100_001, "100,001 inputs")]
)
def test_what_is_too_large_is_refused_early(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], nodes: int, inputs: int, says: str
) -> None:
    """
    A graph in whose drawing nobody could see anything is an error that names the limit.
    """
    node = {"class_type": "Odd", "inputs": {f"in{number}": 1 for number in range(inputs)}}
    path = tmp_path / "large.json"
    path.write_text(json.dumps({str(number): node for number in range(nodes)}), "utf-8")
    out = tmp_path / "large.html"
    code = run(["draw", str(path), "-o", str(out)])
    captured = capsys.readouterr()

    assert ExitCode.INTERNAL == code
    assert f"a graph of {says} is too large" in captured.err
    assert "comfygraph explain" in captured.err
    assert not out.exists()


def test_a_result_that_nothing_opens_is_not_written() -> None:
    """
    A list that takes a line for each of its members is given up at the limit, not at its end.
    """
    with pytest.raises(InputError, match="more than 1 MB"):
        json_text([1] * 500_000, 1 << 20)

    assert "[\n  1,\n  1\n]" == json_text([1, 1], 20)
