"""
What strangers write into graphs, catalogs and answers does not steer the terminal, and no
terminal is too plain for what we print.
"""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from comfygraph.cli import run
from comfygraph.errors import BuildError, BuildProblem, UsageError, clean
from comfygraph.targets.reading import one_line

EVIL = "\x1b]0;owned\x07\x1b[2J\u202eexe.\u2066\x9b31m\r\nfake: line\x00\u2028\x7f"
"""A title for the window, an emptied screen, text from right to left, a line of its own."""


def graph() -> dict[str, Any]:
    """
    Give a graph whose every text steers terminals.
    """
    loader = f"4{EVIL}"
    return {
        loader: {
            "class_type": "CheckpointLoaderSimple",
            "inputs": {"ckpt_name": f"a{EVIL}.safetensors", f"extra{EVIL}": 1},
            "_meta": {"title": f"title{EVIL}", "comfygraph": {"group": f"group{EVIL}"}},
        },
        "5": {"class_type": f"Class{EVIL}", "inputs": {f"in{EVIL}": [loader, 0]}},
        "6": {"class_type": "CLIPTextEncode", "inputs": {"text": EVIL, "clip": [loader, 1]}},
        "7": {"class_type": "VAEDecode", "inputs": {"samples": [f"no{EVIL}", 0], "vae": ["6", 0]}},
        "8": {
            "class_type": "SaveImage",
            "inputs": {"images": ["7", 0], "filename_prefix": f"x{EVIL}"},
        },
    }


@pytest.fixture
def hostile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """
    Make a folder with hostile files, and work there.
    """
    (tmp_path / "graph.json").write_text(json.dumps(graph()))
    (tmp_path / "tame.json").write_text(json.dumps({"8": graph()["8"]}))
    (tmp_path / "other.json").write_text(json.dumps({f"a{EVIL}": [EVIL]}))
    entry = {
        "input": {"required": {f"in{EVIL}": [[EVIL], {"default": EVIL}]}},
        "output": ["IMAGE"], "output_name": [EVIL], "name": EVIL, "display_name": EVIL,
        "category": EVIL, "python_module": f"custom_nodes.{EVIL}", "output_node": True,
    }  # fmt: skip
    (tmp_path / "catalog.json").write_text(json.dumps({f"Class{EVIL}": entry}))
    monkeypatch.chdir(tmp_path)
    return tmp_path


COMMANDS = (
    "lint graph.json",
    "lint --format concise graph.json",
    "lint --statistics graph.json",
    "lint --fix --diff graph.json",
    "lint --catalog catalog.json graph.json",
    "lint NAME",
    "explain graph.json",
    "explain graph.json NAME",
    "explain other.json",
    "decompile graph.json",
    "layout graph.json",
    "draw graph.json",
    "draw graph.json --format svg",
    "draw graph.json --format html",
    "draw graph.json --format dot",
    "diff tame.json graph.json",
    "diff graph.json tame.json",
    "diff --format markdown tame.json graph.json",
    "models graph.json",
    "retarget graph.json -t tams --offline",
    "catalog lock -o - graph.json",
    "catalog list --catalog catalog.json",
    "catalog diff core catalog.json --breaking",
    "schema prompt --catalog catalog.json",
    "submit graph.json --dry-run --no-lint",
    "submit graph.json --no-lint --no-ledger --url http://127.0.0.1:9 --set NAME=1",
    "convert NAME",
    "NAME",
)


@pytest.mark.parametrize("words", COMMANDS)
def test_nothing_steers_the_terminal(words: str, hostile: Path) -> None:
    """
    Whatever a command prints of a hostile file or name, a terminal shows as text.
    """
    main, terminal = pty.openpty()
    arguments = [word.replace("NAME", "x" + EVIL.replace("\x00", "")) for word in words.split()]
    environment = {**os.environ, "NO_COLOR": "1", "TERM": "dumb", "HOME": str(hostile)}
    process = subprocess.Popen(
        [sys.executable, "-m", "comfygraph", *arguments],
        stdin=subprocess.DEVNULL, stdout=terminal, stderr=terminal, env=environment,
    )  # fmt: skip
    os.close(terminal)
    shown = bytearray()
    try:
        while data := os.read(main, 1 << 16):
            shown += data
    except OSError:  # how Linux tells that nobody writes any more
        pass
    os.close(main)
    text = shown.decode().replace("\r\n", "\n")

    assert process.wait(60) in (0, 1, 2, 3, 4)
    assert "internal error" not in text
    assert [] == [char for char in text if not char.isprintable() and char != "\n"]
    if "svg" not in words and "html" not in words:  # where a line means nothing
        assert [] == [line for line in text.split("\n") if line.startswith("fake")]


def test_messages_are_one_printable_line() -> None:
    """
    Exceptions hold no control characters, whoever is quoted; joiners of words and emoji stay.
    """
    exc = UsageError(f"no {EVIL}", hint=f"try {EVIL}")
    built = BuildError("no", problems=[BuildProblem(EVIL, file=f"a{EVIL}.py", line=1, help=EVIL)])

    assert exc.message.isprintable()
    assert exc.hint is not None
    assert exc.hint.isprintable()
    assert 2 == len(str(built).splitlines())
    assert "\N{WOMAN}\u200d\N{ARTIST PALETTE} می\u200cخواهم" == clean(
        "\N{WOMAN}\u200d\N{ARTIST PALETTE} می\u200cخواهم"
    )


def test_words_of_services_are_printable() -> None:
    """
    What a service says is shown without colours, controls and turns of direction.
    """
    assert one_line(f"no {EVIL}").isprintable()


def test_plain_terminals() -> None:
    """
    Where the output cannot hold a character, such as `…` in Latin-1, it is replaced.
    """
    result = subprocess.run(
        [sys.executable, "-m", "comfygraph", "catalog", "show", "KSampler"],
        env={**os.environ, "PYTHONIOENCODING": "latin-1"}, capture_output=True,
    )  # fmt: skip

    assert (0, b"") == (result.returncode, result.stderr)
    assert b"? 1" in result.stdout


def test_json_keeps_every_character(hostile: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """
    A document that goes on to a program is exact: what a terminal must not get is escaped.
    """
    assert 0 == run(["submit", "graph.json", "--dry-run", "--no-lint"])
    out = capfd.readouterr().out

    assert graph() == json.loads(out.partition("\n\n")[2])["prompt"]
    assert [] == [char for char in out if not char.isprintable() and char != "\n"]


@pytest.mark.parametrize(
    ("line", "code", "error"),
    [
        # more than a pipe holds, so that the writer is told
        ("schema prompt | head -c 1", 0, ""),
        ("explain - < /dev/null", 3, "error: <stdin>:1:1: empty: there is no JSON in it\n"),
        ("explain tame.json >&-", 0, ""),
        ("explain tame.json 2>&-", 0, ""),
        ("explain tame.json > /dev/full", 3, "error: No space left on device\n"),
    ],
)
def test_odd_pipes(line: str, code: int, error: str, hostile: Path) -> None:
    """
    Pipes that close early, streams that are closed from the start and full disks cost a line.
    """
    result = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m comfygraph {line}; exit ${{PIPESTATUS[0]}}"],
        capture_output=True, text=True,
    )  # fmt: skip

    assert (code, error) == (result.returncode, result.stderr)
