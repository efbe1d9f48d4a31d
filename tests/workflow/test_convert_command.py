"""
`comfygraph convert`, as a person runs it.
"""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from flow_builder import Flow
from recorded_workflows import edge_cases

from comfygraph.cli import run
from comfygraph.errors import ExitCode


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """Give the path of a workflow that converts without findings."""
    path = tmp_path / "workflow.json"
    path.write_text(json.dumps(edge_cases()["base"]["workflow"]))
    return path


def test_prompt_goes_to_stdout(saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """
    The prompt is printed as the editor exports it, and nothing else.
    """
    code = run(["convert", str(saved)])
    out, err = capsys.readouterr()

    assert (ExitCode.OK, "") == (code, err)
    assert json.dumps(edge_cases()["base"]["prompt"], indent=2) + "\n" == out


def test_prompt_goes_to_a_file(saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """
    `-o` writes the file instead.
    """
    target = saved.with_name("prompt.json")
    code = run(["convert", str(saved), "-o", str(target)])

    assert (ExitCode.OK, "", "") == (code, *capsys.readouterr())
    assert edge_cases()["base"]["prompt"] == json.loads(target.read_text())


def test_findings_go_to_stderr(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """
    A finding is printed with its line, and an error makes the exit code 1.
    """
    path = tmp_path / "loose.json"
    path.write_text(json.dumps(edge_cases()["link_id_missing"]["workflow"], indent=1))
    code = run(["convert", str(path), "-o", str(tmp_path / "out.json")])
    out, err = capsys.readouterr()

    line = path.read_text().splitlines().index('     "link": 901') + 1
    assert (ExitCode.FINDINGS, "") == (code, out)
    assert f"{path}:{line}:14: error CG505 link-to-nothing" == err.splitlines()[0]
    assert "link 901 of input `images` leads to nothing" in err.splitlines()[1]
    assert "help: connect the input again in the editor, or set its `link` to null" in err


def test_stdin(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """
    `-` reads the workflow from stdin.
    """
    text = json.dumps(Flow().node(1, "CLIPTextEncode", "{a|b}").json())
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    code = run(["convert", "-", "--dynamic-prompts", "first"])

    assert ExitCode.OK == code
    assert {"text": "a"} == json.loads(capsys.readouterr().out)["1"]["inputs"]


@pytest.mark.parametrize(
    ("option", "code", "text"),
    [
        ("keep", ExitCode.OK, "{a|b}"),
        ("first", ExitCode.OK, "a"),
        ("error", ExitCode.FINDINGS, "{a|b}"),
    ],
)
def test_dynamic_prompts(
    option: str, code: ExitCode, text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    `--dynamic-prompts` says what becomes of choices.
    """
    path = tmp_path / "w.json"
    path.write_text(json.dumps(Flow().node(1, "CLIPTextEncode", "{a|b}").json()))

    assert code == run(["convert", str(path), "--dynamic-prompts", option])
    assert {"text": text} == json.loads(capsys.readouterr().out)["1"]["inputs"]


def test_dynamic_prompts_by_seed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """
    The same seed prints the same prompt.
    """
    path = tmp_path / "w.json"
    path.write_text(json.dumps(Flow().node(1, "CLIPTextEncode", "{a|b|c|d}").json()))
    outs = []
    for _ in range(2):
        run(["convert", str(path), "--dynamic-prompts", "seed=3"])
        outs.append(capsys.readouterr().out)

    assert outs[0] == outs[1]


@pytest.mark.parametrize(
    ("document", "options", "code"),
    [
        ({"nodes": []}, ["--dynamic-prompts", "seed"], ExitCode.USAGE),
        ({"nodes": []}, ["--catalog", "no/such/file.json"], ExitCode.INTERNAL),
        ({"nodes": []}, ["-o", "no/such/folder/out.json"], ExitCode.USAGE),
        ({"1": {"class_type": "VAEDecode", "inputs": {}}}, [], ExitCode.INTERNAL),
        ([1, 2], [], ExitCode.INTERNAL),
    ],
)
def test_exit_codes(
    document: Any,
    options: list[str],
    code: ExitCode,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """
    Wrong options are usage errors, wrong files input errors; both say so in one line.
    """
    path = tmp_path / "w.json"
    path.write_text(json.dumps(document))

    assert code == run(["convert", str(path), *options])
    assert "Traceback" not in capsys.readouterr().err


def test_half_characters_are_escaped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """
    Text that UTF-8 cannot hold is printed escaped; other text as it is.
    """
    path = tmp_path / "w.json"
    path.write_text(json.dumps(Flow().node(1, "CLIPTextEncode", "\ud800").json()))
    run(["convert", str(path)])
    escaped = capsys.readouterr().out
    path.write_text(json.dumps(Flow().node(1, "CLIPTextEncode", "é").json()))
    run(["convert", str(path)])

    assert '"text": "\\ud800"' in escaped
    assert '"text": "é"' in capsys.readouterr().out
